import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { packChunks, unpackChunks } from './fill-request.ts';

const chunks = fc.array(
  fc.record(
    {
      id: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => new Uint8Array(bytes)),
      frame: fc.nat(1_000),
      offset: fc.nat(2 ** 22),
      length: fc.nat(2 ** 22),
      places: fc.array(
        fc.record({ file: fc.nat(10_000), position: fc.maxSafeNat() }, { noNullPrototype: true }),
        {
          maxLength: 4,
        },
      ),
    },
    { noNullPrototype: true },
  ),
  { maxLength: 20 },
);

test('chunks come out of their packing as they went in', () => {
  fc.assert(
    fc.property(chunks, (list) => {
      assert.deepEqual([...unpackChunks(packChunks(list))], list);
    }),
  );
});
