/**
 * The spool: packs of our own on our own disk, as work still to do and, once every shard is out, as a bounded cache.
 *
 * A pack counts only after it was written, read back and found equal to its name; then, and not before, the catalogue learns of it and
 * of its chunks (the order of writes, docs/format.md#order-of-writes).
 */
import { present } from '../../base/assert.ts';
import { type Bytes, discard } from '../../base/bytes.ts';
import { linkedAbort } from '../../base/linked-abort.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { type Instant, instant, minuteMs } from '../../base/units.ts';
import { protectionOf } from '../../core/placement/code-choice.ts';
import { idOf, type PackId, type PeerId } from '../../core/vocabulary/ids.ts';
import type { BlobRange, BlobStore } from '../../ports/blob-store.ts';
import type { SealedPack } from '../../ports/chunk-pipeline.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';
import { type PackRow, StorageBroken, StorageFull, type Stores } from '../../ports/stores.ts';
import { sha256 } from '../../primitives/hash.ts';
import type { Notifier } from '../work/notifier.ts';
import { lostPacks } from './lost-packs.ts';

export type SpoolFailure = {
  readonly code: 'spool.no-space' | 'spool.full' | 'spool.broken' | 'backup.cancelled';
  readonly detail: string;
};

export interface SpoolPorts {
  readonly stores: Stores;
  readonly spool: BlobStore;
  readonly clock: Clock;
  readonly log: EventLog;
}

export interface SpoolCaps {
  /** Of packs that are not out yet. */
  readonly spoolBytes: number;
  /** Of packs that are. */
  readonly cacheBytes: number;
}

export interface SpoolWatch {
  readonly changes: Notifier;
  /** Whether anybody is there to take packs: without, waiting for room would be waiting forever. */
  readonly drains: () => boolean;
  /** Partners that can be expected to take what is planned for them. */
  readonly takers: () => ReadonlySet<PeerId>;
  /** A shard of the pack is on its way. */
  readonly isSending: (pack: PackId) => boolean;
}

/** Full for so long without anything leaving, the spool lets go of what is protected, even if its last partner may still come. */
const fullPatienceMs: number = 1 * minuteMs;
/** And of so much at once: a sixteenth of its cap. */
const letGoShare = 16;

export class Spool {
  readonly #ports: SpoolPorts;
  readonly #caps: SpoolCaps;
  readonly #watch: SpoolWatch;
  /** Packs that still have to go out, and their bytes. */
  readonly #waiting = new Map<PackId, number>();
  /** Their sum, with what is being written. */
  #waitingBytes = 0;
  /** Packs found damaged or gone, as long as they have not been dropped. */
  readonly #unreadable: Set<PackId>;
  /** The latest stamp of a pack or a snapshot. Stamps never go back, whatever the clock does: they tell which snapshot rests on which packs. */
  #lastStamp: Instant;
  #runBeganAt: Instant | undefined;

