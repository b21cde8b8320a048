import assert from 'node:assert/strict';
import test from 'node:test';
import { agreedPair } from '../../sim/agreed-pair.ts';
import type { OpenStep } from '../partners/lifecycle-keeper.ts';
import { UncommittedReads } from './uncommitted-reads.ts';

const pair = agreedPair(1 << 20);
const at = (sequence: number): { readonly epoch: number; readonly sequence: number } => ({
  epoch: 0,
  sequence,
});

/** Reads of one holder whose owner's terms grew in these places; a commitment of each runs. */
function reads(grownAt: readonly number[]): (sequence: number, bytes: number) => boolean {
  const openStep = (_row: unknown, { sequence }: { readonly sequence: number }) => {
    const place = grownAt.findLast((grown) => sequence > grown);
    if (place === undefined) return undefined;
    const step: OpenStep = {
      ...{ theirs: at(place), ours: at(place), since: at(grownAt[0] ?? 0) },
      ...{ readableBytes: 100, committedMs: 0 },
    };
    return step;
  };
  return (sequence, bytes) => {
    // What is durable alone decides: each read is made in a new life.
    const uncommitted = new UncommittedReads({ stores: pair.stores, openStep });
    return uncommitted.take(pair.agreement, at(sequence), bytes).ok;
  };
}

test('C30: of what was stored before the terms grew all is given, of the rest as much as was not used, whatever lives come between', () => {
  const read = reads([10]);
  assert.equal(read(10, 1_000_000), true);
  assert.equal(read(11, 60), true);
  assert.equal(read(11, 60), false);
  assert.equal(read(12, 41), false);
});

test('C30: many small growths let nothing more be read than one', () => {
  const read = reads([20, 21, 22]);
  assert.equal(read(21, 60), true);
  assert.equal(read(22, 60), false);
  assert.equal(read(23, 60), false);
});
