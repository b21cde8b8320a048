/**
 * One entry of a tree: what a file system keeps about one name in one directory (C44).
 *
 * Names and link targets are raw bytes, for file systems do not promise UTF-8. What only some entries have stands in extensions, keyed by
 * small integers, so that a later version can keep more about an entry, and an older one carries along what it does not know.
 */
import type { Bytes } from '../../base/bytes.ts';
import type { CborValue } from '../../base/codec.ts';
import type { ChunkId } from '../vocabulary/ids.ts';

/** In the order of their numbers in the format. */
export const entryKinds = [
  'file',
  'directory',
  'symlink',
  'fifo',
  'socket',
  'block-device',
  'character-device',
] as const;

export type EntryKind = (typeof entryKinds)[number];

/** What tells the names of one file apart from the names of others: equal for every name of that file. */
export interface HardLink {
  readonly device: bigint;
  readonly inode: bigint;
}

/** Who owns an entry; the names are those of the computer that was backed up, where it knew them. */
export interface Ownership {
  /** 0 … 2^32 − 1. */
  readonly uid: number;
  readonly gid: number;
  readonly userName?: string;
  readonly groupName?: string;
}

export interface TreeEntry extends Ownership {
  /** 1 to 255 bytes; no `/`, no NUL, neither `.` nor `..`. */
  readonly name: Bytes;
  readonly kind: EntryKind;
  /** Twelve permission bits, set-uid, set-gid and sticky among them. */
  readonly mode: number;
  /** Nanoseconds since 1970-01-01T00:00:00Z; may be negative. */
  readonly modifiedNs: bigint;
  /** Length of a file; 0 for every other kind. */
  readonly sizeBytes: number;
  /** Of a file: its chunks in order. Of a directory: the chunks of its encoded tree, normally one. Empty otherwise. */
  readonly content: readonly ChunkId[];
  /** Of a symlink only: 1 to 65,535 bytes without NUL. */
  readonly target?: Bytes;
  /** Present when the file had more than one name. */
  readonly hardLink?: HardLink;
  /** True when the file had holes, and is to be written with holes. */
  readonly sparse?: boolean;
  /** Attributes with keys from `extensionKeys.xattrs` on; never empty. */
  readonly extensions?: ReadonlyMap<number, CborValue>;
}

/** Keys of extension attributes. The numbers are part of the format and are never used again for something else. */
export const extensionKeys = {
  hardLink: 1,
  sparse: 2,
  xattrs: 3,
  accessAcl: 4,
  defaultAcl: 5,
  inodeFlags: 6,
  sparseMap: 7,
  birthTime: 8,
  deviceNumbers: 9,
  projectId: 10,
} as const;

export const nameMaximumBytes = 255;
export const targetMaximumBytes = 65_535;
export const modeMaximum = 0o7777;
export const identityMaximum = 0xffff_ffff;

const slash = 0x2f;
const dot = 0x2e;

/** Whether a name can be created in a directory without leading anywhere else. */
export function safeName(name: Uint8Array): boolean {
  if (name.length === 0 || name.length > nameMaximumBytes) return false;
  if (name.includes(slash) || name.includes(0)) return false;
  return !(name[0] === dot && (name.length === 1 || (name.length === 2 && name[1] === dot)));
}

export function safeTarget(target: Uint8Array): boolean {
  return target.length > 0 && target.length <= targetMaximumBytes && !target.includes(0);
}
