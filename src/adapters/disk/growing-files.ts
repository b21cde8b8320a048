/**
 * Files that grow block by block while a shard comes in.
 *
 * Their descriptors stay open between calls, a bounded number of them; calls for one name run one after the other. A file found after a
 * restart counts with its whole length once it is synced. After a power cut some file systems show zeros at its end: whoever goes on there
 * compares the whole with its hash in the end, and begins anew when they differ.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { systemCode } from './durable-file.ts';

/** Enough for an upload from every partner at once; far below the usual limit of 1,024 descriptors. */
const openMaximum = 64;

interface Growing {
  readonly handle: FileHandle;
  written: number;
  durable: number;
}

interface Slot {
  growing: Growing | undefined;
  /** Calls that run or wait. */
  pending: number;
  tail: Promise<unknown>;
}

export class GrowingFiles {
  /** In order of last use. */
  readonly #slots = new Map<string, Slot>();

  /** Durable bytes of the file, 0 when there is none. */
  async durableBytes(path: string): Promise<number> {
    return this.#inTurn(path, async (slot) => (await opened(slot, path, 'r+'))?.durable ?? 0);
  }

  /** False when `offset` lies behind what was written. A write that fails is cut off again. */
  async write(path: string, offset: number, bytes: Uint8Array): Promise<boolean> {
    return this.#inTurn(path, async (slot) => {
      const growing = (await opened(slot, path, 'r+')) ?? (await created(slot, path, offset));
      if (growing === undefined || offset > growing.written) return false;
      if (offset < growing.written) await cutOff(growing, offset);
      try {
        await writeAll(growing.handle, offset, bytes);
      } catch (problem) {
        await cutOff(growing, offset);
        throw problem;
      }
      growing.written = offset + bytes.length;
      return true;
    });
  }

  /** False when there is no such file. */
  async sync(path: string): Promise<boolean> {
    return this.#inTurn(path, async (slot) => {
      const growing = await opened(slot, path, 'r+');
      if (growing !== undefined) await makeDurable(growing);
      return growing !== undefined;
    });
  }

  /** Syncs and closes the file, then does `last` (rename, remove) before any other call for it. */
  async release<T>(path: string, last: (found: boolean) => Promise<T>): Promise<T> {
    return this.#inTurn(path, async (slot) => {
      const growing = await opened(slot, path, 'r+');
      if (growing !== undefined) await closeSlot(slot);
      return last(growing !== undefined);
    });
  }

  async close(): Promise<void> {
    for (const path of [...this.#slots.keys()]) await this.#inTurn(path, closeSlot);
    this.#slots.clear();
  }

  async #inTurn<T>(path: string, work: (slot: Slot) => Promise<T>): Promise<T> {
    const slot = this.#slots.get(path) ?? {
      growing: undefined,
      pending: 0,
      tail: Promise.resolve(),
    };
    this.#slots.delete(path);
    this.#slots.set(path, slot);
    slot.pending += 1;
    const turn = slot.tail.then(() => work(slot));
    slot.tail = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      slot.pending -= 1;
      if (slot.growing === undefined && slot.pending === 0) this.#slots.delete(path);
      await this.#closeIdle();
    }
  }

  async #closeIdle(): Promise<void> {
    for (const [path, slot] of this.#slots) {
      if (this.#slots.size <= openMaximum) return;
      if (slot.pending > 0) continue;
      this.#slots.delete(path);
      // A call that comes meanwhile opens the file anew; both descriptors see the same bytes.
      await closeSlot(slot);
    }
  }
}

async function opened(slot: Slot, path: string, flags: 'r+' | 'wx+'): Promise<Growing | undefined> {
  if (slot.growing !== undefined) return slot.growing;
  try {
    const handle = await open(path, flags, 0o600);
    const { size } = await handle.stat();
    await handle.datasync();
    slot.growing = { handle, written: size, durable: size };
    return slot.growing;
  } catch (problem) {
    if (flags === 'r+' && systemCode(problem) === 'ENOENT') return undefined;
    throw problem;
  }
}

async function created(slot: Slot, path: string, offset: number): Promise<Growing | undefined> {
  return offset === 0 ? opened(slot, path, 'wx+') : undefined;
}

async function cutOff(growing: Growing, length: number): Promise<void> {
  await growing.handle.truncate(length);
  growing.written = length;
  growing.durable = Math.min(growing.durable, length);
}

async function writeAll(handle: FileHandle, offset: number, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const rest = bytes.length - done;
    const { bytesWritten } = await handle.write(bytes, done, rest, offset + done);
    done += bytesWritten;
  }
}

async function makeDurable(growing: Growing): Promise<void> {
  const { written } = growing;
  await growing.handle.sync();
  growing.durable = written;
}

async function closeSlot(slot: Slot): Promise<void> {
  const { growing } = slot;
  if (growing === undefined) return;
  slot.growing = undefined;
  try {
    await makeDurable(growing);
  } finally {
    await growing.handle.close();
  }
}
