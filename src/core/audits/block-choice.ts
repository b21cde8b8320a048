/**
 * Which blocks an audit asks for (C17–C19).
 *
 * Neither side may choose alone. An owner who chose could use audits to fetch back its own data for nothing; a partner who
 * chose would keep only the blocks it is asked for. So each side contributes a nonce, the owner's sealed first, and the two
 * together make the choice: shards and blocks alike. A partner that falls silent on seeing the choice is asked for the same blocks again.
 * See docs/protocol.md#who-chooses-what.
 */
import { assert, present } from '../../base/assert.ts';
import { bigEndian, equalBytes } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { hashBytes, hashWithDomain } from '../../primitives/hash.ts';
import { domains } from '../sealing/domains.ts';
import type { AuditedShard } from './audited-space.ts';
import { sealNonce } from './challenge.ts';

export interface Opening {
  readonly sealed: Uint8Array;
  readonly nonce: Uint8Array;
}

export type ChoiceFailure = { readonly code: 'audit.opening-mismatch' };

/** What is drawn from. */
export interface DrawSpace {
  /** In order of name. */
  readonly space: readonly AuditedShard[];
  /** Indices of the shards that the coverage round has still to visit. */
  readonly stratum: readonly number[];
  /** So many distinct shards of the stratum give one block each. */
  readonly coverageCount: number;
  /** So many distinct blocks of the whole space. */
  readonly uniformCount: number;
}

export interface ChosenBlock {
  readonly shard: AuditedShard;
  readonly number: number;
}

/** The blocks of this audit, distinct, in order of name and number. */
export function chooseBlocks(
  binding: Uint8Array,
  nonces: { readonly owner: Opening; readonly partner: Uint8Array },
  from: DrawSpace,
): Outcome<readonly ChosenBlock[], ChoiceFailure> {
  if (!equalBytes(sealNonce(binding, nonces.owner.nonce), nonces.owner.sealed))
    return failed({ code: 'audit.opening-mismatch' });
  const draw = fairDraws(binding, nonces.owner.nonce, nonces.partner);
  const chosen = new Map<string, ChosenBlock>();
  for (const block of [...coverageDraws(from, draw), ...uniformDraws(from, draw)])
    chosen.set(`${block.shard.name} ${block.number}`, block);
  return succeeded([...chosen.values()].sort(inOrder));
}

type Draw = (bound: number) => number;

function coverageDraws({ space, stratum, coverageCount }: DrawSpace, draw: Draw): ChosenBlock[] {
  return distinctDraws(stratum.length, coverageCount, draw).map((place) => {
    const index = present(stratum[place], 'a draw lies in the stratum');
    const shard = present(space[index], 'the stratum lies in the space');
    return { shard, number: draw(shard.blockCount) };
  });
}

function uniformDraws({ space, uniformCount }: DrawSpace, draw: Draw): ChosenBlock[] {
  const ends: number[] = [];
  let total = 0;
  for (const { blockCount } of space) {
    total += blockCount;
    ends.push(total);
  }
  return distinctDraws(total, uniformCount, draw).map((block) => {
    const index = firstAbove(ends, block);
    const shard = present(space[index], 'a block belongs to a shard');
    return { shard, number: block - (ends[index - 1] ?? 0) };
  });
}

/** Floyd's sampling: exactly as many draws as numbers, however small the range is; all of a range that has no more. */
function distinctDraws(bound: number, count: number, draw: Draw): readonly number[] {
  const wanted = Math.min(bound, count);
  const chosen = new Set<number>();
  for (let last = bound - wanted; last < bound; last += 1) {
    const candidate = draw(last + 1);
    chosen.add(chosen.has(candidate) ? last : candidate);
  }
  return [...chosen];
}

/** Index of the first end that lies above `value`. */
function firstAbove(ends: readonly number[], value: number): number {
  let low = 0;
  let high = ends.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ends[middle] ?? 0) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

const wordBytes = 6;
const wordRange = 2 ** 48;

/** Numbers below a bound, each equally likely whatever the bound: words that would favour the low ones are passed over. */
function fairDraws(binding: Uint8Array, owner: Uint8Array, partner: Uint8Array): Draw {
  let counter = 0;
  let block: Uint8Array = new Uint8Array(0);
  let at = 0;
  const word = (): number => {
    if (at + wordBytes > block.length) {
      block = hashWithDomain(
        domains.auditBlockChoice,
        ...[binding, owner, partner, bigEndian(counter, 8)],
      );
      assert(block.length === hashBytes, 'a hash has 32 bytes');
      counter += 1;
      at = 0;
    }
    let value = 0;
    for (let index = 0; index < wordBytes; index += 1)
      value = value * 256 + (block[at + index] ?? 0);
    at += wordBytes;
    return value;
  };
  return (bound) => {
    assert(Number.isSafeInteger(bound) && bound > 0 && bound <= wordRange, 'a range to draw from');
    const fair = wordRange - (wordRange % bound);
    let value = word();
    while (value >= fair) value = word();
    return value % bound;
  };
}

function inOrder(left: ChosenBlock, right: ChosenBlock): number {
  if (left.shard.name !== right.shard.name) return left.shard.name < right.shard.name ? -1 : 1;
  return left.number - right.number;
}
