/**
 * The owner's gear table: where chunks are cut depends on a key, so that sizes of chunks tell nothing
 * about known files to whoever lacks it.
 */

import { hmacKey, hmacSha256 } from '../../primitives/hash.ts';
import type { GearTable } from '../../primitives/kernels/kernels.ts';

const entriesPerHash = 4;

/**
 * 256 numbers of 64 bits. HMAC-SHA-256(gearKey, i), i one byte from 0 to 63, gives entries
 * 4i … 4i+3, eight bytes each, big-endian. `gearKey` has 32 bytes and serves
 * nothing else.
 */
export function gearTable(gearKey: Uint8Array): GearTable {
  const key = hmacKey(gearKey);
  const table = new BigUint64Array(256);
  for (let block = 0; block < table.length / entriesPerHash; block += 1) {
    const digest = hmacSha256(key, Uint8Array.of(block));
    const view = new DataView(digest.buffer, digest.byteOffset, digest.byteLength);
    for (let entry = 0; entry < entriesPerHash; entry += 1)
      table[block * entriesPerHash + entry] = view.getBigUint64(entry * 8);
  }
  return table;
}
