/**
 * Which code new packs get, by the number of partners there are (the circle preset of DESIGN §8), and what that code protects.
 *
 * Few partners get what few can give: one partner holds a copy, two or three bear the loss of one with n+1 parity (C33), more are coded with Reed–Solomon
 * (C32) so that about half of them may vanish.
 */
import type { Code } from '../vocabulary/code.ts';

const mostShards = 8;

/** The code for so many partners, each of which takes one shard; undefined when there is none. */
export function chooseCode(partnerCount: number): Code | undefined {
  if (partnerCount <= 0) return undefined;
  const shards = Math.min(partnerCount, mostShards);
  if (shards === 1) return { id: 'reed-solomon', dataShards: 1, parityShards: 0 };
  if (shards <= 3) return { id: 'parity', dataShards: shards - 1, parityShards: 1 };
  const parityShards = Math.floor(shards / 2);
  return { id: 'reed-solomon', dataShards: shards - parityShards, parityShards };
}

/** Shards beyond k that must be held before a pack counts as protected: half of the parity, rounded up. */
export function safetyShards(code: Code): number {
  return Math.ceil(code.parityShards / 2);
}

export type Protection = 'unprotected' | 'protected' | 'complete';

/** How safe a pack is of which so many shards are held, each by another partner. */
export function protectionOf(heldShards: number, code: Code): Protection {
  if (heldShards >= code.dataShards + code.parityShards) return 'complete';
  return heldShards >= code.dataShards + safetyShards(code) ? 'protected' : 'unprotected';
}

/** How many of the partners that hold shards may vanish before the pack cannot be restored. */
export function bearableLosses(heldShards: number, code: Code): number {
  return Math.max(0, heldShards - code.dataShards);
}
