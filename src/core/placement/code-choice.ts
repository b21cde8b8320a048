/**
 * Which code so many partners can carry (the presets of DESIGN §8), and what a code protects.
 *
 * Few partners get what few can give: one partner holds a copy, two or three bear the loss of one with n+1 parity (C33), more are coded with Reed–Solomon
 * (C32) so that about half of them may vanish. Strangers vanish more often than friends, so more of what they hold is redundancy. Between the steps a
 * code stays as it is when partners come: each change means that what is there is sent again.
 */
import { type Code, shardCount } from '../vocabulary/code.ts';

/** What the partners are to their owner: people it invited, or strangers; `hostile` when many of these are expected to cheat. */
export interface PlanPreset {
  readonly preset: 'circle' | 'open';
  readonly hostile?: boolean;
  /** How long this owner takes to make up for a partner that is gone; absent: as one that is always on line. */
  readonly repairMs?: number;
}

export const circlePreset: PlanPreset = { preset: 'circle' };

const fewPartners: readonly Code[] = [
  reedSolomon(1, 0),
  { id: 'parity', dataShards: 1, parityShards: 1 },
  { id: 'parity', dataShards: 2, parityShards: 1 },
  reedSolomon(2, 2),
  reedSolomon(3, 2),
  reedSolomon(3, 3),
  reedSolomon(4, 3),
  reedSolomon(4, 4),
];
const manyPartners: Code = reedSolomon(8, 12);
const amongStrangers: readonly Code[] = [reedSolomon(4, 6), reedSolomon(6, 9)];
const amongCheats: Code = reedSolomon(10, 20);

/** Codes of a preset, each for more partners than the one before. */
function ladder({ preset, hostile }: PlanPreset): readonly Code[] {
  if (preset === 'circle') return [...fewPartners, manyPartners];
  const open = [...fewPartners, ...amongStrangers, manyPartners];
  return hostile ? [...open, amongCheats] : open;
}

/** The code for so many partners, each of which takes one shard; undefined when there is none. */
export function chooseCode(
  partnerCount: number,
  preset: PlanPreset = circlePreset,
): Code | undefined {
  return ladder(preset).findLast((code) => shardCount(code) <= partnerCount);
}

/** Partners that the preset wants: those that its full code needs. A circle is whole with 4+4, and takes more if it has them. */
export function fullShards({ preset, hostile }: PlanPreset): number {
  if (preset === 'circle') return fewPartners.length;
  return shardCount(hostile ? amongCheats : manyPartners);
}

/** Whether a pack so coded bears fewer losses than the other code does, so that coding it again is worth sending it again. */
export function isWeaker(code: Code, than: Code): boolean {
  return code.parityShards < than.parityShards;
}

function reedSolomon(dataShards: number, parityShards: number): Code {
  return { id: 'reed-solomon', dataShards, parityShards };
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
