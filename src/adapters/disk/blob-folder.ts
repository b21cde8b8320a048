/**
 * Blobs as files of a folder (DESIGN §6: `spool/`, `held/`).
 *
 * A whole blob is written beside its place, synced and renamed, so its name never shows half of it. What a crash left unfinished is swept away when
 * the folder is opened; blobs that grow stay, to be carried on.
 */
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Bytes } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import type { BlobFailure, BlobRange, BlobStore } from '../../ports/blob-store.ts';
import {
  assertBlobName,
  assertBlobPrefix,
  growingEnding,
  isBlobName,
  unfinishedMark,
} from './blob-name.ts';
import { isNoSpace, privateFileMode, privateFolderMode, systemCode } from './durable-file.ts';
import { GrowingFiles } from './growing-files.ts';

export interface BlobFolder extends BlobStore {
  /** Closes what is open; growing blobs stay. */
  close(): Promise<void>;
}

/** Makes the folder when there is none. Throws what the system throws when it cannot be read. */
export async function openBlobFolder(path: string): Promise<BlobFolder> {
  await mkdir(path, { recursive: true, mode: privateFolderMode });
  for (const file of await filesBelow(path, ''))
    if (file.includes(unfinishedMark)) await rm(join(path, file), { force: true });
  return new Folder(path);
}

class Folder implements BlobFolder {
  readonly #root: string;
  readonly #growing = new GrowingFiles();
  readonly #madeFolders = new Set<string>();
  #writeCount = 0;

  constructor(root: string) {
    this.#root = root;
  }

  async write(name: string, bytes: Uint8Array): Promise<Outcome<void, BlobFailure>> {
    assertBlobName(name);
    this.#writeCount += 1;
    const path = this.#pathOf(name);
    const unfinished = `${path}${unfinishedMark}${this.#writeCount}`;
    return outcomeOf(async () => {
      await this.#makeFolderOf(path);
      try {
        await writeSynced(unfinished, bytes);
        await rename(unfinished, path);
      } catch (problem) {
        await rm(unfinished, { force: true });
        throw problem;
      }
      await syncFolder(dirname(path));
    });
  }

  async grown(name: string): Promise<number> {
    assertBlobName(name);
    return this.#growing.durableBytes(this.#growingPathOf(name));
  }

  async grow(name: string, offset: number, bytes: Uint8Array): Promise<Outcome<void, BlobFailure>> {
    assertBlobName(name);
    const path = this.#growingPathOf(name);
    const outcome = await outcomeOf(async () => {
      await this.#makeFolderOf(path);
      return this.#growing.write(path, offset, bytes);
    });
    if (!outcome.ok) return outcome;
    if (outcome.value) return succeeded(undefined);
    return failed({ code: 'blob.range', detail: `${name} has not grown to ${offset} yet` });
  }

  async sync(name: string): Promise<Outcome<void, BlobFailure>> {
    assertBlobName(name);
    const path = this.#growingPathOf(name);
    const outcome = await outcomeOf(async () => {
      const found = await this.#growing.sync(path);
      if (found) await syncFolder(dirname(path));
      return found;
    });
    return existing(name, outcome);
  }

