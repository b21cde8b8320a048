/** A snapshot's tree from a place down, depth first, folders before what is in them. */
import type { Bytes } from '../../base/bytes.ts';
import { type Outcome, succeeded } from '../../base/outcome.ts';
import type { TreeEntry } from '../../core/scan/tree-entry.ts';
import type { ChunkId } from '../../core/vocabulary/ids.ts';
import type { RestoreFailure } from '../computer.ts';
import { joinPath } from '../restore/path-join.ts';
import type { TreeReader } from '../restore/tree-reader.ts';

export interface WalkedEntry {
  /** Below the place where the walk began. */
  readonly path: Bytes;
  readonly entry: TreeEntry;
}

/** Whether an entry is taken, and whether a folder is entered. */
export interface WalkChoice {
  readonly take: boolean;
  readonly enter: boolean;
}

export interface WalkOptions {
  readonly choose: (path: Bytes, entry: TreeEntry) => WalkChoice;
  /**
   * Called with each taken entry, and before it with the folders on the way to it that were not taken for themselves. Awaited, so that a slow
   * consumer holds the walk back.
   */
  readonly visit: (walked: WalkedEntry) => Promise<void>;
}

export function walkTree(
  reader: TreeReader,
  start: { readonly path: Bytes; readonly tree: readonly ChunkId[] },
  options: WalkOptions,
): Promise<Outcome<void, RestoreFailure>> {
  return new TreeWalk(reader, options).walk(start.path, start.tree);
}

class TreeWalk {
  readonly #reader: TreeReader;
  readonly #options: WalkOptions;
  /** Folders on the way that were not visited. */
  readonly #way: WalkedEntry[] = [];

  constructor(reader: TreeReader, options: WalkOptions) {
    this.#reader = reader;
    this.#options = options;
  }

  async walk(folder: Bytes, tree: readonly ChunkId[]): Promise<Outcome<void, RestoreFailure>> {
    const entries = await this.#reader.tree(tree);
    if (!entries.ok) return entries;
    for (const entry of entries.value) {
      const path = joinPath(folder, entry.name);
      const choice = this.#options.choose(path, entry);
      if (choice.take) await this.#visit({ path, entry });
      if (entry.kind !== 'directory' || !choice.enter) continue;
      const below = await this.#enter({ path, entry }, choice.take);
      if (!below.ok) return below;
    }
    return succeeded(undefined);
  }

  async #enter(walked: WalkedEntry, visited: boolean): Promise<Outcome<void, RestoreFailure>> {
    if (!visited) this.#way.push(walked);
    const below = await this.walk(walked.path, walked.entry.content);
    if (this.#way.at(-1) === walked) this.#way.pop();
    return below;
  }

  async #visit(walked: WalkedEntry): Promise<void> {
    for (const folder of this.#way.splice(0)) await this.#options.visit(folder);
    await this.#options.visit(walked);
  }
}
