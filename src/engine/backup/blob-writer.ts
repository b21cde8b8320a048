/** Collects parts of a body into writes of many blocks, and makes them durable so often that little is sent twice. */
import { type Outcome, succeeded } from '../../base/outcome.ts';
import { blockBytes } from '../../core/vocabulary/limits.ts';
import type { BlobFailure, BlobStore } from '../../ports/blob-store.ts';

const writeBlocks = 16;
const syncBlocks = 256;

export class BlobWriter {
  readonly #store: BlobStore;
  readonly #blob: string;
  readonly #buffer = new Uint8Array(writeBlocks * blockBytes);
  #buffered = 0;
  #written: number;
  #unsynced = 0;

  constructor(store: BlobStore, blob: string, start: number) {
    this.#store = store;
    this.#blob = blob;
    this.#written = start;
  }

  /** Length of the blob once everything is written. */
  get end(): number {
    return this.#written + this.#buffered;
  }

  async add(part: Uint8Array): Promise<Outcome<void, BlobFailure>> {
    let rest = part;
    while (rest.length > 0) {
      const taken = Math.min(rest.length, this.#buffer.length - this.#buffered);
      this.#buffer.set(rest.subarray(0, taken), this.#buffered);
      this.#buffered += taken;
      rest = rest.subarray(taken);
      if (this.#buffered < this.#buffer.length) continue;
      const written = await this.flush();
      if (!written.ok) return written;
    }
    return succeeded(undefined);
  }

  async flush(): Promise<Outcome<void, BlobFailure>> {
    if (this.#buffered === 0) return succeeded(undefined);
    const bytes = this.#buffer.subarray(0, this.#buffered);
    const written = await this.#store.grow(this.#blob, this.#written, bytes);
    if (!written.ok) return written;
    this.#written += this.#buffered;
    this.#unsynced += this.#buffered;
    this.#buffered = 0;
    if (this.#unsynced < syncBlocks * blockBytes) return succeeded(undefined);
    this.#unsynced = 0;
    return await this.#store.sync(this.#blob);
  }
}
