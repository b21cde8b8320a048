/**
 * Sends packs out: codes each for the partners there are, seals its shards, and keeps at it until every shard is acknowledged (C5, C12, C36).
 *
 * What is to be sent stands in the catalogue, not here: the outbox looks for packs with shards that are not held, oldest first, whenever something
 * changed or a partner may be tried again. A shard counts as held once the partner's signed acknowledgement, checked against what was sent, is stored.
 * Each partner takes its shards at its own speed, one after the other; none waits for another.
 */
import { present } from '../../base/assert.ts';
import { linkedAbort } from '../../base/linked-abort.ts';
import { minuteMs } from '../../base/units.ts';
import { type Code, shardCount } from '../../core/vocabulary/code.ts';
import type { PackId, PeerId } from '../../core/vocabulary/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { PackRow, ShardRow, Stores } from '../../ports/stores.ts';
import type { SealedShard, StripeCoder } from '../../ports/stripe-coder.ts';
import type { Spool } from '../backup/spool.ts';
import type { PartnerBook } from '../partners/partner-book.ts';
import type { PartnerPlanning } from '../partners/partner-planning.ts';
import type { Backoff } from '../work/backoff.ts';
import { Notifier } from '../work/notifier.ts';
import type { ShardDelivery } from './shard-delivery.ts';
import { ShardPlacing } from './shard-placing.ts';
import { StripeDesk } from './stripe-desk.ts';

/** While some partners are busy it is looked for work for the others no more often than this, and no less often than that. */
const leastLookMs = 50;
const mostLookMs: number = 1 * minuteMs;

export interface OutboxParts {
  readonly stores: Stores;
  readonly coder: StripeCoder;
  readonly clock: Clock;
  readonly log: EventLog;
  readonly spool: Spool;
  readonly book: PartnerBook;
  readonly delivery: ShardDelivery;
  readonly backoff: Backoff;
  readonly changes: Notifier;
  readonly planning: PartnerPlanning;
}

/** One round of sending: who is at it, and what is left to do. */
interface Round {
  readonly signal: AbortSignal;
  /** Packs with a shard to be sent, by partner, oldest first. */
  queues: Map<PeerId, PackId[]>;
  /** Packs without a code yet, oldest first. */
  unplanned: PackId[];
  readonly running: Map<PeerId, Promise<void>>;
  readonly ended: Notifier;
  sent: number;
  failure: { readonly reason: unknown } | undefined;
}

