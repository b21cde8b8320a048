/**
 * A disk in memory, for the simulator: the same behaviour as a folder of files, and what goes wrong with those.
 *
 * A crash loses a chosen part of what was grown and not synced, and cuts every store off that was open. The disk can be full, and bits on it can rot.
 * Given equal randomness it does the same every time.
 */
import { assert, present } from '../base/assert.ts';
import type { Bytes } from '../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../base/outcome.ts';
import type { BlobFailure, BlobRange, BlobStore } from '../ports/blob-store.ts';
import type { Random } from '../ports/random.ts';
import type { CommitHook } from './twin-table.ts';

export interface TwinDiskOptions {
  readonly random: Random;
  /** Unlimited when left out. */
  readonly capacityBytes?: number;
  /** Called around every step that changes the disk; throwing before it leaves the step undone. */
  readonly onWrite?: CommitHook;
}

interface GrowingBlob {
  /** `written` of these bytes count. */
  readonly bytes: Bytes;
  readonly written: number;
  readonly durable: number;
}

/** Thrown by every call to a store whose computer has crashed. */
export class DiskDetached extends Error {
  override readonly name = 'DiskDetached';
}

export class TwinDisk {
  readonly #options: TwinDiskOptions;
  readonly #whole = new Map<string, Bytes>();
  readonly #growing = new Map<string, GrowingBlob>();
  #capacityBytes: number;
  #attachment = 0;

  constructor(options: TwinDiskOptions) {
    this.#options = options;
    this.#capacityBytes = options.capacityBytes ?? Number.MAX_SAFE_INTEGER;
  }

