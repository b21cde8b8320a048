/** The sizes that hold everywhere. Relations between them are asserted by `limits.test.ts`. */
import { kibi, mebi } from '../../base/units.ts';

/** A sealed block, on disk and on the wire (C34). */
export const blockBytes: number = 64 * kibi;
/** The authentication tag at a block's end: the keyed hash that audits and restores check (C37). */
export const tagBytes = 16;
/** What a block carries; also one element of a codeword. */
export const payloadBytes: number = blockBytes - tagBytes;

export const chunkMinimumBytes: number = 256 * kibi;
export const chunkAverageBytes: number = 1 * mebi;
export const chunkMaximumBytes: number = 4 * mebi;

/** A frame is closed once it holds this much before compression. */
export const frameTargetBytes: number = 1 * mebi;
/** A pack is closed once it holds this much. */
export const packTargetBytes: number = 16 * mebi;
/** No pack is longer: a frame that would overrun opens the next pack. */
export const packMaximumBytes: number = 24 * mebi;

/** Bodies of requests and replies other than blocks, unless a resource says otherwise. */
export const messageMaximumBytes: number = 64 * kibi;
/** A manifest as a partner takes it. */
export const manifestMaximumBytes: number = 4 * mebi;
/** k + m at most, for a code over GF(2^8). */
export const shardsMaximum = 255;
