/**
 * Where a file is cut into chunks: FastCDC (Xia et al., USENIX ATC 2016), that is, gear hash, no cuts
 * below the minimum, and normalised sizes by a strict condition first and a loose one later.
 *
 * A cut condition looks at the 64 bytes before the cut and at nothing else, so an insertion moves the
 * cuts near it and no others, and cutting may start again at any cut. Conditions are thresholds
 * rather than masks; the top bits of a gear hash depend on its whole window.
 */
import { assert } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import { kibi } from '../../base/units.ts';
import {
  type GearTable,
  gearHistoryBytes,
  type Kernels,
} from '../../primitives/kernels/kernels.ts';
import { chunkMaximumBytes, chunkMinimumBytes } from '../vocabulary/limits.ts';

/** A chunk shorter than `switchBytes` is cut at 1 position in 2^22, a longer one at 1 in 2^18. */
export const strictBits = 22;
export const looseBits = 18;
/**
 * With s = 2^22, l = 2^18 and q = e^−((switch − minimum) / s), chunks of random bytes have
 * minimum + s(1 − q) + lq bytes on average. 842 KiB makes this `chunkAverageBytes`.
 */
export const switchBytes: number = 842 * kibi;

const hashBits = 32;
const strictThreshold = 2 ** (hashBits - strictBits);
const looseThreshold = 2 ** (hashBits - looseBits);

/** How much of foreign bytes is copied to the kernel at once: it stays in the processor's cache. */
const windowBytes: number = 256 * kibi;

export interface CutSearch {
  readonly offset: number;
  /** The bytes before `end` are there so far. */
  readonly end: number;
  /** No more will come. */
  readonly final: boolean;
}

export interface Cutter {
  /**
   * Memory of the kernel. Bytes that callers put here are cut without being copied; cutting any
   * other bytes overwrites it.
   */
  readonly area: Bytes;
  /**
   * How long the chunk is that starts at `offset` of `bytes`. Undefined: more bytes are needed to
   * tell, or there are none. A search starts anew on each call, so let `end` be `chunkMaximumBytes`
   * behind `offset` where there is that much; then the answer is never undefined.
   */
  nextCut(bytes: Uint8Array, search: CutSearch): number | undefined;
}

/** `areaBytes`: how much callers want to cut in place. */
export function cutterOf(
  kernels: Kernels,
  table: GearTable,
  areaBytes: number = windowBytes,
): Cutter {
  const scanner = kernels.gear.scanner(table, Math.max(areaBytes, windowBytes));
  const { area } = scanner;

  /** The first match at positions [from, to) of `bytes`, or `to`. */
  function firstMatch(bytes: Uint8Array, [from, to]: Stretch, threshold: number): number {
    if (bytes.buffer === area.buffer) {
      const base = bytes.byteOffset - area.byteOffset;
      return scanner.find(base + from, base + to, threshold) - base;
    }
    for (let at = from; at < to; ) {
      const first = at - gearHistoryBytes;
      const stop = Math.min(to, first + windowBytes);
      area.set(bytes.subarray(first, stop));
      const found = scanner.find(gearHistoryBytes, stop - first, threshold) + first;
      if (found < stop) return found;
      at = stop;
    }
    return to;
  }

  return {
    area,
    nextCut(bytes: Uint8Array, search: CutSearch): number | undefined {
      const { offset, end, final } = search;
      assert(offset >= 0 && offset <= end && end <= bytes.length, 'a stretch of the bytes');
      const available = end - offset;
      const limit = Math.min(available, chunkMaximumBytes);
      for (const { shortest, behind, threshold } of conditions) {
        // A cut of length n follows the byte at n − 1.
        const stretch: Stretch = [offset + shortest - 1, offset + Math.min(limit, behind - 1)];
        if (stretch[0] >= stretch[1]) break;
        const found = firstMatch(bytes, stretch, threshold);
        if (found < stretch[1]) return found - offset + 1;
      }
      if (available >= chunkMaximumBytes) return chunkMaximumBytes;
      return final && available > 0 ? available : undefined;
    },
  };
}

type Stretch = readonly [from: number, to: number];

interface Condition {
  /** Lengths from `shortest` up to but not including `behind`. */
  readonly shortest: number;
  readonly behind: number;
  readonly threshold: number;
}

const conditions: readonly Condition[] = [
  { shortest: chunkMinimumBytes, behind: switchBytes, threshold: strictThreshold },
  { shortest: switchBytes, behind: chunkMaximumBytes, threshold: looseThreshold },
];
