/**
 * Whether a partner has anything left that it could prove: a shard of ours that counts as held, or one in reserve.
 *
 * One that lost everything has signed for all of it, and yet no audit can pass there any more. Its grace period must run on, or it would be suspended for ever.
 */
import { type Instant, secondMs } from '../../base/units.ts';
import type { PackId, PeerId } from '../../core/vocabulary/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AgreementRow, ShardRow, Stores } from '../../ports/stores.ts';

/** Shards are looked through again after so long: lifecycles ask with every answer. */
const rememberedMs: number = 5 * secondMs;

export class ProvableShards {
  readonly #stores: Stores;
  readonly #clock: Clock;
  readonly #known = new Map<PeerId, { readonly at: Instant; readonly any: boolean }>();
  /** A pack of which the partner held a shard when it was last looked: looking through all of them takes long where they are many. */
  readonly #example = new Map<PeerId, PackId>();

  constructor(stores: Stores, clock: Clock) {
    this.#stores = stores;
    this.#clock = clock;
  }

  anyAt({ agreement, partner }: AgreementRow): boolean {
    if (this.#stores.ledger.head(agreement, 'owner') === undefined) return false;
    const now = this.#clock.now();
    const known = this.#known.get(partner);
    if (known !== undefined && Math.abs(now - known.at) < rememberedMs) return known.any;
    const any = this.#lookThrough(partner);
    this.#known.set(partner, { at: now, any });
    return any;
  }

  #lookThrough(partner: PeerId): boolean {
    const { shards, layouts } = this.#stores;
    const isHeld = (row: ShardRow): boolean => row.partner === partner && row.phase === 'held';
    const example = this.#example.get(partner);
    if (example !== undefined && shards.ofPack(example).some(isHeld)) return true;
    const found = shards.ofPartner(partner).find(isHeld);
    if (found !== undefined) {
      this.#example.set(partner, found.pack);
      return true;
    }
    return layouts.retired().some((row) => row.partner === partner && row.reserve);
  }
}
