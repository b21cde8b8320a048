/** Which snapshot or partner a person means: an id prefix, a name, `latest`, or `latest~2` for the second before it. */
import { failed, type Outcome, succeeded } from '../base/outcome.ts';
import type { PartnerView } from '../engine/partners/partnerships.ts';
import type { SnapshotRow } from '../ports/stores.ts';
import { failure, type OperationFailure } from './operation-failure.ts';

const listedChoices = 5;

/** `rows` oldest first, as the catalogue gives them. */
export function chooseSnapshot(
  rows: readonly SnapshotRow[],
  text: string,
): Outcome<SnapshotRow, OperationFailure> {
  const back = stepsBack(text);
  if (back !== undefined) {
    const row = rows[rows.length - 1 - back];
    if (row !== undefined) return succeeded(row);
    return failed(failure('snapshot.unknown', `${text}: there are ${rows.length} snapshots`));
  }
  const matching = /^[0-9a-f]+$/i.test(text)
    ? rows.filter((row) => row.snapshot.startsWith(text.toLowerCase()))
    : [];
  return oneOf(matching, {
    text,
    unknown: 'snapshot.unknown',
    ambiguous: 'snapshot.ambiguous',
    name: (row) => row.snapshot.slice(0, 12),
  });
}

function stepsBack(text: string): number | undefined {
  const match = /^latest(?:~(\d{1,6}))?$/.exec(text);
  return match === null ? undefined : Number(match[1] ?? 0);
}

/** By id prefix, or by the exact name when that is not ambiguous. */
export function choosePartner(
  partners: readonly PartnerView[],
  text: string,
): Outcome<PartnerView, OperationFailure> {
  const byId = /^[0-9a-f]+$/i.test(text)
    ? partners.filter(({ agreement }) => agreement.partner.startsWith(text.toLowerCase()))
    : [];
  const matching =
    byId.length > 0 ? byId : partners.filter(({ agreement }) => agreement.partnerName === text);
  return oneOf(matching, {
    text,
    unknown: 'partner.unknown',
    ambiguous: 'partner.ambiguous',
    name: ({ agreement }) => agreement.partner.slice(0, 12),
  });
}

function oneOf<T>(
  matching: readonly T[],
  asked: {
    readonly text: string;
    readonly unknown: OperationFailure['code'];
    readonly ambiguous: OperationFailure['code'];
    readonly name: (choice: T) => string;
  },
): Outcome<T, OperationFailure> {
  const [first] = matching;
  if (first === undefined) return failed(failure(asked.unknown, asked.text));
  if (matching.length === 1) return succeeded(first);
  const names = matching.slice(0, listedChoices).map(asked.name).join(', ');
  return failed(failure(asked.ambiguous, `${asked.text} could be ${names}`));
}
