/**
 * Whole packs, to be coded once more: from the spool while they lie there, otherwise read back from partners, and equal to their names.
 *
 * Partners in commitment honour no reads (C30); until that is over a pack that has left the spool may have to wait.
 */
import { type Bytes, discard } from '../../base/bytes.ts';
import { minuteMs } from '../../base/units.ts';
import { idOf, type PackId, type PeerId } from '../../core/vocabulary/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { PackRow, Stores } from '../../ports/stores.ts';
import { sha256 } from '../../primitives/hash.ts';
import type { Spool } from '../backup/spool.ts';
import type { PartnerBook } from '../partners/partner-book.ts';
import type { PackSource } from '../restore/pack-source.ts';
import type { ReserveShards } from './reserve-shards.ts';

export interface WholePacksParts {
  readonly stores: Stores;
  readonly clock: Clock;
  readonly log: EventLog;
  readonly spool: Spool;
  readonly source: PackSource;
  readonly book: PartnerBook;
  readonly reserves: Pick<ReserveShards, 'of'>;
}

/** A pack that could not be read is tried again after so long. */
const unreadMs: number = 1 * minuteMs;

export class WholePacks {
  readonly #parts: WholePacksParts;
  /** Packs whose bytes were not to be had, and when. */
  readonly #unread = new Map<PackId, number>();

  constructor(parts: WholePacksParts) {
    this.#parts = parts;
  }

  /** Its bytes were not to be had a short while ago. */
  isUnread(pack: PackId): boolean {
    const since = this.#unread.get(pack);
    if (since === undefined) return false;
    if (Math.abs(this.#parts.clock.now() - since) < unreadMs) return true;
    this.#unread.delete(pack);
    return false;
  }

  /** All are tried again. */
  forgetUnread(): void {
    this.#unread.clear();
  }

  /** Undefined when it cannot be had now. */
  async read(row: PackRow): Promise<Bytes | undefined> {
    const bytes = await this.#read(row);
    if (bytes === undefined) this.#unread.set(row.pack, this.#parts.clock.now());
    return bytes;
  }

  async #read(row: PackRow): Promise<Bytes | undefined> {
    const { spool, source, log } = this.#parts;
    const local = row.spooled ? await spool.read(row.pack) : undefined;
    if (local !== undefined) return local;
    const holders = this.#readable(row);
    if (holders === undefined) return undefined;
    const whole = { offset: 0, length: row.lengthBytes };
    const read = await source.readFromPartners(row, whole, holders);
    if (!read.ok) {
      log.write('warn', 'layout.not-read', { pack: row.pack, code: read.error.code });
      return undefined;
    }
    if (idOf<PackId>(sha256(read.value)) === row.pack) return read.value;
    discard(read.value);
    log.write('error', 'layout.wrong-bytes', { pack: row.pack });
    return undefined;
  }

  /** Holders that restores may be asked of: none in its commitment period (C30). Whoever has a shard in reserve is one of them. Undefined when these are too few. */
  #readable(row: PackRow): ReadonlyMap<number, PeerId> | undefined {
    const { stores, book, reserves } = this.#parts;
    const { pack, code } = row;
    const holders = new Map<number, PeerId>();
    let others = 0;
    const isAsked = (partner: PeerId): boolean => book.get(partner)?.phase !== 'in-commitment';
    for (const { index, partner, phase } of stores.shards.ofPack(pack)) {
      if (!isAsked(partner)) continue;
      if (phase === 'held') holders.set(index, partner);
      // Of a wrong shard most blocks are right, and the source falls back on it.
      else if (phase === 'wrong') others += 1;
    }
    for (const { index, partner } of reserves.of(row))
      if (isAsked(partner) && !holders.has(index)) holders.set(index, partner);
    return code !== undefined && holders.size + others >= code.dataShards ? holders : undefined;
  }
}
