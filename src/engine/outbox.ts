/**
 * Sends packs out: codes each for the partners there are, seals its shards, and keeps at it until every shard is acknowledged (C5, C12, C36).
 *
 * What is to be sent stands in the catalogue, not here: the outbox looks for packs with shards that are not held, oldest first, whenever something
 * changed or a partner may be tried again. A shard counts as held once the partner's signed acknowledgement, checked against what was sent, is stored.
 */
import { present } from '../base/assert.ts';
import { minuteMs } from '../base/units.ts';
import { bytesLentBy } from '../core/agreements/agreement.ts';
import { stripeIdOf } from '../core/erasure/layout.ts';
import { chooseCode } from '../core/placement/code-choice.ts';
import { placeShards } from '../core/placement/placement.ts';
import { type Code, shardCount } from '../core/vocabulary/code.ts';
import type { PackId, PeerId, StripeId } from '../core/vocabulary/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventLog } from '../ports/event-log.ts';
import type { AgreementRow, PackRow, ShardRow, Stores } from '../ports/stores.ts';
import type { SealedShard, StripeCoder } from '../ports/stripe-coder.ts';
import type { Backoff } from './backoff.ts';
import type { Notifier } from './notifier.ts';
import type { PartnerBook } from './partner-book.ts';
import { agreementOf, bytesAt, shardBytesOf } from './partner-space.ts';
import { settled } from './settled.ts';
import type { ShardDelivery } from './shard-delivery.ts';
import type { Spool } from './spool.ts';
import { TaskPool } from './task-pool.ts';

/** Packs on their way at once: each takes about three times its size in memory. */
const packsAtOnce = 3;
/** A partner that had no room is planned for again after so long: it may have made some. */
const fullMs: number = 5 * minuteMs;

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
}

interface PlannedPack {
  readonly code: Code;
  readonly stripe: StripeId;
  /** Partner by index of shard. */
  readonly placed: ReadonlyMap<number, PeerId>;
}

