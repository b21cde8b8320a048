import assert from 'node:assert/strict';
import test from 'node:test';
import { type FactStore, StorageFull } from '../../ports/stores.ts';
import { agreedPair } from '../../sim/agreed-pair.ts';
import type { OpenStep } from '../partners/lifecycle-keeper.ts';
import { UncommittedReads, type UncommittedReadsParts } from './uncommitted-reads.ts';

const pair = agreedPair(1 << 20);
const at = (sequence: number): { readonly epoch: number; readonly sequence: number } => ({
  epoch: 0,
  sequence,
});

/** Terms that grew in these places; a commitment of each runs. */
function grown(grownAt: readonly number[]): UncommittedReadsParts['openStep'] {
  return (_row, { sequence }) => {
    const place = grownAt.findLast((at) => sequence > at);
    if (place === undefined) return undefined;
    const step: OpenStep = {
      ...{ theirs: at(place), ours: at(place), since: at(grownAt[0] ?? 0) },
      ...{ readableBytes: 100, committedMs: 0 },
    };
    return step;
  };
}

/** Reads of one holder whose owner's terms grew in these places. */
function reads(grownAt: readonly number[]): (sequence: number, bytes: number) => boolean {
  const openStep = grown(grownAt);
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

test('C30: a full disk refuses no read; what was read counts all the same, and is durable once there is room', () => {
  const disk = new FullDisk(agreedPair(1 << 20).stores.facts);
  const stores = { facts: disk };
  const openStep = grown([30]);
  const life = new UncommittedReads({ stores, openStep });
  const read = (bytes: number): boolean => life.take(pair.agreement, at(31), bytes).ok;
  assert.equal(read(40), true);
  assert.equal(read(40), true);
  assert.equal(read(21), false, 'more than is given');
  life.settle();
  disk.isFull = false;
  life.settle();
  const next = new UncommittedReads({ stores, openStep });
  assert.equal(next.take(pair.agreement, at(31), 21).ok, false, 'the next life knows of it');
});

/** Takes nothing in while it is full. */
class FullDisk implements FactStore {
  readonly #facts: FactStore;
  isFull = true;

  constructor(facts: FactStore) {
    this.#facts = facts;
  }

  get(name: string): ReturnType<FactStore['get']> {
    return this.#facts.get(name);
  }

  put(...[name, value]: Parameters<FactStore['put']>): void {
    if (this.isFull) throw new StorageFull('no room');
    this.#facts.put(name, value);
  }
}