  /** The disk as a running computer sees it, until the next crash. `pause`: how long each call takes. */
  attach(pause: () => Promise<void> = () => Promise.resolve()): BlobStore {
    return new AttachedDisk(this, this.#attachment, pause);
  }

  /** Ends all attachments; of what was not synced, a part of each growing blob is lost. */
  crash(): void {
    this.#attachment += 1;
    for (const [name, { bytes, written, durable }] of this.#growing) {
      const kept = durable + this.#below(written - durable + 1);
      if (kept === 0) this.#growing.delete(name);
      else this.#growing.set(name, { bytes, written: kept, durable: kept });
    }
  }

  /** Flips one bit of a whole blob, which one is left to chance. */
  rot(name: string): void {
    const bytes = new Uint8Array(present(this.#whole.get(name), 'a blob that rots is there'));
    const position = this.#below(bytes.length);
    bytes[position] = (bytes[position] ?? 0) ^ (1 << this.#below(8));
    this.#whole.set(name, bytes);
  }

  /** As if somebody had deleted the file. */
  lose(name: string): void {
    this.#whole.delete(name);
  }

  setCapacity(capacityBytes: number): void {
    this.#capacityBytes = capacityBytes;
  }

  usedBytes(): number {
    let total = 0;
    for (const bytes of this.#whole.values()) total += bytes.length;
    for (const { written } of this.#growing.values()) total += written;
    return total;
  }

  assertAttached(attachment: number): void {
    if (attachment !== this.#attachment) throw new DiskDetached('the computer has crashed');
  }

  freeBytes(): number {
    return Math.max(0, this.#capacityBytes - this.usedBytes());
  }

  whole(name: string): Bytes | undefined {
    return this.#whole.get(name);
  }

  wholeNames(): string[] {
    return [...this.#whole.keys()].sort();
  }

  growingNames(): string[] {
    return [...this.#growing.keys()].sort();
  }

  growing(name: string): GrowingBlob | undefined {
    return this.#growing.get(name);
  }

  setWhole(name: string, bytes: Bytes): void {
    this.#step('blob.write', () => this.#whole.set(name, bytes));
  }

  setGrowing(label: string, name: string, blob: GrowingBlob): void {
    this.#step(label, () => this.#growing.set(name, blob));
  }

  finish(name: string, bytes: Bytes): void {
    this.#step('blob.finish', () => {
      this.#growing.delete(name);
      this.#whole.set(name, bytes);
    });
  }

  remove(name: string): void {
    this.#step('blob.remove', () => {
      this.#growing.delete(name);
      this.#whole.delete(name);
    });
  }

  #step(label: string, change: () => void): void {
    this.#options.onWrite?.(label, 'before');
    change();
    this.#options.onWrite?.(label, 'after');
  }

  /** A number from 0 to `limit` − 1; its bias is far below anything a simulation sees. */
  #below(limit: number): number {
    const bytes = this.#options.random.bytes(6);
    const drawn = bytes.reduce((number, value) => number * 256 + value, 0);
    return drawn % limit;
  }
}

class AttachedDisk implements BlobStore {
  readonly #disk: TwinDisk;
  readonly #attachment: number;
  readonly #pause: () => Promise<void>;

  constructor(disk: TwinDisk, attachment: number, pause: () => Promise<void>) {
    this.#disk = disk;
    this.#attachment = attachment;
    this.#pause = pause;
  }

  async write(name: string, bytes: Uint8Array): Promise<Outcome<void, BlobFailure>> {
    await this.#turn(name);
    // The blob that is replaced stands until the new one is whole.
    if (bytes.length > this.#disk.freeBytes()) return failed(noSpace(name));
    this.#disk.setWhole(name, new Uint8Array(bytes));
    return succeeded(undefined);
  }

  async grown(name: string): Promise<number> {
    await this.#turn(name);
    return this.#disk.growing(name)?.durable ?? 0;
  }

  async grow(name: string, offset: number, bytes: Uint8Array): Promise<Outcome<void, BlobFailure>> {
    const own = new Uint8Array(bytes);
    await this.#turn(name);
    const found = this.#disk.growing(name) ?? { bytes: new Uint8Array(0), written: 0, durable: 0 };
    if (offset > found.written)
      return failed({ code: 'blob.range', detail: `${name} has not grown to ${offset} yet` });
    const durable = Math.min(found.durable, offset);
    const cut = { bytes: found.bytes, written: offset, durable };
    const written = offset + own.length;
    if (written - found.written > this.#disk.freeBytes()) {
      if (this.#disk.growing(name) !== undefined) this.#disk.setGrowing('blob.grow', name, cut);
      return failed(noSpace(name));
    }
    const room = roomFor(found, offset, written);
    room.set(own, offset);
    this.#disk.setGrowing('blob.grow', name, { bytes: room, written, durable });
    return succeeded(undefined);
  }

  async sync(name: string): Promise<Outcome<void, BlobFailure>> {
    await this.#turn(name);
    const found = this.#disk.growing(name);
    if (found === undefined) return failed(notGrowing(name));
    this.#disk.setGrowing('blob.sync', name, { ...found, durable: found.written });
    return succeeded(undefined);
  }

  async finish(name: string): Promise<Outcome<void, BlobFailure>> {
    await this.#turn(name);
    const found = this.#disk.growing(name);
    if (found === undefined) return failed(notGrowing(name));
    this.#disk.finish(name, found.bytes.slice(0, found.written));
    return succeeded(undefined);
  }

  async read(name: string, range?: BlobRange): Promise<Outcome<Bytes, BlobFailure>> {
    await this.#turn(name);
    const bytes = this.#disk.whole(name);
    if (bytes === undefined) return failed({ code: 'blob.missing', detail: `no blob ${name}` });
    const offset = range?.offset ?? 0;
    const length = range?.length ?? bytes.length;
    if (offset < 0 || length < 0 || offset + length > bytes.length)
      return failed({ code: 'blob.range', detail: `${name} has no bytes ${offset} + ${length}` });
    return succeeded(bytes.slice(offset, offset + length));
  }

  async size(name: string): Promise<number | undefined> {
    await this.#turn(name);
    return this.#disk.whole(name)?.length;
  }

  async list(prefix: string): Promise<readonly string[]> {
    await this.#turn(prefix === '' ? 'all' : prefix.replace(/\/$/, ''));
    assert(prefix === '' || prefix.endsWith('/'), 'a prefix is empty or a folder with its slash');
    return this.#disk.wholeNames().filter((name) => name.startsWith(prefix));
  }

  async listGrowing(prefix: string): Promise<readonly string[]> {
    await this.#turn(prefix === '' ? 'all' : prefix.replace(/\/$/, ''));
    assert(prefix === '' || prefix.endsWith('/'), 'a prefix is empty or a folder with its slash');
    return this.#disk.growingNames().filter((name) => name.startsWith(prefix));
  }

  async remove(name: string): Promise<Outcome<void, BlobFailure>> {
    await this.#turn(name);
    this.#disk.remove(name);
    return succeeded(undefined);
  }

  async freeBytes(): Promise<number> {
    this.#disk.assertAttached(this.#attachment);
    return this.#disk.freeBytes();
  }

  /** What every call begins with. */
  async #turn(name: string): Promise<void> {
    this.#disk.assertAttached(this.#attachment);
    assert(isBlobName(name), `a blob is named by lower-case parts, not ${JSON.stringify(name)}`);
    await this.#pause();
    this.#disk.assertAttached(this.#attachment);
  }
}

function isBlobName(name: string): boolean {
  const parts = name.split('/');
  return parts.length <= 3 && parts.every((part) => /^[a-z0-9][a-z0-9.-]{0,199}$/.test(part));
}

/** A buffer with the first `kept` bytes, at least `length` long; it doubles, so that growing by blocks costs little. */
function roomFor(found: GrowingBlob, kept: number, length: number): Bytes {
  const { bytes } = found;
  if (length <= bytes.length && kept >= found.written) return bytes;
  const room = new Uint8Array(Math.max(length, bytes.length * 2));
  room.set(bytes.subarray(0, kept));
  return room;
}

function noSpace(name: string): BlobFailure {
  return { code: 'blob.no-space', detail: `no room for ${name}` };
}

function notGrowing(name: string): BlobFailure {
  return { code: 'blob.missing', detail: `${name} is not growing` };
}
