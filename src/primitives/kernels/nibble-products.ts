/** The tables by which a vector of bytes is multiplied by one coefficient: see assembly/galois.ts. */
import { present } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import { multiplied } from './galois-field.ts';

/** Sixteen products of a low nibble, then sixteen of a high one. */
export const tableBytes = 32;

const tables: readonly Bytes[] = Array.from({ length: 256 }, (_, coefficient) =>
  Uint8Array.from({ length: tableBytes }, (_entry, index) =>
    multiplied(coefficient, index < 16 ? index : (index - 16) << 4),
  ),
);

export function nibbleProducts(coefficient: number): Bytes {
  return present(tables[coefficient], 'a coefficient is a byte');
}
