/**
 * The packs that are being filled: one for each kind of contents, each followed by the next when it is full.
 *
 * Every pack gets a salt of its own when it is begun. What was not finished when a computer stops is lost with its salt and packed again.
 */
import type { Bytes } from '../../base/bytes.ts';
import type { Suite } from '../vocabulary/suite.ts';
import type { PackKind } from './pack-header.ts';
import { PackWriter, type SealedPack } from './pack-writer.ts';

export interface OpenPacksOptions {
  readonly packKey: Uint8Array;
  readonly suite: Suite;
  readonly compressionLevel: number;
  /** 32 random bytes, new ones for every call. */
  readonly salt: () => Bytes;
}

export class OpenPacks {
  readonly #options: OpenPacksOptions;
  readonly #writers = new Map<PackKind, PackWriter>();

  constructor(options: OpenPacksOptions) {
    this.#options = options;
  }

  /** Adds a chunk; gives the pack if that made it full. The bytes are copied or used up before this returns. */
  add(kind: PackKind, id: Uint8Array, chunk: Uint8Array): SealedPack | undefined {
    let writer = this.#writers.get(kind);
    if (writer === undefined) {
      const { packKey, suite, compressionLevel, salt } = this.#options;
      writer = new PackWriter({ packKey, suite, kind, salt: salt(), compressionLevel });
      this.#writers.set(kind, writer);
    }
    writer.add(id, chunk);
    if (!writer.isFull()) return undefined;
    this.#writers.delete(kind);
    return writer.finish({ pad: false });
  }

  /** Finishes every pack that was begun, padded. */
  flush(): readonly SealedPack[] {
    const packs = [...this.#writers.values()].map((writer) => writer.finish({ pad: true }));
    this.#writers.clear();
    return packs;
  }
}