export class Outbox {
  readonly #parts: OutboxParts;
  readonly #desk: StripeDesk;
  readonly #placing: ShardPlacing;
  /** What each partner is being sent. */
  readonly #sending = new Map<PeerId, PackId>();
  /** Packs for which no room was found at partners, and when. */
  readonly #noRoom = new Map<PackId, number>();
  /** Whether the last round left anything that can be sent before long. */
  #hopeful = true;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
    this.#desk = new StripeDesk(parts);
    this.#placing = new ShardPlacing(parts);
  }

  /** Sends whatever can be sent, until no partner is busy any more; gives the number of shards that became held. */
  async sendRound(signal: AbortSignal): Promise<number> {
    this.#noRoom.clear();
    await this.#parts.spool.dropUnreadable('index');
    const stopping = linkedAbort(signal);
    const round: Round = {
      signal: stopping.signal,
      queues: new Map(),
      unplanned: [],
      running: new Map(),
      ended: new Notifier(),
      sent: 0,
      failure: undefined,
    };
    try {
      do {
        this.#startAll(round);
        if (round.running.size > 0) await this.#rest(round);
        // Once aborted, rests would end at once, for ever, and nothing else would get a turn.
      } while (round.running.size > 0 && round.failure === undefined && !signal.aborted);
    } finally {
      // Whatever ended the round, nothing of it may go on beside the next one.
      stopping.abort();
      await Promise.allSettled(round.running.values());
    }
    if (round.failure !== undefined) throw round.failure.reason;
    this.#lookAhead(round.sent);
    return round.sent;
  }

  /** Until a partner has nothing to do any more, something changed, or a partner may be tried again. */
  async #rest({ signal, ended, running }: Round): Promise<void> {
    const { clock, changes, backoff } = this.#parts;
    const lookedAt = clock.now();
    const waiting = linkedAbort(signal);
    const change = Promise.race([ended.changed(waiting.signal), changes.changed(waiting.signal)]);
    const busy = running.size;
    await clock.sleep(leastLookMs, waiting.signal);
    if (running.size === busy) {
      const soonMs = Math.min(mostLookMs, backoff.nextMs(lookedAt) ?? mostLookMs);
      await Promise.race([change, clock.sleep(soonMs, waiting.signal)]);
    }
    waiting.abort();
  }

  /** Gives work to every partner that has none. */
  #startAll(round: Round): void {
    this.#look(round);
    for (const partner of this.#takersNow()) {
      if (round.running.has(partner)) continue;
      const first = this.#next(round, partner);
      if (first === undefined) continue;
      const running = this.#serve(round, partner, first)
        .catch((reason: unknown) => {
          round.failure ??= { reason };
        })
        .finally(() => {
          round.running.delete(partner);
          this.#desk.leave(partner);
          round.ended.notify();
        });
      round.running.set(partner, running);
    }
  }

  /** What is to be sent to whom, anew from the catalogue. */
  #look(round: Round): void {
    const { stores, clock } = this.#parts;
    round.queues = new Map();
    round.unplanned = [];
    for (const row of this.#waiting()) {
      if (row.code !== undefined) this.#queue(round, stores.shards.ofPack(row.pack));
      else if (clock.now() - (this.#noRoom.get(row.pack) ?? 0) >= mostLookMs)
        round.unplanned.push(row.pack);
    }
  }

  #queue({ queues }: Round, shards: readonly ShardRow[]): void {
    for (const { pack, partner, phase } of shards) {
      if (!isToGo(phase) || this.#sending.get(partner) === pack) continue;
      const queue = queues.get(partner);
      if (queue === undefined) queues.set(partner, [pack]);
      else queue.push(pack);
    }
  }

  /** The next pack with a shard for this partner; packs are planned as partners get to them. */
  #next(round: Round, partner: PeerId): PackRow | undefined {
    const { stores } = this.#parts;
    for (;;) {
      const pack = round.queues.get(partner)?.shift() ?? round.unplanned.shift();
      if (pack === undefined) return undefined;
      const row = stores.packs.get(pack);
      if (row === undefined || !row.spooled) continue;
      if (row.code === undefined) {
        if (this.#plan(row) !== undefined) this.#queue(round, stores.shards.ofPack(pack));
        continue;
      }
      if (this.#due(pack).some((shard) => shard.partner === partner)) return row;
    }
  }

  /** Sends one partner its shards, one after the other, as long as that goes well. */
  async #serve(round: Round, partner: PeerId, first: PackRow): Promise<void> {
    for (
      let row: PackRow | undefined = first;
      row !== undefined;
      row = this.#next(round, partner)
    ) {
      if (round.signal.aborted || round.failure !== undefined) return;
      this.#sending.set(partner, row.pack);
      try {
        if (await this.#sendTo(row, partner, round.signal)) round.sent += 1;
      } finally {
        this.#sending.delete(partner);
        this.#desk.done(row.pack, partner);
      }
      if (this.#parts.backoff.waits(partner)) return;
    }
  }

  async #sendTo(row: PackRow, partner: PeerId, signal: AbortSignal): Promise<boolean> {
    const code = present(row.code, 'a pack that is sent was planned');
    const shard = await this.#desk.take({ row, code, partner, due: this.#due(row.pack) }, signal);
    if (shard === undefined || !(await this.#sendShard(row, shard, signal))) return false;
    this.#hopeful = true;
    await this.#settle(row.pack);
    return true;
  }

  /** Whether any partner could take something now or soon: if not, nothing will leave the spool. */
  hasTakers(): boolean {
    return this.#hopeful && this.#parts.book.open().length > 0;
  }

  /** Partners that take shards and answer now and then. */
  takers(): ReadonlySet<PeerId> {
    const { book, backoff } = this.#parts;
    const open = book.open().map(({ partner }) => partner);
    return new Set(
      open.filter((partner) => !this.#placing.isFull(partner) && !backoff.isLasting(partner)),
    );
  }

  /** What partners have of ours changed without the outbox. */
  recount(): void {
    this.#placing.recount();
  }

  /** A shard of this pack is on its way. */
  isSending(pack: PackId): boolean {
    return [...this.#sending.values()].includes(pack);
  }

  #waiting(): readonly PackRow[] {
    const { stores, spool } = this.#parts;
    const incomplete = new Set(stores.shards.incompletePacks());
    return stores.packs
      .spooled()
      .filter(({ pack }) => incomplete.has(pack) && !spool.isUnreadable(pack));
  }

  /** Without hope whoever waits for room in the spool is woken, to wait no longer. */
  #lookAhead(sent: number): void {
    const waiting = sent > 0 ? [] : this.#waiting();
    const hopeful = waiting.length === 0 || waiting.some((row) => this.#canGoOn(row));
    if (this.#hopeful === hopeful) return;
    this.#hopeful = hopeful;
    if (!hopeful) this.#parts.changes.notify();
  }

  /** Whether a shard of the pack is still to go to a partner that takes shards and answers now and then. */
  #canGoOn(row: PackRow): boolean {
    if (row.code === undefined) return !this.#noRoom.has(row.pack);
    const takers = this.takers();
    return this.#parts.stores.shards
      .ofPack(row.pack)
      .some(({ phase, partner }) => isToGo(phase) && takers.has(partner));
  }

  /** Chooses code and partners for a pack that has none; undefined while there are too few. */
  #plan(row: PackRow): Code | undefined {
    const code = this.#placing.place(row);
    if (code === undefined && this.#parts.book.open().length > 0)
      this.#noRoom.set(row.pack, this.#parts.clock.now());
    return code;
  }

  /** Partners that take shards and are not waiting to be tried again. */
  #takersNow(): readonly PeerId[] {
    const { book, backoff } = this.#parts;
    const open = book.open().map(({ partner }) => partner);
    return open.filter((partner) => !backoff.waits(partner));
  }

  /** Shards to be sent now. */
  #due(pack: PackId): readonly ShardRow[] {
    const takers = new Set(this.#takersNow());
    return this.#parts.stores.shards
      .ofPack(pack)
      .filter(({ phase, partner }) => isToGo(phase) && takers.has(partner));
  }

  /** `row`: of the stripe that the shard was coded for. */
  async #sendShard(row: PackRow, shard: SealedShard, signal: AbortSignal): Promise<boolean> {
    const { delivery, log, backoff } = this.#parts;
    const { pack } = row;
    if (!this.#isPresent(row)) return false;
    const delivered = await delivery.deliver({ pack: row, shard, signal });
    if (delivered.ok) {
      backoff.cleared(shard.partner);
      this.#placing.noteRoom(shard.partner);
      return true;
    }
    const { code } = delivered.error;
    log.write('info', 'shard.not-sent', { pack, index: shard.index, partner: shard.partner, code });
    if (code === 'delivery.no-space') {
      this.#placing.noteFull(shard.partner);
      if (this.#isPresent(row) && !this.#moveElsewhere(row, shard)) backoff.failed(shard.partner);
    } else if (code !== 'delivery.cancelled') backoff.failed(shard.partner);
    return false;
  }

  /** Whether another partner takes the shard instead. */
  #moveElsewhere(row: PackRow, shard: SealedShard): boolean {
    if (!this.#placing.moveElsewhere(row, shard)) return false;
    this.#parts.changes.notify();
    return true;
  }

  /** The pack still lies, or is to lie, as it did when it was read: others lay packs out anew meanwhile. */
  #isPresent({ pack, stripe }: PackRow): boolean {
    return this.#parts.stores.packs.get(pack)?.stripe === stripe;
  }

  async #settle(pack: PackId): Promise<void> {
    const { stores, spool, changes } = this.#parts;
    const row = stores.packs.get(pack);
    const held = stores.shards.ofPack(pack).filter(({ phase }) => phase === 'held').length;
    if (row?.code !== undefined && held >= shardCount(row.code)) {
      spool.released(row);
      await spool.trimCache();
    }
    changes.notify();
  }
}

/** A wrong shard cannot be replaced by sending it again: its partner has something under its name. */
function isToGo(phase: ShardRow['phase']): boolean {
  return phase === 'planned' || phase === 'lost';
}
