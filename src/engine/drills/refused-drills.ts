/**
 * Partners that refused a drill are asked again soon, and until they serve (C17): audits prove that they hold the data, not that they give it back.
 *
 * Each hears first that this computer restores, as before a restore of everything; then it is asked for a block of what it has. Whoever was only overloaded is
 * cleared within hours. Whoever gives nothing back is refused grace, for each refusal goes on counting against it.
 */
import { hourMs } from '../../base/units.ts';
import { codewordCount } from '../../core/erasure/layout.ts';
import { isInForce } from '../../core/partners/lifecycle-phase.ts';
import type { OwnerKeys } from '../../core/sealing/keys.ts';
import { ShardNamer } from '../../core/sealing/shard-name.ts';
import type { PeerId, ShardName } from '../../core/vocabulary/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import { type AgreementRow, type PackRow, StorageFull, type Stores } from '../../ports/stores.ts';
import { facts } from '../facts.ts';
import type { LifecycleKeeper } from '../partners/lifecycle-keeper.ts';
import type { PartnerBook } from '../partners/partner-book.ts';
import type { ShardAt, ShardFetch, ShardReading } from '../restore/shard-fetch.ts';
import { ReserveShards } from '../upkeep/reserve-shards.ts';
import { drawnUnit, jittered } from '../work/jitter.ts';
import { TaskPool } from '../work/task-pool.ts';

export interface RefusedDrillsParts {
  readonly keys: OwnerKeys;
  readonly stores: Stores;
  readonly clock: Clock;
  readonly random: Random;
  readonly book: PartnerBook;
  readonly keeper: Pick<LifecycleKeeper, 'stateOf' | 'mayReadFrom' | 'mayStillCommit' | 'happened'>;
  /** What a partner may hold to be in commitment, of what it took in after its terms grew. */
  readonly uncommitted: (partner: PeerId) => ReadonlySet<ShardName>;
  readonly auditIntervalMs: number;
  readonly newFetch: (watched: (reading: ShardReading) => void) => ShardFetch;
  readonly announceRestore: (partner: PeerId, signal: AbortSignal) => Promise<boolean>;
}

interface Drawn {
  readonly of: Asked;
  readonly shard: ShardAt;
  readonly codewords: number;
}

const askedAtOnce = 16;

/**
 * What a partner may rightly say when it gives nothing; being away is not refusing. Whether its quota may be used up and the shard lost was judged when it said so: what
 * cannot be has codes of its own (quota-excuse.ts, denied-shards.ts).
 */
const excuses: ReadonlySet<string> = new Set([
  'peer.unreachable',
  'request.quota',
  'shard.unknown',
]);

/**
 * Whether a partner that gave nothing, for this reason, refused to. That its commitment is not over yet it may say for a while only; of what it took in after its terms
 * grew for longer, so that only a shard from before (`old`) tells.
 */
export function isRefusal(
  code: string,
  partner: PeerId,
  { keeper, of }: { readonly keeper: Pick<LifecycleKeeper, 'mayStillCommit'>; readonly of: Asked },
): boolean {
  if (code !== 'request.in-commitment') return code !== '' && !excuses.has(code);
  const excused = keeper.mayStillCommit(partner);
  return excused === 'nothing' || (excused === 'what-came-later' && of === 'old');
}

/** Of two reasons for which a partner gave nothing, one after the other, the one to judge it by: the later, but nothing that may be true hides a refusal. */
export function graver(before: string, code: string): string {
  const mayBeTrue = (reason: string): boolean =>
    reason === '' || reason === 'request.in-commitment' || excuses.has(reason);
  return mayBeTrue(code) && !mayBeTrue(before) ? before : code;
}

type Asked = 'old' | 'any';

export class RefusedDrills {
  readonly #parts: RefusedDrillsParts;
  readonly #reserves: ReserveShards;
  /** Partners that were not heard to refuse what they may not. */
  readonly #doubted = new Set<PeerId>();

  constructor(parts: RefusedDrillsParts) {
    this.#parts = parts;
    this.#reserves = new ReserveShards({ ...parts, shardNameKey: parts.keys.shardNameKey });
  }

