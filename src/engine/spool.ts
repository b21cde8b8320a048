/**
 * The spool: packs of our own on our own disk, as work still to do and, once every shard is out, as a bounded cache.
 *
 * A pack counts only after it was written, read back and found equal to its name; then, and not before, the catalogue learns of it and
 * of its chunks (the order of writes, docs/format.md#order-of-writes).
 */
import { assert } from '../base/assert.ts';
import { type Bytes, discard } from '../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../base/outcome.ts';
import { type Instant, instant } from '../base/units.ts';
import { idOf, type PackId } from '../core/vocabulary/ids.ts';
import type { BlobRange, BlobStore } from '../ports/blob-store.ts';
import type { SealedPack } from '../ports/chunk-pipeline.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventLog } from '../ports/event-log.ts';
import { type PackRow, StorageFull, type Stores } from '../ports/stores.ts';
import { sha256 } from '../primitives/hash.ts';
import type { Notifier } from './notifier.ts';

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
}

export class Spool {
  readonly #ports: SpoolPorts;
  readonly #caps: SpoolCaps;
  readonly #changes: Notifier;
  readonly #drains: () => boolean;
  /** Bytes of packs that still have to go out. */
  #waitingBytes = 0;
  /** The latest stamp of a pack or a snapshot. Stamps never go back, whatever the clock does: they tell which snapshot rests on which packs. */
  #lastStamp: Instant;
  #runBeganAt: Instant | undefined;

  constructor(ports: SpoolPorts, caps: SpoolCaps, watch: SpoolWatch) {
    this.#ports = ports;
    this.#caps = caps;
    this.#changes = watch.changes;
    this.#drains = watch.drains;
    this.#waitingBytes = this.#countWaiting();
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
    this.#waitingBytes += sealed.bytes.length;
    const written = await this.#writeVerified(sealed);
    if (!written.ok) {
      this.#waitingBytes -= sealed.bytes.length;
      return written;
    }
    const entered = this.#enter(sealed);
    if (!entered.ok) {
      this.#waitingBytes -= sealed.bytes.length;
      await this.#ports.spool.remove(sealed.pack);
      return entered;
    }
    const { log } = this.#ports;
    log.write('debug', 'pack.stored', { pack: sealed.pack, bytes: sealed.bytes.length });
    this.#changes.notify();
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
    while (this.#waitingBytes > 0 && this.#waitingBytes + wantedBytes > this.#caps.spoolBytes) {
      if (signal.aborted)
        return failed({ code: 'backup.cancelled', detail: 'while the spool was full' });
      if (!this.#drains())
        return failed({
          code: 'spool.full',
          detail: `${this.#waitingBytes} bytes wait for partners, and none is there`,
        });
      await this.#changes.changed(signal);
    }
    return succeeded(undefined);
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
    if (!read.ok) return undefined;
    if (range === undefined && idOf<PackId>(sha256(read.value)) !== pack) {
      this.#ports.log.write('error', 'pack.rotten', { pack });
      return undefined;
    }
    return read.value;
  }

  /** Every shard of the pack is out: from now on it is cache. */
  released(row: PackRow): void {
    this.#waitingBytes -= row.lengthBytes;
    assert(this.#waitingBytes >= 0, 'only packs that waited are released');
    this.#changes.notify();
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

  #countWaiting(): number {
    const { stores } = this.#ports;
    const waiting = new Set(stores.shards.incompletePacks());
    return stores.packs
      .spooled()
      .filter((row) => waiting.has(row.pack))
      .reduce((sum, row) => sum + row.lengthBytes, 0);
  }
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
