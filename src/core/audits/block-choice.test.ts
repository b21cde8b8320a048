import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bigEndian } from '../../base/bytes.ts';
import { sha256 } from '../../primitives/hash.ts';
import { idOf, type ShardName } from '../vocabulary/ids.ts';
import type { AuditedShard } from './audited-space.ts';
import { type ChosenBlock, chooseBlocks, type DrawSpace } from './block-choice.ts';
import { sealNonce } from './challenge.ts';

const binding = new Uint8Array(32).fill(7);

function shard(number: number, blockCount: number): AuditedShard {
  return {
    ...{ name: idOf<ShardName>(bigEndian(number, 16)), blockCount, sequence: number + 1 },
    ...{ merkleRoot: new Uint8Array(32), deletedBy: undefined, visitedIn: 0 },
  };
}

function nonce(text: string, number = 0): Uint8Array {
  return sha256(Buffer.from(`${text} ${number}`));
}

function choose(from: DrawSpace, owner: Uint8Array, partner: Uint8Array): readonly ChosenBlock[] {
  const sealed = sealNonce(binding, owner);
  const chosen = chooseBlocks(binding, { owner: { sealed, nonce: owner }, partner }, from);
  assert.ok(chosen.ok);
  return chosen.value;
}

const spaces = fc
  .array(fc.integer({ min: 1, max: 770 }), { minLength: 1, maxLength: 40 })
  .chain((counts) =>
    fc.record({
      space: fc.constant(counts.map((count, number) => shard(number, count))),
      stratum: fc.subarray(counts.map((_, index) => index)),
      coverageCount: fc.integer({ min: 0, max: 20 }),
      uniformCount: fc.integer({ min: 0, max: 20 }),
    }),
  );
const nonces = fc.uint8Array({ minLength: 32, maxLength: 32 });

test('both sides, given the same nonces, ask for the same distinct blocks that exist', () => {
  fc.assert(
    fc.property(spaces, nonces, nonces, (from, owner, partner) => {
      const chosen = choose(from, owner, partner);
      assert.deepEqual(choose(from, owner, partner), chosen);
      const keys = chosen.map(({ shard: { name }, number }) => `${name} ${number}`);
      assert.equal(new Set(keys).size, keys.length);
      assert.deepEqual(
        chosen,
        chosen.toSorted((left, right) =>
          left.shard.name === right.shard.name
            ? left.number - right.number
            : left.shard.name < right.shard.name
              ? -1
              : 1,
        ),
      );
      for (const {
        shard: { blockCount },
        number,
      } of chosen)
        assert.ok(number >= 0 && number < blockCount);
      const coverage = Math.min(from.coverageCount, from.stratum.length);
      assert.ok(chosen.length <= from.coverageCount + from.uniformCount);
      const left = new Set(from.stratum.map((index) => from.space[index]?.name));
      const visited = new Set(chosen.map(({ shard: { name } }) => name).filter((n) => left.has(n)));
      assert.ok(visited.size >= coverage, 'so many shards of the stratum are visited');
    }),
  );
});

test('an opening that does not match its seal is refused', () => {
  fc.assert(
    fc.property(nonces, nonces, nonces, (owner, other, partner) => {
      const sealed = sealNonce(binding, owner);
      const from = { space: [shard(0, 5)], stratum: [0], coverageCount: 1, uniformCount: 0 };
      const chosen = chooseBlocks(binding, { owner: { sealed, nonce: other }, partner }, from);
      assert.equal(chosen.ok, Buffer.compare(owner, other) === 0);
    }),
  );
});

const few: DrawSpace = {
  space: [shard(0, 1), shard(1, 3), shard(2, 12)],
  stratum: [],
  ...{ coverageCount: 0, uniformCount: 1 },
};

/** Chi-square of draws over all blocks of the small space, 15 degrees of freedom. */
function chiSquare(draws: readonly ChosenBlock[]): number {
  const counts = new Map<string, number>();
  for (const {
    shard: { name },
    number,
  } of draws)
    counts.set(`${name} ${number}`, (counts.get(`${name} ${number}`) ?? 0) + 1);
  const expected = draws.length / 16;
  let sum = (16 - counts.size) * expected;
  for (const count of counts.values()) sum += (count - expected) ** 2 / expected;
  return sum;
}

test("whatever nonce one side has, the other side's nonce makes every block equally likely", () => {
  // 15 degrees of freedom: 44 lies beyond 0.9999; the draws are fixed, so this never changes.
  for (const fixed of [
    new Uint8Array(32),
    new Uint8Array(32).fill(255),
    nonce('chosen with care'),
  ]) {
    const byPartner = Array.from({ length: 8_000 }, (_, n) => choose(few, fixed, nonce('p', n)));
    const byOwner = Array.from({ length: 8_000 }, (_, n) => choose(few, nonce('o', n), fixed));
    assert.ok(chiSquare(byPartner.flat()) < 44, `${chiSquare(byPartner.flat())}`);
    assert.ok(chiSquare(byOwner.flat()) < 44, `${chiSquare(byOwner.flat())}`);
  }
});

test('knowing its own nonce tells neither side anything of the block: all blocks stay possible', () => {
  const seen = new Set<string>();
  for (let n = 0; n < 400; n += 1)
    for (const {
      shard: { name },
      number,
    } of choose(few, nonce('one'), nonce('other', n)))
      seen.add(`${name} ${number}`);
  assert.equal(seen.size, 16);
});

test('a choice belongs to its binding: the same nonces choose otherwise elsewhere', () => {
  const from = { ...few, space: [shard(0, 700)] };
  const owner = nonce('owner');
  const numbers = Array.from({ length: 20 }, (_, n) => {
    const other = new Uint8Array(32).fill(n);
    const sealed = sealNonce(other, owner);
    const chosen = chooseBlocks(other, { owner: { sealed, nonce: owner }, partner: owner }, from);
    assert.ok(chosen.ok);
    return chosen.value[0]?.number;
  });
  assert.ok(new Set(numbers).size > 15);
});