export class Outbox {
  readonly #parts: OutboxParts;
  /** Partners that refused a shard for want of space, and when they are asked again. */
  readonly #full = new Map<PeerId, number>();
  /** Bytes that our shards take at each partner, sent or planned; counted once, then kept. */
  readonly #taken = new Map<PeerId, number>();
  /** Packs for which the last round found no room at partners. */
  readonly #noRoom = new Set<PackId>();
  /** Whether the last round left anything that can be sent before long. */
  #hopeful = true;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
  }

  /** Sends whatever can be sent now; gives the number of shards that became held. */
  async sendRound(signal: AbortSignal): Promise<number> {
    let sent = 0;
    this.#noRoom.clear();
    const pool = new TaskPool(packsAtOnce);
    try {
      for (const row of this.#waiting()) {
        if (signal.aborted) break;
        await pool.start(async () => {
          sent += await this.#sendPack(row, signal);
        });
      }
      await pool.drain();
    } finally {
      // Whatever ended the round, nothing of it may go on beside the next one.
      await pool.drain().catch(() => undefined);
    }
    this.#lookAhead(sent);
    return sent;
  }

  /** Whether any partner could take something now or soon: if not, nothing will leave the spool. */
  hasTakers(): boolean {
    return this.#hopeful && this.#parts.book.open().length > 0;
  }

  #waiting(): readonly PackRow[] {
    const { stores } = this.#parts;
    const rows = stores.shards.incompletePacks().map((pack) => stores.packs.get(pack));
    return rows.filter((row) => row?.spooled === true) as PackRow[];
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
    const { stores, book, backoff } = this.#parts;
    const takers = new Set(
      book
        .open()
        .map(({ partner }) => partner)
        .filter((partner) => !this.#isFull(partner) && !backoff.isLasting(partner)),
    );
    return stores.shards
      .ofPack(row.pack)
      .some(({ phase, partner }) => phase !== 'held' && takers.has(partner));
  }

  #isFull(partner: PeerId): boolean {
    const until = this.#full.get(partner);
    if (until === undefined) return false;
    const now = this.#parts.clock.now();
    // A clock that was set back must not make a partner full for days.
    if (now < until && until - now <= fullMs) return true;
    this.#full.delete(partner);
    return false;
  }

  async #sendPack(row: PackRow, signal: AbortSignal): Promise<number> {
    const code = row.code ?? this.#plan(row);
    if (code === undefined) return 0;
    const due = this.#due(row.pack);
    if (due.length === 0) return 0;
    const bytes = await this.#parts.spool.read(row.pack);
    if (bytes === undefined) return 0;
    const sealed = await this.#parts.coder.code(
      { pack: row.pack, suite: row.suite, bytes },
      code,
      due,
    );
    const outcomes = await settled(sealed.map((shard) => this.#sendShard(row.pack, shard, signal)));
    const sent = outcomes.filter((held) => held).length;
    if (sent > 0) await this.#settle(row, code);
    return sent;
  }

  /** Chooses code and partners for a pack that has none; undefined while there are too few. */
  #plan(row: PackRow): Code | undefined {
    const { stores, book, log } = this.#parts;
    const wanted = chooseCode(book.open().length);
    if (wanted === undefined) return undefined;
    const planned = this.#placeAmong(row, wanted);
    if (planned === undefined) {
      this.#noRoom.add(row.pack);
      log.write('warn', 'pack.no-room', { pack: row.pack, bytes: row.lengthBytes });
      return undefined;
    }
    const { code, stripe, placed } = planned;
    stores.transact(() => {
      stores.packs.update(row.pack, { code, stripe });
      for (const [index, partner] of placed)
        stores.shards.put({ pack: row.pack, index, partner, phase: 'planned' });
    });
    for (const partner of placed.values()) this.#take(partner, shardBytesOf(row.lengthBytes, code));
    return code;
  }

  /**
   * A partner without room must not keep the pack from all others: then a code for fewer partners is taken, as long as that bears half
   * the losses at least.
   */
  #placeAmong(row: PackRow, wanted: Code): PlannedPack | undefined {
    const partners = this.#parts.book.open().map((agreement) => ({
      peer: agreement.partner,
      freeBytes: this.#isFull(agreement.partner) ? 0 : this.#spaceLeft(agreement),
    }));
    for (let count = partners.length; count > 0; count -= 1) {
      const code = chooseCode(count);
      if (code === undefined || code.parityShards * 2 < wanted.parityShards) return undefined;
      const stripe = stripeIdOf({ packId: row.pack, packLength: row.lengthBytes, code });
      const shardBytes = shardBytesOf(row.lengthBytes, code);
      const placed = placeShards({ code, partners, shardBytes, stripeId: stripe });
      if (placed.ok) return { code, stripe, placed: placed.value };
    }
    return undefined;
  }

  /** Shards to be sent now: their partners take shards and are not waiting to be tried again. */
  #due(pack: PackId): readonly ShardRow[] {
    const { stores, book, backoff } = this.#parts;
    const open = new Set(book.open().map(({ partner }) => partner));
    return stores.shards
      .ofPack(pack)
      .filter(
        ({ phase, partner }) => phase !== 'held' && open.has(partner) && !backoff.waits(partner),
      );
  }

  async #sendShard(pack: PackId, shard: SealedShard, signal: AbortSignal): Promise<boolean> {
    const { delivery, stores, log, backoff } = this.#parts;
    const row = present(stores.packs.get(pack), 'a pack on its way');
    const delivered = await delivery.deliver({ pack: row, shard, signal });
    if (delivered.ok) {
      backoff.cleared(shard.partner);
      this.#full.delete(shard.partner);
      return true;
    }
    const { code } = delivered.error;
    log.write('info', 'shard.not-sent', { pack, index: shard.index, partner: shard.partner, code });
    if (code === 'delivery.no-space') {
      this.#full.set(shard.partner, this.#parts.clock.now() + fullMs);
      if (!this.#moveElsewhere(row, shard)) backoff.failed(shard.partner);
    } else if (code !== 'delivery.cancelled') backoff.failed(shard.partner);
    return false;
  }

  /** Plans a shard for another partner that has none of this stripe and has room, if there is one. */
  #moveElsewhere(row: PackRow, shard: SealedShard): boolean {
    const { stores, book } = this.#parts;
    const taken = new Set(stores.shards.ofPack(row.pack).map(({ partner }) => partner));
    const other = book
      .open()
      .filter(({ partner }) => !taken.has(partner) && !this.#isFull(partner))
      .find((agreement) => this.#spaceLeft(agreement) >= shard.bytes.length);
    if (other === undefined) return false;
    stores.shards.put({
      pack: row.pack,
      index: shard.index,
      partner: other.partner,
      phase: 'planned',
    });
    this.#take(shard.partner, -shard.bytes.length);
    this.#take(other.partner, shard.bytes.length);
    this.#parts.changes.notify();
    return true;
  }

  #spaceLeft(agreement: AgreementRow): number {
    return (
      bytesLentBy(agreementOf(agreement), agreement.partner) - this.#takenAt(agreement.partner)
    );
  }

  #take(partner: PeerId, bytes: number): void {
    // Counted from the catalogue, which has this change already, when it was not counted before.
    const known = this.#taken.get(partner);
    if (known !== undefined) this.#taken.set(partner, known + bytes);
  }

  #takenAt(partner: PeerId): number {
    const known = this.#taken.get(partner);
    if (known !== undefined) return known;
    const counted = bytesAt(this.#parts.stores, partner);
    this.#taken.set(partner, counted);
    return counted;
  }

  async #settle(row: PackRow, code: Code): Promise<void> {
    const { stores, spool, changes } = this.#parts;
    const held = stores.shards.ofPack(row.pack).filter(({ phase }) => phase === 'held').length;
    if (held === shardCount(code)) {
      spool.released(row);
      await spool.trimCache();
    }
    changes.notify();
  }
}
