/**
 * A file system in memory: what a simulated computer backs up and restores into.
 *
 * It keeps what covault keeps of a real one: inodes with several names, links, special files, owners, modes and times in nanoseconds, names that
 * are no text. Paths are absolute texts with one character for every byte (`textOfBytes`). Time comes from the caller.
 */
import { assert, present } from '../base/assert.ts';
import { type Bytes, emptyBytes } from '../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../base/outcome.ts';
import type { ScanSource, SourceFailure } from '../core/scan/scan-source.ts';
import { textOfBytes } from '../core/scan/stat-columns.ts';
import type { EntryKind } from '../core/scan/tree-entry.ts';

/** What stands behind one or more names. */
export interface SimNode {
  readonly kind: EntryKind;
  readonly inode: bigint;
  device: bigint;
  mode: number;
  uid: number;
  gid: number;
  mtimeNs: bigint;
  ctimeNs: bigint;
  readonly birthNs: bigint;
  linkCount: number;
  /** Of a file. */
  bytes: Bytes;
  /** Of a symbolic link. */
  readonly target: Bytes;
  /** Of a directory. */
  readonly children: Map<string, SimNode>;
  /** Nothing in it can be read. */
  isDenied: boolean;
}

const typeBits: Readonly<Record<EntryKind, number>> = {
  file: 0o100000,
  directory: 0o040000,
  symlink: 0o120000,
  fifo: 0o010000,
  socket: 0o140000,
  'block-device': 0o060000,
  'character-device': 0o020000,
};

const linksFollowedMaximum = 40;

export class SimTree {
  readonly #now: () => bigint;
  readonly #top: SimNode;
  #nextInode = 2n;

  /** `now` gives nanoseconds since 1970. */
  constructor(now: () => bigint) {
    this.#now = now;
    this.#top = this.#newNode('directory', {});
  }

  /** What stands at a path; a link itself, not what it leads to. Links on the way are followed. */
  find(path: string): SimNode | undefined {
    const outcome = this.#walk(path, false);
    return outcome.ok ? outcome.value : undefined;
  }

  makeFolder(path: string): SimNode {
    const standing = this.find(path);
    if (standing?.kind === 'directory') return standing;
    return this.#insert(path, this.#newNode('directory', {}));
  }

  /** Makes the file, or replaces what is in it. */
  writeFile(path: string, bytes: Bytes): SimNode {
    const standing = this.find(path);
    if (standing === undefined) return this.#insert(path, this.#newNode('file', { bytes }));
    assert(standing.kind === 'file', 'only files are written');
    standing.bytes = bytes;
    standing.mtimeNs = this.#now();
    standing.ctimeNs = standing.mtimeNs;
    return standing;
  }

  makeSymlink(path: string, target: Bytes): SimNode {
    return this.#insert(path, this.#newNode('symlink', { target }));
  }

  makeSpecial(path: string, kind: EntryKind): SimNode {
    return this.#insert(path, this.#newNode(kind, {}));
  }

  /** A further name for a file. */
  link(existing: string, path: string): SimNode {
    const node = present(this.find(existing), 'the file that gets a further name');
    node.linkCount += 1;
    return this.#insert(path, node);
  }

  /** Moves what stands at `from` over whatever stands at `to`. */
  rename(from: string, to: string): void {
    const node = present(this.find(from), 'what is renamed');
    if (this.find(to) !== undefined) this.remove(to);
    this.#folderOf(from).children.delete(lastName(from));
    this.#insert(to, node);
  }

  /** Removes a name with everything below it. */
  remove(path: string): void {
    const folder = this.#folderOf(path);
    const node = present(folder.children.get(lastName(path)), 'what is removed');
    node.linkCount -= 1;
    folder.children.delete(lastName(path));
    folder.mtimeNs = this.#now();
  }

  /** Changes what stands at a path; its change time becomes now. */
  change(
    path: string,
    values: Partial<Pick<SimNode, 'mode' | 'uid' | 'gid' | 'mtimeNs' | 'device' | 'isDenied'>>,
  ): void {
    const node = present(this.find(path), 'what is changed');
    Object.assign(node, values);
    node.ctimeNs = this.#now();
  }

  /** This tree as a scan sees it. */
  readonly source: ScanSource = {
    list: (folder) => this.#list(folder),
    stat: (path, numbers, offset) => {
      const node = this.#walk(path, false);
      if (!node.ok) return node.error;
      numbers.set(rowOf(node.value), offset);
      return undefined;
    },
    target: (path) => {
      const node = this.#walk(path, false);
      return node.ok ? succeeded(node.value.target) : node;
    },
    start: (path, limit) => {
      const bytes = this.read(path);
      return bytes.ok ? succeeded(bytes.value.slice(0, limit)) : bytes;
    },
    realPath: (path) => this.#realPath(path, 0),
  };

