/**
 * What is remembered of the shards that audits draw from, so that not every message of an audit reads and hashes all of them.
 *
 * The shards of one place of the ledger are kept from a challenge to its opening, and let go as soon as any of them changes: marks of visits end every audit, so
 * nothing stays in memory between audits. Their root and their number are a matter of the ledger's entry there, whose hash names them, and are kept for good.
 */
import { type Bytes, hexText } from '../../base/bytes.ts';
import type { AuditedShard } from '../../core/audits/audited-space.ts';
import type { AuditLane } from '../../ports/audit-store.ts';
import type { Stores } from '../../ports/stores.ts';

interface Remembered {
  space: { readonly sequence: number; readonly shards: readonly AuditedShard[] } | undefined;
  root: { readonly head: string; readonly root: Bytes } | undefined;
  count: { readonly head: string; readonly count: number } | undefined;
}

export class SpaceMemory {
  readonly #lanes = new Map<string, Remembered>();

  /** The shards at that place of the ledger; `read` when they are not at hand. */
  space(
    lane: AuditLane,
    sequence: number,
    read: () => readonly AuditedShard[],
  ): readonly AuditedShard[] {
    const known = this.#of(lane);
    if (known.space?.sequence === sequence) return known.space.shards;
    const shards = read();
    known.space = { sequence, shards };
    return shards;
  }

  /** The root over the shards at the entry with this hash. */
  root(lane: AuditLane, head: Bytes, compute: () => Bytes): Bytes {
    const known = this.#of(lane);
    const at = hexText(head);
    if (known.root?.head !== at) known.root = { head: at, root: compute() };
    return known.root.root;
  }

  count(lane: AuditLane, head: Bytes, compute: () => number): number {
    const known = this.#of(lane);
    const at = hexText(head);
    if (known.count?.head !== at) known.count = { head: at, count: compute() };
    return known.count.count;
  }

  /** Before any shard of this direction is written. */
  changed(lane: AuditLane): void {
    this.#of(lane).space = undefined;
  }

  /** Before shards come back that were forgotten: what was computed without them is wrong. */
  recalled({ agreement, side }: AuditLane): void {
    this.#lanes.delete(`${agreement} ${side}`);
  }

  #of({ agreement, side }: AuditLane): Remembered {
    const key = `${agreement} ${side}`;
    const known = this.#lanes.get(key);
    if (known !== undefined) return known;
    const fresh: Remembered = { space: undefined, root: undefined, count: undefined };
    this.#lanes.set(key, fresh);
    return fresh;
  }
}

/** Whatever works on the same stores shares one memory, or one part would not hear of what another changed. */
const memories = new WeakMap<Stores, SpaceMemory>();

export function memoryOf(stores: Stores): SpaceMemory {
  const known = memories.get(stores);
  if (known !== undefined) return known;
  const fresh = new SpaceMemory();
  memories.set(stores, fresh);
  return fresh;
}
