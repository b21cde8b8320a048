/** Packs on their way to another stripe or to other partners, as one computer remembers them between runs. */
import type { Instant } from '../base/units.ts';
import type { Code } from '../core/vocabulary/code.ts';
import type { PackId, PeerId, ShardName, StripeId } from '../core/vocabulary/ids.ts';
import type { ShardRow } from './stores.ts';

/** Why a pack is being laid out anew. */
export type LayoutReason = 'code' | 'move' | 'repair';

/** The stripe that is to take the place of a pack's present one. */
export interface NextLayoutRow {
  readonly pack: PackId;
  readonly code: Code;
  readonly stripe: StripeId;
  readonly reason: LayoutReason;
  readonly begunAt: Instant;
}

/** A shard that nothing rests on any more, and that its holder is still to be told about. */
export interface RetiredShardRow {
  readonly partner: PeerId;
  readonly name: ShardName;
  readonly pack: PackId;
  readonly retiredAt: Instant;
  /** The holder had it whole, as far as is known: while the pack's stripe stays as it is, it can be taken back without being sent again. */
  readonly reserve: boolean;
}

/**
 * Packs on their way to another stripe or other partners. The present shards stay as they are, and count, until all of the next are held; then these take
 * their place in one step.
 */
export interface LayoutStore {
  /** Begins; replaces an earlier next layout of the pack, whose shards that are held or planned are the caller's to retire. The pack must be there (asserted). */
  begin(row: NextLayoutRow, shards: readonly ShardRow[]): void;
  get(pack: PackId): NextLayoutRow | undefined;
  /** Those begun first come first. */
  all(): readonly NextLayoutRow[];
  /** Shards of the next layout, in order of index. */
  shards(pack: PackId): readonly ShardRow[];
  /** Replaces a row of the next layout; the pack must have one (asserted). */
  putShard(row: ShardRow): void;
  /**
   * In one step: the next layout's shards, all `held` (asserted), become the pack's only shards, its code and stripe those of the pack, `indexed` becomes
   * false, and `retired` is added to the retired shards.
   */
  adopt(pack: PackId, retired: readonly RetiredShardRow[]): void;
  /** Gives the next layout up; `retired` is added to the retired shards. */
  drop(pack: PackId, retired: readonly RetiredShardRow[]): void;
  /** Those retired first come first. */
  retired(): readonly RetiredShardRow[];
  /** Those of one pack, in order of partner and name. */
  retiredOf(pack: PackId): readonly RetiredShardRow[];
  /** Replaces a row of the same partner and name. */
  retire(rows: readonly RetiredShardRow[]): void;
  /** The holder knows, or is no partner any more. */
  forgetRetired(partner: PeerId, name: ShardName): void;
}