  async finish(name: string): Promise<Outcome<void, BlobFailure>> {
    assertBlobName(name);
    const growingPath = this.#growingPathOf(name);
    const path = this.#pathOf(name);
    const outcome = await outcomeOf(() =>
      this.#growing.release(growingPath, async (found) => {
        if (!found) return false;
        await rename(growingPath, path);
        await syncFolder(dirname(path));
        return true;
      }),
    );
    return existing(name, outcome);
  }

  async read(name: string, range?: BlobRange): Promise<Outcome<Bytes, BlobFailure>> {
    assertBlobName(name);
    const outcome = await outcomeOf(async () => {
      const handle = await open(this.#pathOf(name), 'r');
      try {
        return await readRange(handle, range);
      } finally {
        await handle.close();
      }
    });
    if (!outcome.ok) return outcome;
    if (outcome.value !== undefined) return succeeded(outcome.value);
    const detail = `${name} has no bytes ${range?.offset} + ${range?.length}`;
    return failed({ code: 'blob.range', detail });
  }

  async size(name: string): Promise<number | undefined> {
    assertBlobName(name);
    try {
      const found = await stat(this.#pathOf(name));
      return found.isFile() ? found.size : undefined;
    } catch (problem) {
      if (isMissing(problem)) return undefined;
      throw problem;
    }
  }

  async list(prefix: string): Promise<readonly string[]> {
    assertBlobPrefix(prefix);
    const files = await filesBelow(this.#root, prefix);
    return files.filter(isBlobName).sort();
  }

  async listGrowing(prefix: string): Promise<readonly string[]> {
    assertBlobPrefix(prefix);
    const files = await filesBelow(this.#root, prefix);
    return files
      .filter((file) => file.endsWith(growingEnding))
      .map((file) => file.slice(0, -growingEnding.length))
      .filter(isBlobName)
      .sort();
  }

  async remove(name: string): Promise<Outcome<void, BlobFailure>> {
    assertBlobName(name);
    const path = this.#pathOf(name);
    const growingPath = this.#growingPathOf(name);
    return outcomeOf(() =>
      this.#growing.release(growingPath, async (found) => {
        const whole = await removed(path);
        if (found) await rm(growingPath, { force: true });
        if (whole || found) await syncFolder(dirname(path));
      }),
    );
  }

  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#root);
    return bavail * bsize;
  }

  async close(): Promise<void> {
    await this.#growing.close();
  }

  #pathOf(name: string): string {
    return join(this.#root, name);
  }

  #growingPathOf(name: string): string {
    return join(this.#root, `${name}${growingEnding}`);
  }

  /** The folder of a blob, durable in the folder that holds it. */
  async #makeFolderOf(path: string): Promise<void> {
    const folder = dirname(path);
    if (this.#madeFolders.has(folder)) return;
    const first = await mkdir(folder, { recursive: true, mode: privateFolderMode });
    for (let made = folder; first !== undefined; made = dirname(made)) {
      await syncFolder(dirname(made));
      if (made === first) break;
    }
    this.#madeFolders.add(folder);
  }
}

async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, 'wx', privateFileMode);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Undefined when the range is not inside the file. */
async function readRange(
  handle: FileHandle,
  range: BlobRange | undefined,
): Promise<Bytes | undefined> {
  const { size } = await handle.stat();
  const offset = range?.offset ?? 0;
  const length = range?.length ?? size;
  if (offset < 0 || length < 0 || offset + length > size) return undefined;
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await handle.read(bytes, done, length - done, offset + done);
    if (bytesRead === 0) return undefined;
    done += bytesRead;
  }
  return bytes;
}

/** Whether there was a file to remove. */
async function removed(path: string): Promise<boolean> {
  try {
    await rm(path);
    return true;
  } catch (problem) {
    if (isMissing(problem)) return false;
    throw problem;
  }
}

/** Paths of all files below `prefix`, relative to `root`. */
async function filesBelow(root: string, prefix: string): Promise<string[]> {
  const folder = join(root, prefix);
  const files: string[] = [];
  for (const entry of await entriesOf(folder)) {
    const path = `${prefix}${entry.name}`;
    if (entry.isDirectory()) files.push(...(await filesBelow(root, `${path}/`)));
    else files.push(path);
  }
  return files;
}

async function entriesOf(folder: string): ReturnType<typeof entriesIn> {
  try {
    return await entriesIn(folder);
  } catch (problem) {
    if (isMissing(problem)) return [];
    throw problem;
  }
}

function entriesIn(folder: string): Promise<{ name: string; isDirectory(): boolean }[]> {
  return readdir(folder, { withFileTypes: true });
}

function isMissing(problem: unknown): boolean {
  return systemCode(problem) === 'ENOENT';
}

/** Whatever the system refuses becomes a failure; anything else is a mistake of ours and stays thrown. */
async function outcomeOf<T>(work: () => Promise<T>): Promise<Outcome<T, BlobFailure>> {
  try {
    return succeeded(await work());
  } catch (problem) {
    if (systemCode(problem) === undefined || !(problem instanceof Error)) throw problem;
    if (isMissing(problem)) return failed({ code: 'blob.missing', detail: problem.message });
    const code = isNoSpace(problem) ? 'blob.no-space' : 'blob.input-output';
    return failed({ code, detail: problem.message });
  }
}

function existing(
  name: string,
  outcome: Outcome<boolean, BlobFailure>,
): Outcome<void, BlobFailure> {
  if (!outcome.ok) return outcome;
  if (outcome.value) return succeeded(undefined);
  return failed({ code: 'blob.missing', detail: `${name} is not growing` });
}
