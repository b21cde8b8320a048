/** A page of the shards that a partner holds for the owner who asks: what placement is rebuilt from after total loss. */
import type { Bytes } from '../../base/bytes.ts';
import { type DocumentFailure, decodeDocument, encodeDocument } from '../../base/document.ts';
import type { Outcome } from '../../base/outcome.ts';
import { hashBytes } from '../../primitives/hash.ts';
import { bytesOf, idOf, type ShardName, shardNameBytes } from '../vocabulary/ids.ts';
import { messageMaximumBytes } from '../vocabulary/limits.ts';
import { blocksMaximum } from './blocks.ts';

export interface InventoryEntry {
  readonly name: ShardName;
  readonly blockCount: number;
  /** Merkle root over the SHA-256 of its blocks, 32 bytes. */
  readonly merkleRoot: Bytes;
}

export interface InventoryPage {
  /** In the order of their names. */
  readonly entries: readonly InventoryEntry[];
  /** There are more after the last of these. */
  readonly more: boolean;
}

export const inventoryPageEntries = 1_000;

const kind = { magic: 'covault/inventory', version: 1, limitBytes: messageMaximumBytes };

export function encodeInventory(page: InventoryPage): Bytes {
  return encodeDocument(kind, [
    page.entries.map(({ name, blockCount, merkleRoot }) => [bytesOf(name), blockCount, merkleRoot]),
    page.more,
  ]);
}

export function decodeInventory(bytes: Uint8Array): Outcome<InventoryPage, DocumentFailure> {
  return decodeDocument(kind, bytes, (fields) => {
    let previous = '';
    const entries = fields.list(inventoryPageEntries, (list) =>
      list.record((entry) => {
        const name = idOf<ShardName>(entry.fixed(shardNameBytes));
        entry.require(name > previous, 'names in rising order');
        previous = name;
        return { name, blockCount: entry.uint(blocksMaximum), merkleRoot: entry.fixed(hashBytes) };
      }),
    );
    const more = fields.flag();
    fields.require(!more || entries.length > 0, 'a page that is followed by another has entries');
    return { entries, more };
  });
}
