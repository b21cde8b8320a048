/** What came of a drill, and what is remembered of the last one: "last proven restorable" is a date, not a hope. */
import { assert } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import { decodeDocument, encodeDocument, orNull } from '../../base/document.ts';
import { type Instant, mebi } from '../../base/units.ts';
import { bytesOf, idBytes, idOf, type PeerId } from '../../core/vocabulary/ids.ts';
import type { Stores } from '../../ports/stores.ts';

/** How a partner behaved when it was asked for blocks. */
export interface DrillPartner {
  readonly partner: PeerId;
  /** Blocks that were right. */
  readonly blocks: number;
  readonly wrongBlocks: number;
  readonly refusals: number;
  /** Why it gave nothing, the last time that it did not: a refusal's code, or one of silence, rather than what may be true; empty when it always gave. */
  readonly code: string;
}

/** Something that could not be restored. */
export interface DrillProblem {
  /** In the snapshot, absolute; undefined for a single chunk of a pack. */
  readonly path: Bytes | undefined;
  readonly code: string;
  readonly detail: string;
}

export interface DrillReport {
  readonly at: Instant;
  /** Files whose every chunk came and was right, and their bytes. */
  readonly files: number;
  readonly bytes: number;
  /** Packs that something was read of. */
  readonly packs: number;
  readonly partners: readonly DrillPartner[];
  readonly problems: readonly DrillProblem[];
  /** Partners were told before that this computer restores, as before a restore of everything. */
  readonly announced: boolean;
}

export interface DrillStanding {
  readonly last: DrillReport;
  /** When everything that a drill drew was last restored right; undefined: never. */
  readonly provenAt: Instant | undefined;
}

const factName = 'drill-last';
const kind = { magic: 'covault/drill', version: 1, limitBytes: mebi };
const problemsKept = 32;
const partnersKept = 1_024;
const pathMaximum = 8_192;
const textMaximum = 256;

/** Everything that was drawn was restored, and something was. */
export function proves({ files, packs, problems }: DrillReport): boolean {
  return problems.length === 0 && files + packs > 0;
}

/** Partners that did not give what they were asked for, or not right, other than for being away. */
export function offenders({ partners }: DrillReport): readonly DrillPartner[] {
  return partners.filter(
    ({ wrongBlocks, code }) => wrongBlocks > 0 || (code !== '' && code !== 'peer.unreachable'),
  );
}

export function drillStanding(stores: Stores): DrillStanding | undefined {
  const value = stores.facts.get(factName);
  if (value === undefined) return undefined;
  const decoded = decodeDocument(kind, value, (fields) => ({
    provenAt: fields.optional((field) => field.instant()),
    last: {
      at: fields.instant(),
      ...{ files: fields.uint(), bytes: fields.uint(), packs: fields.uint() },
      partners: fields.list(partnersKept, (list) =>
        list.record((of) => ({
          partner: idOf<PeerId>(of.fixed(idBytes)),
          ...{ blocks: of.uint(), wrongBlocks: of.uint(), refusals: of.uint() },
          code: of.text(textMaximum),
        })),
      ),
      problems: fields.list(problemsKept, (list) =>
        list.record((of) => ({
          path: of.optional((field) => field.bytes({ maximum: pathMaximum })),
          ...{ code: of.text(textMaximum), detail: of.text(textMaximum) },
        })),
      ),
      announced: fields.flag(),
    },
  }));
  assert(decoded.ok, 'what is remembered of a drill is well formed');
  return decoded.value;
}

export function keepDrill(stores: Stores, report: DrillReport): void {
  const provenAt = proves(report) ? report.at : drillStanding(stores)?.provenAt;
  const { at, files, bytes, packs, announced } = report;
  const partners = report.partners
    .slice(0, partnersKept)
    .map(({ partner, blocks, wrongBlocks, refusals, code }) => [
      ...[bytesOf(partner), blocks, wrongBlocks, refusals],
      code.slice(0, textMaximum),
    ]);
  const problems = report.problems
    .slice(0, problemsKept)
    .map(({ path, code, detail }) => [
      orNull(path?.slice(0, pathMaximum)),
      ...[code, detail].map((text) => text.slice(0, textMaximum).toWellFormed()),
    ]);
  const fields = [orNull(provenAt), at, files, bytes, packs, partners, problems, announced];
  stores.facts.put(factName, encodeDocument(kind, fields));
}
