import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Heap } from './heap.ts';

const rising = (left: number, right: number): number => left - right;

test('whatever goes in comes out sorted', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (items) => {
      const heap = new Heap(rising);
      for (const item of items) heap.push(item);
      const out = Array.from({ length: items.length }, () => heap.pop());
      assert.deepEqual(out, items.toSorted(rising));
      assert.equal(heap.pop(), undefined);
    }),
  );
});

test('the least item is seen without being taken, between any pushes and pops', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.integer(), { nil: undefined })), (steps) => {
      const heap = new Heap(rising);
      const model: number[] = [];
      for (const step of steps) {
        if (step === undefined) assert.equal(heap.pop(), model.shift());
        else {
          heap.push(step);
          model.push(step);
          model.sort(rising);
        }
        assert.equal(heap.peek(), model[0]);
        assert.equal(heap.size, model.length);
      }
    }),
  );
});
