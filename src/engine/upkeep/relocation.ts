/**
 * Lays packs out anew as partners come, leave, lend less or lose shards (C20, C36): a few at once, those that bear the fewest losses first.
 *
 * Nothing that is held is given up before all that takes its place is held, so a snapshot is never less safe meanwhile. What both layouts have in common
 * stays where it is; the rest is coded from the pack's bytes, which come from the spool when they lie there, otherwise from partners, and are compared
 * with the pack's name before anything of them is sent.
 */
import { minuteMs, secondMs } from '../../base/units.ts';
import { bearableLosses } from '../../core/placement/code-choice.ts';
import { shardCount } from '../../core/vocabulary/code.ts';
import type { PackId } from '../../core/vocabulary/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { NextLayoutRow } from '../../ports/layout-store.ts';
import type { PackRow, PackStanding, ShardRow, Stores } from '../../ports/stores.ts';
import type { SealedShard, StripeCoder } from '../../ports/stripe-coder.ts';
import type { Spool } from '../backup/spool.ts';
import { facts } from '../facts.ts';
import type { PartnerBook } from '../partners/partner-book.ts';
import type { PackSource } from '../restore/pack-source.ts';
import type { Outbox } from '../sending/outbox.ts';
import type { ShardDelivery } from '../sending/shard-delivery.ts';
import type { Backoff } from '../work/backoff.ts';
import type { Notifier } from '../work/notifier.ts';
import { settled } from '../work/settled.ts';
import type { LayoutChange } from './layout-change.ts';
import type { LayoutWish, WantedLayout } from './layout-wish.ts';
import type { ReserveShards } from './reserve-shards.ts';
import { byEndangerment, doubtfulShards } from './stripe-health.ts';
import { WholePacks } from './whole-packs.ts';

export interface RelocationParts {
  readonly stores: Stores;
  readonly clock: Clock;
  readonly log: EventLog;
  readonly coder: StripeCoder;
  readonly spool: Spool;
  readonly source: PackSource;
  readonly book: PartnerBook;
  readonly delivery: ShardDelivery;
  readonly backoff: Backoff;
  readonly changes: Notifier;
  readonly outbox: Pick<Outbox, 'recount'>;
  readonly wish: Pick<
    LayoutWish,
    'layoutFor' | 'isWell' | 'lookAnew' | 'recount' | 'noteFull' | 'key'
  >;
  readonly change: LayoutChange;
  readonly reserves: Pick<ReserveShards, 'of'>;
}

/** Layouts with something to send; each takes room at partners beside the present one. */
const openMaximum = 8;
/** Those that wait for a partner are not counted there, up to so many in all. */
const begunMaximum = 32;
/** Packs in memory: each takes about three times its size. */
const workedAtOnce = 2;
/** Packs looked at in one round. */
const lookedMaximum = 256;
/** After nothing was found to do it is not looked again for so long, as long as the partners are the same. */
const restMs: number = 10 * secondMs;
/** What was found well is looked at again after so long, whatever is known to have changed. */
const lookAgainMs: number = 10 * minuteMs;

export class Relocation {
  readonly #parts: RelocationParts;
  readonly #packs: WholePacks;
  /** Packs that lie as they should, as they stood when that was found. */
  #well = new Map<PackId, string>();
  #wellKey = '';
  #wellSince = 0;
  /** When it last found nothing to do, and who the partners were. */
  #restedAt: number | undefined;
  #restedKey = '';

  constructor(parts: RelocationParts) {
    this.#parts = parts;
    this.#packs = new WholePacks(parts);
  }

