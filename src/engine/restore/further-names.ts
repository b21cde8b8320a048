/**
 * Files with several names, as a restore meets them: one name gets the contents, the others join it (C44).
 *
 * A name that stands already, because an earlier run of the restore was broken off, is joined too, if the file has the right contents.
 */
import { type Bytes, concatBytes, hexText } from '../../base/bytes.ts';
import type { TreeEntry } from '../../core/scan/tree-entry.ts';
import { bytesOf } from '../../core/vocabulary/ids.ts';
import type { RestoreTarget } from '../../ports/restore-target.ts';
import { sha256 } from '../../primitives/hash.ts';
import type { WalkedEntry } from '../backup/tree-walk.ts';

export class FurtherNames {
  readonly #target: RestoreTarget;
  /** The name that others join, by file. */
  readonly #first = new Map<string, Bytes>();
  /** A name that was left as it stands, by file; not yet compared. */
  readonly #standing = new Map<string, WalkedEntry>();

  constructor(target: RestoreTarget) {
    this.#target = target;
  }

  /** This name stays as it stands. */
  leftStanding(walked: WalkedEntry): void {
    const key = linkKey(walked.entry);
    if (key !== undefined && !this.#standing.has(key)) this.#standing.set(key, walked);
  }

  /** Looks which files of these, that are to be written, stand under another name already. */
  async compare(wanted: readonly WalkedEntry[]): Promise<void> {
    const met = new Map<string, WalkedEntry>();
    for (const { entry } of wanted) {
      const key = linkKey(entry);
      const standing = key === undefined ? undefined : this.#standing.get(key);
      if (key === undefined || standing === undefined || this.#first.has(key)) continue;
      met.set(key, standing);
      this.#standing.delete(key);
    }
    const holds = await this.#target.holds([...met.values()].map(contentOf));
    [...met].forEach(([key, { path }], index) => {
      if (holds[index] === true) this.#first.set(key, path);
    });
  }

  /** Whether this name gets the contents; the first of a file that is asked about does. */
  isFirst({ path, entry }: WalkedEntry): boolean {
    const key = linkKey(entry);
    if (key === undefined) return true;
    const first = this.#first.get(key);
    if (first === undefined) this.#first.set(key, path);
    return first === undefined;
  }

  /** The name that this one joins; undefined when it has the contents itself. */
  joined({ path, entry }: WalkedEntry): Bytes | undefined {
    const key = linkKey(entry);
    const first = key === undefined ? undefined : this.#first.get(key);
    return first === path ? undefined : first;
  }
}

/** What a file holds, as a target compares it. */
export function contentOf({ path, entry }: WalkedEntry): {
  readonly path: Bytes;
  readonly chunkIds: Bytes;
  readonly size: number;
} {
  return { path, chunkIds: concatBytes(entry.content.map(bytesOf)), size: entry.sizeBytes };
}

/** With the contents: a number of an inode may have been given to another file while the backup was under way. */
function linkKey({ hardLink, content, sizeBytes }: TreeEntry): string | undefined {
  if (hardLink === undefined) return undefined;
  const what = hexText(sha256(...content.map(bytesOf)));
  return `${hardLink.device}:${hardLink.inode}:${sizeBytes}:${what}`;
}
