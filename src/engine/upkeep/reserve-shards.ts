/**
 * Shards that a pack left behind at a partner that may still be good for them (DESIGN §8, reintegration): kept as a reserve, and taken back instead of another being
 * sent when any of the stripe's shards fails.
 *
 * A partner that was silent for T_r comes back more often than not. What it holds was paid for once, so it is let go of lazily: when its partner runs short of
 * room, when the pack is coded otherwise, or after a long time. Whoever has a reserve is audited for it like for everything else that it acknowledged.
 */
import { dayMs, type Instant, secondMs } from '../../base/units.ts';
import { bytesLentBy } from '../../core/agreements/agreement.ts';
import type { ReserveShard } from '../../core/placement/stripe-filling.ts';
import { ShardNamer } from '../../core/sealing/shard-name.ts';
import type { PeerId, ShardName } from '../../core/vocabulary/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RetiredShardRow } from '../../ports/layout-store.ts';
import type { AgreementRow, PackRow, Stores } from '../../ports/stores.ts';
import type { PartnerBook } from '../partners/partner-book.ts';
import { agreementOf, bytesAt } from '../partners/partner-space.ts';

export interface ReserveShardsParts {
  readonly stores: Stores;
  readonly clock: Clock;
  readonly book: PartnerBook;
  readonly shardNameKey: Uint8Array;
}

/** Longer than most partnerships go without a long outage; then the room is worth more. */
const keptMs: number = 180 * dayMs;
/** Of what the partner lends: so much stays free, whatever is in reserve. */
const freeShare = 1 / 4;
/** Room is counted again after so long. */
const countedMs: number = 5 * secondMs;

export class ReserveShards {
  readonly #parts: ReserveShardsParts;
  readonly #namers = new Map<PeerId, ShardNamer>();
  readonly #room = new Map<PeerId, { readonly at: Instant; readonly isAmple: boolean }>();

  constructor(parts: ReserveShardsParts) {
    this.#parts = parts;
  }

  /** What may be taken back into the pack's present stripe, whoever has it: data shards first. */
  of(row: Pick<PackRow, 'pack' | 'stripe'>): readonly ReserveShard[] {
    return this.#parts.stores.layouts
      .retiredOf(row.pack)
      .filter((retired) => retired.reserve)
      .flatMap(({ partner, name }) => {
        const index = this.#indexIn(row, partner, name);
        return index === undefined ? [] : [{ index, partner }];
      })
      .sort((left, right) => left.index - right.index);
  }

  /** It is not deleted yet. */
  isKept({ pack, partner, name, retiredAt, reserve }: RetiredShardRow): boolean {
    const { stores, book, clock } = this.#parts;
    if (!reserve || Math.abs(clock.now() - retiredAt) > keptMs) return false;
    const row = stores.packs.get(pack);
    const agreement = book.get(partner);
    if (row === undefined || agreement === undefined || agreement.phase === 'leaving') return false;
    return this.#indexIn(row, partner, name) !== undefined && this.#hasRoom(agreement);
  }

  /** Undefined when the name is of another stripe. */
  #indexIn(
    { stripe }: Pick<PackRow, 'stripe'>,
    partner: PeerId,
    name: ShardName,
  ): number | undefined {
    return stripe === undefined ? undefined : this.#namerOf(partner).indexIn(stripe, name);
  }

  #hasRoom(row: AgreementRow): boolean {
    const { stores, clock } = this.#parts;
    const now = clock.now();
    const known = this.#room.get(row.partner);
    if (known !== undefined && Math.abs(now - known.at) < countedMs) return known.isAmple;
    const lentBytes = bytesLentBy(agreementOf(row), row.partner);
    const isAmple = lentBytes - bytesAt(stores, row.partner) >= lentBytes * freeShare;
    this.#room.set(row.partner, { at: now, isAmple });
    return isAmple;
  }

  #namerOf(partner: PeerId): ShardNamer {
    const known = this.#namers.get(partner);
    if (known !== undefined) return known;
    const namer = new ShardNamer(this.#parts.shardNameKey, partner);
    this.#namers.set(partner, namer);
    return namer;
  }
}

/** The partner does not have these, or not as they were; all of its reserves when `isSpoilt` is left out. */
export function spoilReserves(
  { layouts }: Pick<Stores, 'layouts'>,
  partner: PeerId,
  isSpoilt: (name: ShardName) => boolean = () => true,
): void {
  const spoilt = layouts
    .retired()
    .filter((row) => row.reserve && row.partner === partner && isSpoilt(row.name));
  if (spoilt.length > 0) layouts.retire(spoilt.map((row) => ({ ...row, reserve: false })));
}
