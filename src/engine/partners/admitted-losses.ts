/**
 * How much a partner may lose and tell of before it counts like being caught.
 *
 * Disks rot a block now and then, and whoever says so is thanked. A partner that stores nothing and tells of each loss in time would be thanked for ever, so
 * what is told of in one grace period is counted, durably.
 */
import { assert } from '../../base/assert.ts';
import { decodeCbor, encodeCbor } from '../../base/codec.ts';
import type { Instant } from '../../base/units.ts';
import type { AgreementId } from '../../core/vocabulary/ids.ts';
import type { Stores } from '../../ports/stores.ts';

/** Shards forgiven in any case, and this share of what the partner has of ours. */
const forgivenLeast = 4;
const forgivenShare = 0.1;

interface Tally {
  readonly since: number;
  readonly shards: number;
}

/** Adds to the account of this grace period; whether it is still within what is forgiven. */
export function staysWithin(
  stores: Stores,
  agreement: AgreementId,
  loss: {
    readonly count: number;
    /** Shards of ours that the partner has or should have. */
    readonly held: number;
    readonly graceMs: number;
    readonly now: Instant;
  },
): boolean {
  const name = `losses-admitted ${agreement}`;
  const known = read(stores, name);
  const goesOn = known !== undefined && Math.abs(loss.now - known.since) < loss.graceMs;
  const before = goesOn ? known : { since: loss.now, shards: 0 };
  const shards = before.shards + loss.count;
  if (loss.count > 0) stores.facts.put(name, encodeCbor([before.since, shards]));
  return shards <= Math.max(forgivenLeast, forgivenShare * loss.held);
}

function read(stores: Stores, name: string): Tally | undefined {
  const value = stores.facts.get(name);
  if (value === undefined) return undefined;
  const decoded = decodeCbor(value, 32);
  assert(decoded.ok && Array.isArray(decoded.value), 'a tally of losses is two numbers');
  const [since, shards] = decoded.value as [number, number];
  return { since, shards };
}
