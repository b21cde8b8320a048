/**
 * Extension attributes of a tree's entries: a CBOR map from entry number to a map from attribute key to value.
 *
 * It is the last column, and empty in most directories. Attributes that this version knows are checked; others are carried along unread.
 */
import { assert } from '../../base/assert.ts';
import { type Bytes, emptyBytes } from '../../base/bytes.ts';
import { type CborValue, decodeCbor, encodeCbor } from '../../base/codec.ts';
import { mebi } from '../../base/units.ts';
import { BadColumn } from './columns.ts';
import { extensionKeys, type HardLink, type TreeEntry } from './tree-entry.ts';

const extensionsMaximumBytes = 512 * mebi;
const uint64Limit: bigint = 1n << 64n;

export type EntryExtensions = Pick<TreeEntry, 'hardLink' | 'sparse' | 'extensions'>;
export type ExtensionsOf = ReadonlyMap<number, EntryExtensions>;

/** Empty when no entry has any. */
export function encodeExtensions(entries: readonly TreeEntry[]): Bytes {
  const byEntry = new Map<number, ReadonlyMap<number, CborValue>>();
  entries.forEach((entry, index) => {
    if (
      entry.hardLink === undefined &&
      entry.sparse === undefined &&
      entry.extensions === undefined
    )
      return;
    const attributes = attributesOf(entry);
    if (attributes.size > 0) byEntry.set(index, attributes);
  });
  return byEntry.size === 0 ? emptyBytes : encodeCbor(byEntry);
}

function attributesOf(entry: TreeEntry): ReadonlyMap<number, CborValue> {
  const attributes = new Map<number, CborValue>();
  if (entry.hardLink !== undefined)
    attributes.set(extensionKeys.hardLink, [entry.hardLink.device, entry.hardLink.inode]);
  if (entry.sparse === true) attributes.set(extensionKeys.sparse, true);
  for (const [key, value] of entry.extensions ?? []) {
    assert(Number.isSafeInteger(key) && key >= extensionKeys.xattrs, 'a key of the format');
    attributes.set(key, value);
  }
  return attributes;
}

export function readExtensions(bytes: Uint8Array, entryCount: number): ExtensionsOf {
  const byEntry = new Map<number, EntryExtensions>();
  if (bytes.length === 0) return byEntry;
  const decoded = decodeCbor(bytes, extensionsMaximumBytes);
  if (!decoded.ok || !(decoded.value instanceof Map) || decoded.value.size === 0)
    throw new BadColumn('extensions that are not a canonical map');
  for (const [index, attributes] of decoded.value as ReadonlyMap<CborValue, CborValue>) {
    if (typeof index !== 'number' || index < 0 || index >= entryCount)
      throw new BadColumn('extensions of an entry that is not there');
    if (!(attributes instanceof Map) || attributes.size === 0)
      throw new BadColumn('extensions of an entry that are not a map');
    byEntry.set(index, readAttributes(attributes));
  }
  return byEntry;
}

function readAttributes(attributes: ReadonlyMap<CborValue, CborValue>): EntryExtensions {
  const others = new Map<number, CborValue>();
  let known: EntryExtensions = {};
  for (const [key, value] of attributes) {
    if (typeof key !== 'number' || !Number.isSafeInteger(key) || key < 1)
      throw new BadColumn('an extension key that is no number');
    if (key === extensionKeys.hardLink) known = { ...known, hardLink: readHardLink(value) };
    else if (key !== extensionKeys.sparse) others.set(key, value);
    else if (value === true) known = { ...known, sparse: true };
    else throw new BadColumn('a sparse mark that is not true');
  }
  return others.size === 0 ? known : { ...known, extensions: others };
}

function readHardLink(value: CborValue): HardLink {
  if (!Array.isArray(value) || value.length !== 2)
    throw new BadColumn('a hard link has two fields');
  return { device: readUint64(value[0]), inode: readUint64(value[1]) };
}

function readUint64(value: CborValue | undefined): bigint {
  if (typeof value !== 'bigint' && !(typeof value === 'number' && Number.isSafeInteger(value)))
    throw new BadColumn('a device or an inode that is no integer');
  const number = BigInt(value);
  if (number < 0n || number >= uint64Limit) throw new BadColumn('an integer of more than 64 bits');
  return number;
}
