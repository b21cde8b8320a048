/**
 * Which indices the shards get that are to fill a stripe up (docs/decisions/0013-spares-are-further-shards.md).
 *
 * A stripe has n places, of which each holds a shard of any index; no two have the same. What a partner has that may come back should then stand beside
 * everything else, in whatever place is open, so a shard that is made for the time being gets an index that no other has.
 */
import { type Code, indexCount, shardCount } from '../vocabulary/code.ts';

/**
 * So many indices as places are open: the lowest that are neither `kept` nor `taken`, so that a data shard that is gone for good is made again as such and needs
 * no decoding. `taken` are those of shards that do not count now and may count again. When all indices are used up the lowest of these are taken a second time.
 */
export function openPlaces(
  code: Code,
  kept: Iterable<number>,
  taken: Iterable<number>,
): readonly number[] {
  const filled = new Set(kept);
  const open = Math.max(0, shardCount(code) - filled.size);
  const mayReturn = new Set(taken);
  const unfilled = Array.from({ length: indexCount(code) }, (_, index) => index).filter(
    (index) => !filled.has(index),
  );
  const unused = unfilled.filter((index) => !mayReturn.has(index));
  const again = unfilled.filter((index) => mayReturn.has(index));
  return [...unused, ...again].slice(0, open);
}