  constructor(ports: SpoolPorts, caps: SpoolCaps, watch: SpoolWatch) {
    this.#ports = ports;
    this.#caps = caps;
    this.#watch = watch;
    this.#unreadable = new Set(lostPacks.unreadable(ports.stores));
    for (const row of this.#spooledWaiting()) this.#await(row.pack, row.lengthBytes);
    const { packs, snapshots } = ports.stores;
    const stamps = [
      ...packs.all().map((row) => row.storedAt),
      ...snapshots.all().map((row) => row.takenAt),
    ];
    this.#lastStamp = instant(stamps.reduce<number>((last, at) => Math.max(last, at), 0));
  }

  /** When a backup began: later than every pack stored before it, and not later than any stored from here on. */
  beginRun(): Instant {
    this.#lastStamp = instant(Math.max(this.#ports.clock.now(), this.#lastStamp + 1));
    this.#runBeganAt = this.#lastStamp;
    return this.#lastStamp;
  }

  /** What was stored from then on belongs to the latest backup of this process, whether that has its snapshot yet or not. */
  get runBeganAt(): Instant | undefined {
    return this.#runBeganAt;
  }

  /**
   * Removes packs that a crash left behind between their writing and their entry in the catalogue. Called before anything is stored. A
   * catalogue without any pack may be a new one beside an old spool, which is then left alone.
   */
  async sweep(): Promise<void> {
    const { stores, spool, log } = this.#ports;
    if (stores.packs.all().length === 0) return;
    for (const name of await spool.list('')) {
      if (stores.packs.get(idOfBlob(name))?.spooled === true) continue;
      await spool.remove(name);
      log.write('info', 'spool.swept', { name });
    }
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Stores a pack for good. Waits while the spool is over its cap and somebody drains it. */
  async store(sealed: SealedPack, signal: AbortSignal): Promise<Outcome<void, SpoolFailure>> {
    // An index pack is what lets the others go: it never waits.
    if (sealed.kind !== 'index') {
      const room = await this.#room(sealed.bytes.length, signal);
      if (!room.ok) return room;
    }
    this.#await(sealed.pack, sealed.bytes.length);
    const written = await this.#writeVerified(sealed);
    if (!written.ok) {
      this.#forget(sealed.pack);
      return written;
    }
    const entered = this.#enter(sealed);
    if (!entered.ok) {
      this.#forget(sealed.pack);
      await this.#ports.spool.remove(sealed.pack);
      return entered;
    }
    const { log } = this.#ports;
    log.write('debug', 'pack.stored', { pack: sealed.pack, bytes: sealed.bytes.length });
    this.#watch.changes.notify();
    return succeeded(undefined);
  }

  #enter(sealed: SealedPack): Outcome<void, SpoolFailure> {
    const { stores, clock } = this.#ports;
    const storedAt = instant(Math.max(clock.now(), this.#lastStamp));
    this.#lastStamp = storedAt;
    try {
      stores.packs.add(rowOf(sealed, storedAt), sealed.contents);
      return succeeded(undefined);
    } catch (reason) {
      if (!(reason instanceof StorageFull)) throw reason;
      return failed({ code: 'spool.no-space', detail: reason.message });
    }
  }

  async #room(wantedBytes: number, signal: AbortSignal): Promise<Outcome<void, SpoolFailure>> {
    const { clock } = this.#ports;
    let fullSince = clock.now();
    while (this.#isOver(wantedBytes, 0)) {
      if (signal.aborted)
        return failed({ code: 'backup.cancelled', detail: 'while the spool was full' });
      if (await this.#letGo(wantedBytes, this.#watch.takers())) continue;
      const isHopeless = !this.#watch.drains();
      if (isHopeless || clock.now() - fullSince >= fullPatienceMs) {
        if (await this.#letGo(wantedBytes, new Set())) continue;
        fullSince = clock.now();
      }
      if (isHopeless)
        return failed({
          code: 'spool.full',
          detail: `${this.#waitingBytes} bytes wait for partners, and none is there`,
        });
      await this.#change(signal);
    }
    return succeeded(undefined);
  }

  #isOver(wantedBytes: number, spareBytes: number): boolean {
    if (this.#waitingBytes === 0) return false;
    return this.#waitingBytes + wantedBytes > this.#caps.spoolBytes - spareBytes;
  }

  async #change(signal: AbortSignal): Promise<void> {
    const waiting = linkedAbort(signal);
    const changed = this.#watch.changes.changed(waiting.signal);
    await Promise.race([changed, this.#ports.clock.sleep(fullPatienceMs, waiting.signal)]);
    waiting.abort();
  }

  /**
   * Drops the oldest packs that are protected and wait for none of `takers`; whether there were any. What was planned of them
   * stays planned: it is missing, and status says so.
   */
  async #letGo(wantedBytes: number, takers: ReadonlySet<PeerId>): Promise<boolean> {
    const { stores, spool, log } = this.#ports;
    const spareBytes = takers.size === 0 ? this.#caps.spoolBytes / letGoShare : 0;
    let any = false;
    for (const row of stores.packs.spooled()) {
      if (!this.#isOver(wantedBytes, spareBytes)) break;
      if (!this.#waiting.has(row.pack) || !this.#canGo(row, takers)) continue;
      stores.packs.update(row.pack, { spooled: false });
      this.#forget(row.pack);
      any = true;
      await spool.remove(row.pack);
      log.write('warn', 'pack.let-go', { pack: row.pack, bytes: row.lengthBytes });
    }
    return any;
  }

  #canGo(row: PackRow, takers: ReadonlySet<PeerId>): boolean {
    if (row.code === undefined) return false;
    const shards = this.#ports.stores.shards.ofPack(row.pack);
    const missing = shards.filter(({ phase }) => phase !== 'held');
    if (protectionOf(shards.length - missing.length, row.code) === 'unprotected') return false;
    return missing.every(({ partner }) => !takers.has(partner));
  }

  async #writeVerified(sealed: SealedPack): Promise<Outcome<void, SpoolFailure>> {
    const { spool } = this.#ports;
    const written = await spool.write(sealed.pack, sealed.bytes);
    if (!written.ok)
      return failed({
        code: written.error.code === 'blob.no-space' ? 'spool.no-space' : 'spool.broken',
        detail: written.error.detail,
      });
    const readBack = await spool.read(sealed.pack);
    const equal = readBack.ok && idOf<PackId>(sha256(readBack.value)) === sealed.pack;
    if (readBack.ok) discard(readBack.value);
    if (equal) return succeeded(undefined);
    await spool.remove(sealed.pack);
    return failed({
      code: 'spool.broken',
      detail: 'a pack read back differs from what was written',
    });
  }

  /** The bytes of a pack that lies here, checked against its name when it is read whole. */
  async read(pack: PackId, range?: BlobRange): Promise<Bytes | undefined> {
    const read = await this.#ports.spool.read(pack, range);
    if (read.ok && (range !== undefined || isNamed(pack, read.value))) return read.value;
    // Let go while it was read: nothing is wrong with it.
    if (this.#ports.stores.packs.get(pack)?.spooled !== true) return undefined;
    if (range === undefined && this.#waiting.has(pack) && !this.#unreadable.has(pack)) {
      this.#ports.log.write('error', 'pack.rotten', { pack });
      this.#unreadable.add(pack);
      this.#keepUnreadable();
    }
    return undefined;
  }

  /** For the next life. Without room to note it, that one finds out for itself. */
  #keepUnreadable(): void {
    const { stores, log } = this.#ports;
    try {
      lostPacks.setUnreadable(stores, this.#unreadable);
    } catch (reason) {
      if (!isOfStorage(reason)) throw reason;
      log.write('error', 'pack.rot-not-noted', { detail: reason.message });
    }
  }

  /** Still to be sent, but damaged or gone. */
  isUnreadable(pack: PackId): boolean {
    return this.#unreadable.has(pack);
  }

  /**
   * Forgets packs that were found damaged before they were out, and with them their chunks, so that the next scan reads and packs these again. `all` only
   * between backups, for one under way counts on every chunk that is known.
   */
  async dropUnreadable(which: 'index' | 'all'): Promise<void> {
    if (this.#unreadable.size === 0) return;
    const { stores } = this.#ports;
    const due = [...this.#unreadable].filter(
      (pack) => which === 'all' || stores.packs.get(pack)?.kind === 'index',
    );
    for (const pack of due) if (!this.#watch.isSending(pack)) await this.#dropIfUnreadable(pack);
    if (due.length > 0) this.#keepUnreadable();
  }

  async #dropIfUnreadable(pack: PackId): Promise<void> {
    const { stores, spool, log } = this.#ports;
    // Read again, as the disk may not have been there.
    const again = await spool.read(pack);
    const row = stores.packs.get(pack);
    if (row?.spooled !== true || (again.ok && isNamed(pack, again.value))) {
      this.#unreadable.delete(pack);
      return;
    }
    if (this.#watch.isSending(pack)) return;
    const held = stores.shards.ofPack(pack).filter(({ phase }) => phase === 'held').length;
    const isOut = row.code !== undefined && held >= row.code.dataShards;
    try {
      if (isOut) stores.packs.update(pack, { spooled: false });
      else this.#drop(row);
    } catch (reason) {
      if (!isOfStorage(reason)) throw reason;
      log.write('error', 'pack.not-dropped', { pack, detail: reason.message });
      return;
    }
    this.#unreadable.delete(pack);
    this.#forget(pack);
    await spool.remove(pack);
    log.write('warn', isOut ? 'pack.let-go' : 'pack.lost', { pack, bytes: row.lengthBytes });
    this.#watch.changes.notify();
  }

  #drop(row: PackRow): void {
    const { stores } = this.#ports;
    const contents = present(stores.packs.contents(row.pack), 'contents of a pack');
    stores.transact(() => {
      stores.packs.remove(row.pack);
      if (row.kind === 'index') {
        // Which packs it described cannot be read any more: all are described anew.
        for (const { pack, kind, indexed } of stores.packs.all())
          if (indexed && kind !== 'index') stores.packs.update(pack, { indexed: false });
        return;
      }
      // Later than every backup that may count on it.
      const droppedAt = this.beginRun();
      lostPacks.note(stores, { storedAt: row.storedAt, droppedAt, chunks: contents.chunkIds });
      stores.scanMemory.clear();
    });
  }

  /** Every shard of the pack is out: from now on it is cache. */
  released(row: PackRow): void {
    this.#forget(row.pack);
    this.#watch.changes.notify();
  }

  /** A partner lost a shard that was held: when the pack lies here it is work again. */
  reclaimed(row: PackRow): void {
    if (row.spooled) this.#await(row.pack, row.lengthBytes);
  }

  #await(pack: PackId, bytes: number): void {
    this.#forget(pack);
    this.#waiting.set(pack, bytes);
    this.#waitingBytes += bytes;
  }

  #forget(pack: PackId): void {
    this.#waitingBytes -= this.#waiting.get(pack) ?? 0;
    this.#waiting.delete(pack);
  }

  /** Drops the oldest packs of the cache beyond its cap. */
  async trimCache(): Promise<void> {
    const { stores, spool } = this.#ports;
    const waiting = new Set(stores.shards.incompletePacks());
    const cached = stores.packs.spooled().filter((row) => !waiting.has(row.pack));
    let bytes = cached.reduce((sum, row) => sum + row.lengthBytes, 0);
    for (const row of cached) {
      if (bytes <= this.#caps.cacheBytes) return;
      stores.packs.update(row.pack, { spooled: false });
      await spool.remove(row.pack);
      bytes -= row.lengthBytes;
    }
  }

  #spooledWaiting(): readonly PackRow[] {
    const { stores } = this.#ports;
    const waiting = new Set(stores.shards.incompletePacks());
    return stores.packs.spooled().filter((row) => waiting.has(row.pack));
  }
}

function isOfStorage(reason: unknown): reason is StorageFull | StorageBroken {
  return reason instanceof StorageFull || reason instanceof StorageBroken;
}

function isNamed(pack: PackId, bytes: Bytes): boolean {
  return idOf<PackId>(sha256(bytes)) === pack;
}

function idOfBlob(name: string): PackId {
  return name as PackId;
}

function rowOf(sealed: SealedPack, storedAt: PackRow['storedAt']): PackRow {
  return {
    pack: sealed.pack,
    kind: sealed.kind,
    suite: sealed.suite,
    salt: sealed.salt,
    lengthBytes: sealed.bytes.length,
    storedAt,
    code: undefined,
    stripe: undefined,
    indexed: false,
    spooled: true,
  };
}
