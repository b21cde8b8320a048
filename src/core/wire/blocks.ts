/** How many blocks a shard can have. */
import { packMaximumBytes, payloadBytes } from '../vocabulary/limits.ts';

/** Blocks of the longest shard: a whole pack at one partner, with its padding up to a codeword. */
export const blocksMaximum: number = 2 * Math.ceil(packMaximumBytes / payloadBytes);
