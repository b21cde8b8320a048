/** Chance from the operating system. */
import { randomFillSync } from 'node:crypto';
import type { Bytes } from '../../base/bytes.ts';
import type { Random } from '../../ports/random.ts';

export function systemRandom(): Random {
  return { bytes: (count): Bytes => randomFillSync(new Uint8Array(count)) };
}
