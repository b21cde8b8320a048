/**
 * What uploads that broke off left behind (C36): kept to be gone on with, but few, and counted like everything else that an owner takes.
 *
 * An owner that begins and never finishes must not fill the disk beside its quota, not over restarts either.
 */
import { emptyBytes } from '../../base/bytes.ts';
import type { BlobStore } from '../../ports/blob-store.ts';

/** An owner sends one shard after the other, so more uploads to go on with are hardly of use to it. */
const keptMaximum = 4;

/** Keeps uploads off a file until what is given is called; undefined when one is under way. */
export type Claim = (blob: string) => (() => void) | undefined;

export class UnfinishedUploads {
  readonly #held: BlobStore;
  readonly #claim: Claim;
  /** Their bytes, those that broke off first in front. */
  readonly #bytes = new Map<string, number>();
  #found: Promise<void> | undefined;

  constructor(held: BlobStore, claim: Claim) {
    this.#held = held;
    this.#claim = claim;
  }

  /** Looks, once, for what was left behind before this computer was started. */
  async ready(): Promise<void> {
    this.#found ??= this.#find();
    try {
      await this.#found;
    } catch (reason) {
      this.#found = undefined;
      throw reason;
    }
  }

  /** Takes note of what an upload that ended badly left behind. */
  async note(blob: string): Promise<void> {
    const bytes = await this.#held.grown(blob);
    this.#bytes.delete(blob);
    if (bytes > 0) this.#bytes.set(blob, bytes);
  }

  forget(blob: string): void {
    this.#bytes.delete(blob);
  }

  /** Removes the oldest in a folder until what is left takes at most so many bytes. Those under way do not count: the room for them is reserved whole. */
  async keepWithin(folder: string, mostBytes: number): Promise<void> {
    const theirs = [...this.#bytes].filter(
      ([blob]) => blob.startsWith(folder) && this.#isFree(blob),
    );
    let count = theirs.length;
    let bytes = theirs.reduce((sum, [, size]) => sum + size, 0);
    for (const [blob, size] of theirs) {
      if (count <= keptMaximum && bytes <= mostBytes) return;
      count -= 1;
      bytes -= size;
      await this.#removeFree(blob);
    }
  }

  #isFree(blob: string): boolean {
    const release = this.#claim(blob);
    release?.();
    return release !== undefined;
  }

  /** It may be under way by now, and none begins while it is being removed. */
  async #removeFree(blob: string): Promise<void> {
    const release = this.#claim(blob);
    if (release === undefined) return;
    try {
      this.#bytes.delete(blob);
      await this.#remove(blob);
    } finally {
      release();
    }
  }

  async #find(): Promise<void> {
    for (const blob of await this.#held.listGrowing('')) await this.note(blob);
  }

  /** Leaves a whole blob of this name alone. */
  async #remove(blob: string): Promise<void> {
    if ((await this.#held.size(blob)) === undefined) await this.#held.remove(blob);
    else await this.#held.grow(blob, 0, emptyBytes);
  }
}
