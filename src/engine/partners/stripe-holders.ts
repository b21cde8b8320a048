/**
 * Who has shards of a pack, as the outlook counts them: those of its present layout, and those beside it that a restore reads when they are too few
 * (docs/decisions/0013-spares-are-further-shards.md); and which of them would not be given back yet (C30).
 */
import type { Bytes } from '../../base/bytes.ts';
import { ShardNamer } from '../../core/sealing/shard-name.ts';
import type { PackId, PeerId, ShardName, StripeId } from '../../core/vocabulary/ids.ts';
import type { AgreementRow, PackRow, ShardRow, Stores } from '../../ports/stores.ts';
import type { ReserveShards } from '../upkeep/reserve-shards.ts';

export interface StripeHoldersParts {
  readonly stores: Stores;
  readonly shardNameKey: Bytes;
  readonly reserves: Pick<ReserveShards, 'of'>;
  /** Whether restores may be asked of the partner at all. */
  readonly honoursRestores: (partner: PeerId) => boolean;
  /** What a partner that honours restores took in after its terms grew, while that commitment runs. */
  readonly uncommittedAt: (partner: PeerId) => ReadonlySet<ShardName>;
}

/** A partner that acknowledged a shard of a pack. */
export interface StripeHolder {
  readonly peer: PeerId;
  /** In commitment, be it that of the agreement or that of a growth: it has the shard, and gives it to no restore. */
  readonly withholds: boolean;
}

/** No partner twice, and no index: each holder fails or delivers by itself. */
export interface HeldStripe {
  readonly holders: readonly StripeHolder[];
  /** Shards of other indices at other partners that can be counted on: those of a layout under way, and reserves. */
  readonly beside: readonly StripeHolder[];
}

type Placed = Pick<ShardRow, 'index' | 'partner'>;

export class StripeHolders {
  readonly #parts: StripeHoldersParts;
  readonly #namers = new Map<PeerId, ShardNamer>();

  constructor(parts: StripeHoldersParts) {
    this.#parts = parts;
  }

  /** `partners`: those in force. */
  of(pack: PackId, partners: ReadonlyMap<PeerId, AgreementRow>): HeldStripe {
    const { packs, shards } = this.#parts.stores;
    const row = packs.get(pack);
    const held = shards
      .ofPack(pack)
      .filter((shard) => isHeld(shard) && partners.has(shard.partner));
    const beside = row === undefined ? [] : this.#beside(row, { held, partners });
    const shown = (shard: Placed): StripeHolder => ({
      peer: shard.partner,
      withholds: this.#withholds(shard, row?.stripe),
    });
    return { holders: held.map(shown), beside: beside.map(shown) };
  }

  #beside(
    row: PackRow,
    present: {
      readonly held: readonly ShardRow[];
      readonly partners: ReadonlyMap<PeerId, AgreementRow>;
    },
  ): readonly Placed[] {
    const { stores, reserves } = this.#parts;
    const { layouts } = stores;
    const isOfStripe = layouts.get(row.pack)?.stripe === row.stripe;
    const next = isOfStripe ? layouts.shards(row.pack).filter(isHeld) : [];
    const indices = new Set(present.held.map(({ index }) => index));
    const peers = new Set(present.held.map(({ partner }) => partner));
    const found: Placed[] = [];
    for (const shard of [...next, ...reserves.of(row)]) {
      const { index, partner } = shard;
      if (!isSound(present.partners.get(partner))) continue;
      if (indices.has(index) || peers.has(partner)) continue;
      indices.add(index);
      peers.add(partner);
      found.push(shard);
    }
    return found;
  }

  #withholds({ index, partner }: Placed, stripe: StripeId | undefined): boolean {
    const { honoursRestores, uncommittedAt } = this.#parts;
    if (!honoursRestores(partner)) return true;
    const names = uncommittedAt(partner);
    if (names.size === 0 || stripe === undefined) return false;
    return names.has(this.#namerOf(partner).nameOf(stripe, index));
  }

  #namerOf(partner: PeerId): ShardNamer {
    const known = this.#namers.get(partner);
    if (known !== undefined) return known;
    const namer = new ShardNamer(this.#parts.shardNameKey, partner);
    this.#namers.set(partner, namer);
    return namer;
  }
}

function isHeld({ phase }: ShardRow): boolean {
  return phase === 'held';
}

/** What a partner that fails or leaves has beside what is wanted of it is not counted on. */
function isSound(row: AgreementRow | undefined): boolean {
  return row?.phase === 'standing' || row?.phase === 'in-commitment';
}