  /** Takes each step that can be taken now; whether there was any. */
  async round(signal: AbortSignal): Promise<boolean> {
    const { stores, book, wish } = this.#parts;
    // Until a recovery has come to its end nobody knows what lies where.
    if (facts.recovering(stores) || book.all().length === 0) return false;
    if (this.#isAtRest()) return false;
    wish.lookAnew();
    const adopted = this.#adoptAll();
    const revised = this.#reviseAll();
    const begun = this.#beginSome();
    const sent = await this.#sendAll(signal);
    const advanced = adopted || revised || begun || sent;
    if (advanced) this.#restedAt = undefined;
    else this.#rest();
    return advanced;
  }

  /** Forgets what was found well, what could not be read, and that it rests. */
  lookAgain(): void {
    this.#well = new Map();
    this.#packs.forgetUnread();
    this.#restedAt = undefined;
  }

  /** Backups change things many times a second: then it is not looked each time whether any of it matters here. */
  #isAtRest(): boolean {
    if (this.#restedAt === undefined || this.#openLayouts().length > 0) return false;
    if (Math.abs(this.#parts.clock.now() - this.#restedAt) >= restMs) return false;
    return this.#partnersKey() === this.#restedKey;
  }

  #rest(): void {
    this.#restedAt = this.#parts.clock.now();
    this.#restedKey = this.#partnersKey();
  }

  #partnersKey(): string {
    return this.#parts.book
      .all()
      .map(({ agreement, phase, paused }) => `${agreement} ${phase} ${paused}`)
      .join();
  }

  #adoptAll(): boolean {
    return this.#openLayouts().filter(({ pack }) => this.#adopt(pack)).length > 0;
  }