  /** Works until `signal` aborts: twice in each audit interval, so that a refusal always counts until the next (`refusedMs`). */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, auditIntervalMs } = this.#parts;
    while (!signal.aborted) {
      await clock.sleep(jittered(Math.min(4 * hourMs, auditIntervalMs / 2), random), signal);
      if (!signal.aborted) await this.round(signal);
    }
  }

  /** It gave nothing of what it need not give perhaps: it is asked for what it must. */
  doubt(partner: PeerId): void {
    this.#doubted.add(partner);
  }

  /** Asks every partner that refused a drill, once. */
  async round(signal: AbortSignal): Promise<void> {
    const { stores, book, keeper } = this.#parts;
    if (facts.recovering(stores)) return;
    const pool = new TaskPool(askedAtOnce);
    for (const row of book.all())
      if (this.#refused(row) && keeper.mayReadFrom(row.partner))
        await pool.start(() => this.#ask(row.partner, signal));
    await pool.drain();
  }

  #refused(row: AgreementRow): boolean {
    if (!isInForce(row.phase) || row.lifecycle === undefined) return false;
    if (this.#doubted.has(row.partner)) return true;
    return this.#parts.keeper.stateOf(row).refusedMs !== undefined;
  }

  async #ask(partner: PeerId, signal: AbortSignal): Promise<void> {
    const { newFetch, announceRestore, random } = this.#parts;
    const drawn = this.#draw(partner);
    if (drawn === undefined) {
      this.#doubted.delete(partner);
      return;
    }
    await announceRestore(partner, signal);
    const readings: ShardReading[] = [];
    const first = Math.floor(drawnUnit(random) * drawn.codewords);
    const stretch = { first, count: 1, wanted: [] };
    await newFetch((reading) => readings.push(reading)).blocks(drawn.shard, stretch, signal);
    const [reading] = readings;
    if (reading !== undefined && !signal.aborted) this.#judge(reading, drawn.of);
  }

  /** Wrong bytes were noted when they came. A full disk forgets nothing: the partner is asked again. */
  #judge({ partner, code, wrong }: ShardReading, of: Asked): void {
    const isServed = code === undefined && wrong === 0;
    const { keeper } = this.#parts;
    if (!isServed && !isRefusal(code ?? '', partner, { keeper, of })) return;
    this.#doubted.delete(partner);
    try {
      this.#parts.keeper.happened(partner, { type: isServed ? 'drill-served' : 'drill-refused' });
    } catch (reason) {
      if (!(reason instanceof StorageFull)) throw reason;
    }
  }

  /** A shard that it holds, or has in reserve; one from before its terms grew, if there is any. */
  #draw(partner: PeerId): Drawn | undefined {
    const { stores, random } = this.#parts;
    const held = stores.shards.ofPartner(partner).filter(({ phase }) => phase === 'held');
    const all = held.length > 0 ? held : this.#reservesAt(partner);
    const old = this.#oldAmong(partner, all);
    const places = old.length > 0 ? old : all;
    const place = places[Math.floor(drawnUnit(random) * places.length)];
    const row: PackRow | undefined = place && stores.packs.get(place.pack);
    if (place === undefined || row?.code === undefined || row.stripe === undefined)
      return undefined;
    const { pack, suite, stripe } = row;
    return {
      of: old.length > 0 ? 'old' : 'any',
      shard: { pack, suite, stripe, index: place.index, partner },
      codewords: codewordCount(row.lengthBytes, row.code.dataShards),
    };
  }

  #oldAmong<Place extends Pick<ShardAt, 'pack' | 'index'>>(
    partner: PeerId,
    places: readonly Place[],
  ): readonly Place[] {
    const { stores, keys, uncommitted } = this.#parts;
    const names = uncommitted(partner);
    if (names.size === 0) return places;
    const namer = new ShardNamer(keys.shardNameKey, partner);
    return places.filter(({ pack, index }) => {
      const stripe = stores.packs.get(pack)?.stripe;
      return stripe !== undefined && !names.has(namer.nameOf(stripe, index));
    });
  }

  #reservesAt(partner: PeerId): readonly Pick<ShardAt, 'pack' | 'index'>[] {
    const { layouts, packs } = this.#parts.stores;
    const left = layouts.retired().filter((row) => row.reserve && row.partner === partner);
    return [...new Set(left.map(({ pack }) => pack))].flatMap((pack) => {
      const row = packs.get(pack);
      const reserves = row === undefined ? [] : this.#reserves.of(row);
      return reserves
        .filter((reserve) => reserve.partner === partner)
        .map(({ index }) => ({ pack, index }));
    });
  }
}
