/**
 * How often an owner may have deleted what it took out of the trash (docs/protocol.md#shards).
 *
 * Every entry of a ledger is kept for good, and takes room beside the space that is lent. A shard that is new costs its owner an upload, and room that its
 * deletion does not give back before L; so there are never more entries of such shards than fit in what is lent, twice in each L. One that comes out of the
 * trash costs nothing, and deleted again and again it would make entries without end. Returns are therefore counted, and when there were too many in a day
 * deletions wait for the next one.
 *
 * Only deletions wait. Whoever has an owner's key may use up what is allowed, and the owner must be able to take everything back all the same; a deletion that comes
 * a day late costs it a day's room.
 *
 * No owner that backs up, repairs, prunes, or moves everything in and out in a day takes anything out of the trash. Who does is one that undoes what a thief deleted,
 * or lays packs out on shards that it had just given up: its deletions of that day come a day late, if it took back more than so many.
 */
import { assert } from '../../base/assert.ts';
import { decodeCbor, encodeCbor } from '../../base/codec.ts';
import { dayMs, type Instant, mebi } from '../../base/units.ts';
import { bytesLentTo } from '../../core/agreements/agreement.ts';
import type { AgreementRow, Stores } from '../../ports/stores.ts';
import { agreementOf } from '../partners/partner-space.ts';

/** In a day, whatever is lent: 1.2 MB of entries, with the deletions. */
const leastReturns = 1_024;
/** So much space lent allows one more: of a TiB that makes 20 MB of entries. */
const lentBytesEach: number = 64 * mebi;

/** In a day, of an owner to whom so much is lent. */
export function returnsMaximum(lentBytes: number): number {
  return leastReturns + Math.floor(lentBytes / lentBytesEach);
}

/** A shard came out of the trash. Inside the step that enters it in the ledger. */
export function countReturn(stores: Stores, agreement: AgreementRow, now: Instant): void {
  const today = returnsToday(stores, agreement, now);
  const { since, count } = today ?? { since: now, count: 0 };
  stores.facts.put(nameOf(agreement), encodeCbor([since, count + 1]));
}

/** Whether another deletion has to wait. */
export function tooManyReturns(stores: Stores, agreement: AgreementRow, now: Instant): boolean {
  const today = returnsToday(stores, agreement, now);
  const lentBytes = bytesLentTo(agreementOf(agreement), agreement.partner);
  return today !== undefined && today.count >= returnsMaximum(lentBytes);
}

/** A clock that was set back begins a day as well. */
function returnsToday(
  stores: Stores,
  agreement: AgreementRow,
  now: Instant,
): { readonly since: number; readonly count: number } | undefined {
  const value = stores.facts.get(nameOf(agreement));
  if (value === undefined) return undefined;
  const decoded = decodeCbor(value, 32);
  assert(decoded.ok && Array.isArray(decoded.value), 'returns of a day are a list');
  const [since, count] = decoded.value as [number, number];
  return now >= since && now - since < dayMs ? { since, count } : undefined;
}

function nameOf({ agreement }: AgreementRow): string {
  return `trash-returns ${agreement}`;
}