  /** The bytes of a file as they are now; a link is not followed. */
  read(path: string): Outcome<Bytes, SourceFailure> {
    const node = this.#walk(path, false);
    if (!node.ok) return node;
    if (node.value.isDenied) return failed({ problem: 'unreadable', detail: 'EACCES' });
    if (node.value.kind === 'symlink') return failed({ problem: 'unreadable', detail: 'ELOOP' });
    return succeeded(node.value.bytes);
  }

  #list(folder: string): Outcome<string[], SourceFailure> {
    const node = this.#walk(folder, true);
    if (!node.ok) return node;
    if (node.value.kind !== 'directory') return failed({ problem: 'vanished', detail: 'ENOTDIR' });
    if (node.value.isDenied) return failed({ problem: 'unreadable', detail: 'EACCES' });
    return succeeded([...node.value.children.keys()]);
  }

  #walk(path: string, followsLast: boolean): Outcome<SimNode, SourceFailure> {
    const names = namesOf(path);
    const name = names.at(-1);
    if (name === undefined) return succeeded(this.#top);
    const folder = this.#realPath(followsLast ? path : `/${names.slice(0, -1).join('/')}`, 0);
    if (!folder.ok) return folder;
    const node = this.#at(folder.value);
    const found = followsLast ? node : node?.children.get(name);
    return found === undefined
      ? failed({ problem: 'vanished', detail: 'ENOENT' })
      : succeeded(found);
  }

  /** What stands at a path without links on its way. */
  #at(realPath: string): SimNode | undefined {
    let node: SimNode | undefined = this.#top;
    for (const name of namesOf(realPath)) node = node?.children.get(name);
    return node;
  }

  #realPath(path: string, followed: number): Outcome<string, SourceFailure> {
    if (followed > linksFollowedMaximum) return failed({ problem: 'unreadable', detail: 'ELOOP' });
    const reached: string[] = [];
    const names = namesOf(path);
    for (const [index, name] of names.entries()) {
      if (name === '..') reached.pop();
      if (name === '..' || name === '.') continue;
      const node = this.#at(`/${[...reached, name].join('/')}`);
      if (node === undefined) return failed({ problem: 'vanished', detail: 'ENOENT' });
      if (node.kind === 'symlink') {
        const target = textOfBytes(node.target);
        const base = target.startsWith('/') ? '' : `/${reached.join('/')}`;
        const rest = names.slice(index + 1).join('/');
        return this.#realPath(`${base}/${target}/${rest}`, followed + 1);
      }
      reached.push(name);
    }
    return succeeded(`/${reached.join('/')}`);
  }

  #folderOf(path: string): SimNode {
    const folder = this.#walk(`/${namesOf(path).slice(0, -1).join('/')}`, true);
    assert(folder.ok && folder.value.kind === 'directory', 'a name stands in a folder');
    return folder.value;
  }

  #insert(path: string, node: SimNode): SimNode {
    const folder = this.#folderOf(path);
    assert(!folder.children.has(lastName(path)), 'nothing stands at the new name');
    folder.children.set(lastName(path), node);
    folder.mtimeNs = this.#now();
    folder.ctimeNs = folder.mtimeNs;
    return node;
  }

  #newNode(kind: EntryKind, own: Partial<Pick<SimNode, 'bytes' | 'target'>>): SimNode {
    const now = this.#now();
    this.#nextInode += 1n;
    return {
      kind,
      inode: this.#nextInode,
      device: 1n,
      mode: kind === 'directory' ? 0o755 : 0o644,
      uid: 1000,
      gid: 1000,
      mtimeNs: now,
      ctimeNs: now,
      birthNs: now,
      linkCount: 1,
      bytes: own.bytes ?? emptyBytes,
      target: own.target ?? emptyBytes,
      children: new Map(),
      isDenied: false,
    };
  }
}

/** The numbers of a node in the order of `statFields`. */
function rowOf(node: SimNode): bigint[] {
  const size = BigInt(node.kind === 'symlink' ? node.target.length : node.bytes.length);
  return [
    BigInt(typeBits[node.kind] | node.mode),
    BigInt(node.uid),
    BigInt(node.gid),
    size,
    node.mtimeNs,
    node.ctimeNs,
    node.inode,
    node.device,
    BigInt(node.linkCount),
    0n,
    node.birthNs,
    (size + 511n) / 512n,
  ];
}

function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '');
}

function lastName(path: string): string {
  return present(namesOf(path).at(-1), 'a path below the top');
}
