/** What a partner says it holds for the asker, page by page: the owner decrypts the names, and so learns which shards these are. */
import { assert } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import {
  type DocumentFailure,
  decodeDocument,
  encodeDocument,
  type FieldReader,
} from '../../base/document.ts';
import type { Outcome } from '../../base/outcome.ts';
import { hashBytes } from '../../primitives/hash.ts';
import { bytesOf, idOf, type ShardName, shardNameBytes } from '../vocabulary/ids.ts';
import { messageMaximumBytes } from '../vocabulary/limits.ts';
import { blocksMaximum } from './blocks.ts';

export interface InventoryEntry {
  readonly name: ShardName;
  readonly blockCount: number;
  /** As it was acknowledged, 32 bytes. */
  readonly merkleRoot: Bytes;
}

export interface InventoryPage {
  /** In rising order of names. */
  readonly entries: readonly InventoryEntry[];
  /** The next page is asked for after the last name of this one. */
  readonly more: boolean;
}

/** A page of so many entries keeps to the limit of messages. */
export const inventoryPageEntries = 1_000;

const kind = { magic: 'covault/inventory', version: 1, limitBytes: messageMaximumBytes };

export function encodeInventory(page: InventoryPage): Bytes {
  assert(page.entries.length <= inventoryPageEntries, 'a page keeps to its limit');
  assert(!page.more || page.entries.length > 0, 'only a page with a last name has a next one');
  return encodeDocument(kind, [
    page.entries.map(({ name, blockCount, merkleRoot }) => [bytesOf(name), blockCount, merkleRoot]),
    page.more,
  ]);
}

export function decodeInventory(bytes: Uint8Array): Outcome<InventoryPage, DocumentFailure> {
  return decodeDocument(kind, bytes, readPage);
}

function readPage(fields: FieldReader): InventoryPage {
  let previous = '';
  const entries = fields.list(inventoryPageEntries, (list) =>
    list.record((entry) => {
      const name = idOf<ShardName>(entry.fixed(shardNameBytes));
      entry.require(name > previous, 'names that rise');
      previous = name;
      const blockCount = entry.uint(blocksMaximum);
      return { name, blockCount, merkleRoot: entry.fixed(hashBytes) };
    }),
  );
  const more = fields.flag();
  // Otherwise a liar could keep the asker turning the same page.
  fields.require(!more || entries.length > 0, 'a page with a last name before a next one');
  return { entries, more };
}
