/**
 * Padmé: how far a length is padded so that it tells little (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files",
 * PETS 2019, §4).
 *
 * A padded length keeps only as many leading bits as its own magnitude has, which costs at most 12 % and mostly much less, and leaves
 * an observer O(log log length) bits.
 */
import { assert } from '../../base/assert.ts';

/** The padded length: `length` or more, the same for all lengths near it. */
export function paddedLength(length: number): number {
  assert(Number.isSafeInteger(length) && length >= 0, 'a length is an unsigned integer');
  if (length < 2) return length;
  const exponent = Math.floor(Math.log2(length));
  const significantBits = Math.floor(Math.log2(exponent)) + 1;
  const step = 2 ** (exponent - significantBits);
  // Below 4 every length stands for itself: there step is less than one.
  return step <= 1 ? length : Math.ceil(length / step) * step;
}
