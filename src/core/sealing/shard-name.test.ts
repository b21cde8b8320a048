import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bytesOf, idOf, type PeerId, type StripeId } from '../vocabulary/ids.ts';
import { deriveKeys } from './keys.ts';
import { ShardNamer } from './shard-name.ts';

const { shardNameKey } = deriveKeys(new Uint8Array(32).fill(8));
const id32 = fc.uint8Array({ minLength: 32, maxLength: 32 });

test('the owner reads stripe and index back from a name', () => {
  fc.assert(
    fc.property(id32, id32, fc.integer({ min: 0, max: 254 }), (partner, stripe, index) => {
      const stripeId = idOf<StripeId>(stripe);
      const namer = new ShardNamer(shardNameKey, idOf<PeerId>(partner));
      const name = namer.nameOf(stripeId, index);
      assert.equal(bytesOf(name).length, 16);
      assert.deepEqual(namer.read(name), { stripePrefix: stripe.slice(0, 14), index });
      assert.equal(namer.indexIn(stripeId, name), index);
      const other = idOf<StripeId>(stripe.map((byte) => byte ^ 1));
      assert.equal(namer.indexIn(other, name), undefined);
      assert.equal(
        new ShardNamer(shardNameKey, idOf<PeerId>(partner)).nameOf(stripeId, index),
        name,
      );
    }),
  );
});

test('two partners know one shard by unlike names', () => {
  const stripeId = idOf<StripeId>(new Uint8Array(32));
  const names = [1, 2].map((value) =>
    new ShardNamer(shardNameKey, idOf<PeerId>(new Uint8Array(32).fill(value))).nameOf(stripeId, 0),
  );
  assert.notEqual(names[0], names[1]);
});