  #adopt(pack: PackId): boolean {
    const { stores, change, spool, log, outbox, wish, changes } = this.#parts;
    if (!change.adopt(pack)) return false;
    const row = stores.packs.get(pack);
    if (row !== undefined) spool.released(row);
    outbox.recount();
    wish.recount();
    log.write('info', 'layout.adopted', { pack });
    changes.notify();
    return true;
  }

  /** Layouts that cannot be finished as they were begun, or with less to send, are begun otherwise or given up. */
  #reviseAll(): boolean {
    let any = false;
    for (const layout of this.#openLayouts()) if (this.#revise(layout)) any = true;
    return any;
  }

  #revise(layout: NextLayoutRow): boolean {
    const { stores, wish, change, log, outbox } = this.#parts;
    const row = stores.packs.get(layout.pack);
    if (row === undefined) return false;
    const present = stores.shards.ofPack(row.pack);
    if (this.#isNeedless(layout, row, present)) return this.#giveUp(row);
    const isStuck = this.#isStuck(layout);
    if (!isStuck && !this.#isBack(layout, row)) return false;
    const wanted = wish.layoutFor(row, present);
    const next = stores.layouts.shards(row.pack);
    if (wanted !== undefined && isSame(layout, next, wanted)) return false;
    if (!isStuck && !this.#spares(row, wanted, next)) return false;
    if (wanted === undefined || !this.#isSafe(row, present, wanted)) change.drop(row);
    else change.begin(row, wanted);
    log.write('info', 'layout.revised', { pack: row.pack, dropped: wanted === undefined });
    outbox.recount();
    wish.recount();
    return true;
  }

  /** Whoever failed is back, so what was to take the place of its shard is not needed any more. */
  #isNeedless(layout: NextLayoutRow, row: PackRow, present: readonly ShardRow[]): boolean {
    const isSame = layout.reason === 'repair' && layout.stripe === row.stripe;
    return isSame && this.#parts.wish.isWell(row, present);
  }

  #giveUp(row: PackRow): boolean {
    const { change, log, outbox, wish } = this.#parts;
    change.drop(row);
    log.write('info', 'layout.needless', { pack: row.pack });
    outbox.recount();
    wish.recount();
    return true;
  }

  /** One of its partners takes no more shards, or has another one by the name of its shard, which it keeps whatever is sent. */
  #isStuck({ pack }: NextLayoutRow): boolean {
    const open = new Set(this.#parts.book.open().map(({ partner }) => partner));
    return this.#parts.stores.layouts
      .shards(pack)
      .some(({ phase, partner }) => phase === 'wrong' || (phase !== 'held' && !open.has(partner)));
  }

  /** A partner that takes shards again has one of the stripe that the next layout does without. */
  #isBack(layout: NextLayoutRow, row: PackRow): boolean {
    const { stores, book, reserves } = this.#parts;
    if (layout.reason !== 'repair' || layout.stripe !== row.stripe) return false;
    const open = new Set(book.open().map(({ partner }) => partner));
    const next = new Set(stores.layouts.shards(row.pack).map(({ partner }) => partner));
    const held = stores.shards.ofPack(row.pack).filter(({ phase }) => phase === 'held');
    return [...held, ...reserves.of(row)].some(
      ({ partner }) => open.has(partner) && !next.has(partner),
    );
  }

  /** The wanted layout leaves less to be sent than the next one does as it was begun. */
  #spares(row: PackRow, wanted: WantedLayout | undefined, next: readonly ShardRow[]): boolean {
    if (wanted === undefined || wanted.stripe !== row.stripe) return false;
    const left = next.filter(({ phase }) => phase !== 'held').length;
    return this.#parts.change.leftToSend(row, wanted) < left;
  }

  /** Begins layouts of packs that do not lie as they should, those first that bear the fewest losses; whether there is more to look at. */
  #beginSome(): boolean {
    const { stores } = this.#parts;
    const open = this.#openLayouts();
    let room = Math.min(
      openMaximum - open.filter((layout) => this.#due(layout).length > 0).length,
      begunMaximum - open.length,
    );
    if (room <= 0) return false;
    const standings = stores.shards.standings();
    if (standings.length === 0) return false;
    this.#forgetWell();
    const begun = new Set(open.map(({ pack }) => pack));
    const unseen = standings
      .filter((row) => row.code !== undefined && !begun.has(row.pack))
      .filter((row) => this.#well.get(row.pack) !== standingKey(row))
      .sort(byEndangerment(doubtfulShards(stores)));
    let any = false;
    for (const standing of unseen.slice(0, lookedMaximum)) {
      if (room <= 0) return true;
      if (!this.#begin(standing)) continue;
      room -= 1;
      any = true;
    }
    return any || unseen.length > lookedMaximum;
  }

  #begin(standing: PackStanding): boolean {
    const { stores, wish, change, log, outbox, changes } = this.#parts;
    const row = stores.packs.get(standing.pack);
    if (row === undefined) return false;
    const present = stores.shards.ofPack(row.pack);
    const wanted = wish.layoutFor(row, present);
    if (wanted === undefined || !this.#isSafe(row, present, wanted)) {
      this.#well.set(row.pack, standingKey(standing));
      return false;
    }
    change.begin(row, wanted);
    const { reason, code } = wanted;
    log.write('info', 'layout.begun', { pack: row.pack, reason, shards: shardCount(code) });
    outbox.recount();
    wish.lookAnew();
    changes.notify();
    return true;
  }

  #forgetWell(): void {
    const { clock, wish } = this.#parts;
    const now = clock.now();
    const { key } = wish;
    if (key === this.#wellKey && Math.abs(now - this.#wellSince) < lookAgainMs) return;
    this.#well = new Map();
    this.#wellKey = key;
    this.#wellSince = now;
  }

  /** The next layout bears no fewer losses than what stays of the present one. */
  #isSafe(row: PackRow, shards: readonly ShardRow[], { code }: WantedLayout): boolean {
    if (row.code === undefined) return false;
    const { book } = this.#parts;
    const staying = shards.filter(({ phase, partner }) => {
      const agreement = phase === 'held' ? book.get(partner) : undefined;
      return agreement !== undefined && agreement.phase !== 'leaving';
    });
    return code.parityShards >= bearableLosses(staying.length, row.code);
  }

  async #sendAll(signal: AbortSignal): Promise<boolean> {
    const due = this.#mostEndangered()
      .filter((layout) => !this.#packs.isUnread(layout.pack))
      .map((layout) => ({ layout, shards: this.#due(layout) }))
      .filter(({ shards }) => shards.length > 0)
      .slice(0, workedAtOnce);
    const sent = await settled(due.map((work) => this.#send(work, signal)));
    return sent.some((any) => any);
  }

  /** Layouts that were begun, those first whose packs bear the fewest losses now. */
  #mostEndangered(): readonly NextLayoutRow[] {
    const { stores } = this.#parts;
    const open = new Map(this.#openLayouts().map((layout) => [layout.pack, layout]));
    if (open.size <= workedAtOnce) return [...open.values()];
    return stores.shards
      .standings()
      .filter(({ pack }) => open.has(pack))
      .sort(byEndangerment(doubtfulShards(stores)))
      .flatMap(({ pack }) => open.get(pack) ?? []);
  }

  /** Shards of the next layout that can be sent now. Those that are of the present one too are left to the outbox while it has the pack. */
  #due({ pack, stripe }: NextLayoutRow): readonly ShardRow[] {
    const { stores, book, backoff, spool } = this.#parts;
    const row = stores.packs.get(pack);
    if (row === undefined) return [];
    const isOutboxes = row.spooled && row.stripe === stripe && !spool.isUnreadable(pack);
    const there = isOutboxes ? stores.shards.ofPack(pack) : [];
    const open = new Set(book.open().map(({ partner }) => partner));
    return stores.layouts
      .shards(pack)
      .filter(
        ({ phase, partner, index }) =>
          (phase === 'planned' || phase === 'lost') &&
          open.has(partner) &&
          !backoff.waits(partner) &&
          !there.some((other) => other.index === index && other.partner === partner),
      );
  }

  async #send(
    { layout, shards }: { readonly layout: NextLayoutRow; readonly shards: readonly ShardRow[] },
    signal: AbortSignal,
  ): Promise<boolean> {
    const { stores, coder } = this.#parts;
    const row = stores.packs.get(layout.pack);
    if (row === undefined) return false;
    const bytes = await this.#packs.read(row);
    if (bytes === undefined) return false;
    const { pack, suite } = row;
    const sealed = await coder.code({ pack, suite, bytes }, layout.code, shards);
    const sent = await settled(
      sealed.map((shard) => this.#deliver(row, layout, { shard, signal })),
    );
    return this.#adopt(pack) || sent.some((held) => held);
  }

  async #deliver(
    row: PackRow,
    { code, stripe }: NextLayoutRow,
    { shard, signal }: { readonly shard: SealedShard; readonly signal: AbortSignal },
  ): Promise<boolean> {
    const { delivery, backoff, log, wish } = this.#parts;
    const { partner, index } = shard;
    const delivered = await delivery.deliver({ pack: { ...row, code, stripe }, shard, signal });
    if (delivered.ok) {
      backoff.cleared(partner);
      return true;
    }
    const failure = delivered.error.code;
    log.write('info', 'shard.not-sent', { pack: row.pack, index, partner, code: failure });
    if (failure === 'delivery.no-space') {
      wish.noteFull(partner);
      if (!this.#elsewhere(row.pack)) backoff.failed(partner);
    } else if (failure !== 'delivery.cancelled') backoff.failed(partner);
    return false;
  }

  /** A partner had no room: the layout is begun without it, or given up. False when there is nothing else to be wished for. */
  #elsewhere(pack: PackId): boolean {
    const { stores, wish, change, outbox } = this.#parts;
    const layout = stores.layouts.get(pack);
    const row = stores.packs.get(pack);
    if (layout === undefined || row === undefined) return true;
    const present = stores.shards.ofPack(pack);
    const wanted = wish.layoutFor(row, present);
    if (wanted === undefined || !this.#isSafe(row, present, wanted)) change.drop(row);
    else if (isSame(layout, stores.layouts.shards(pack), wanted)) return false;
    else change.begin(row, wanted);
    outbox.recount();
    wish.recount();
    return true;
  }

  #openLayouts(): readonly NextLayoutRow[] {
    return this.#parts.stores.layouts.all();
  }
}

function isSame(
  layout: NextLayoutRow,
  next: readonly ShardRow[],
  { stripe, shards }: WantedLayout,
): boolean {
  if (layout.stripe !== stripe || next.length !== shards.size) return false;
  return next.every(({ index, partner }) => shards.get(index) === partner);
}

function standingKey({ placed, held, missing, spooled }: PackStanding): string {
  return `${placed} ${held} ${missing} ${spooled}`;
}
