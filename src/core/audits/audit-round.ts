/**
 * Coverage rounds: each visits every shard that was there when it began, so that no shard goes unasked for ninety days.
 *
 * Choosing among few is steering, so the owner may not say which shards are left to visit. Both sides mark what was drawn in opened challenges; the owner
 * tells its marks, and the partner refuses unless they are its own. A new round has no marks and may begin at any time, for it narrows nothing: so
 * whoever lost its account, or has a challenge pending that the partner may not know, begins another. See docs/protocol.md#who-chooses-what.
 */
import { type Bytes, emptyBytes, equalBytes } from '../../base/bytes.ts';
import type { AuditedShard } from './audited-space.ts';

export interface AuditRound {
  /** Any number but 0; another number is another round. */
  readonly round: number;
  /** Head of the ledger when it began: it visits what was there then. */
  readonly roundStart: number;
}

/** Longer than this there is no bitmap: such a space is only drawn from at large. */
export const visitedMaximumBytes = 40_960;

/** One bit for each shard of the space, lowest bit of the first byte first; empty when none was visited. */
export function visitedBitmap(space: readonly AuditedShard[], round: number): Bytes {
  const length = Math.ceil(space.length / 8);
  if (length > visitedMaximumBytes) return emptyBytes;
  const bits = new Uint8Array(length);
  let any = false;
  space.forEach((shard, index) => {
    if (shard.visitedIn !== round) return;
    any = true;
    bits[index >> 3] = (bits[index >> 3] ?? 0) | (1 << (index & 7));
  });
  return any ? bits : emptyBytes;
}

/** Indices of the shards that the round has still to visit, rising. */
export function stratumOf(
  space: readonly AuditedShard[],
  round: Pick<AuditRound, 'roundStart'>,
  visited: Uint8Array,
): readonly number[] {
  const left: number[] = [];
  space.forEach((shard, index) => {
    if (shard.sequence <= round.roundStart && !hasBit(visited, index)) left.push(index);
  });
  return left;
}

/** What a challenge says about its round. */
export interface RoundClaim extends AuditRound {
  readonly visited: Bytes;
  /** Head of the ledger that the challenge is about. */
  readonly sequence: number;
}

/** Whether a partner that knows `known` of the round, and the marks in `space`, has the account of it that the owner claims. */
export function roundAllowed(
  known: AuditRound | undefined,
  claim: RoundClaim,
  space: readonly AuditedShard[],
): boolean {
  if (known?.round !== claim.round)
    return claim.visited.length === 0 && claim.roundStart === claim.sequence;
  return (
    known.roundStart === claim.roundStart &&
    equalBytes(visitedBitmap(space, claim.round), claim.visited)
  );
}

function hasBit(bits: Uint8Array, index: number): boolean {
  return ((bits[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
}
