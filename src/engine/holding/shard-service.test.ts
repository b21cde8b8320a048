import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bytes } from '../../base/bytes.ts';
import type { ShardName } from '../../core/vocabulary/ids.ts';
import { blockBytes } from '../../core/vocabulary/limits.ts';
import { decodeInventory } from '../../core/wire/inventory.ts';
import type { IncomingRequest } from '../../ports/transport.ts';
import { MerkleBuilder } from '../../primitives/merkle.ts';
import { agreedPair } from '../../sim/agreed-pair.ts';
import { markDamaged } from './damaged-shards.ts';
import { ShardIntake } from './shard-intake.ts';
import { ShardService } from './shard-service.ts';

const shard: Bytes = new Uint8Array(blockBytes).fill(3);
const merkle = new MerkleBuilder();
merkle.addBlock(shard);
const merkleRoot = merkle.root();
const names = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(32) as ShardName);

async function* bodyOf(bytes: Bytes): AsyncGenerator<Uint8Array> {
  yield bytes;
}

test('an inventory lists nothing that was deleted, or found to be rotten, while it was made', async () => {
  const { holder, stores, disk, clock, log, agreement } = agreedPair(10 * blockBytes);
  const held = disk.attach();
  const intake = new ShardIntake({ identitySeed: holder.identitySeed, stores, held, clock, log });
  for (const name of names) {
    const upload = { name, blockCount: 1, firstBlock: 0, merkleRoot };
    assert.ok((await intake.put(agreement, upload, bodyOf(shard))).ok);
  }
  const [deleted, rotten, ...left] = names;
  assert.ok(deleted !== undefined && rotten !== undefined);
  const size = held.size.bind(held);
  Object.assign(held, {
    size: async (blob: string) => {
      const found = await size(blob);
      intake.remove(agreement, deleted);
      markDamaged(stores, { owner: agreement.partner, name: rotten });
      return found;
    },
  });
  const service = new ShardService({ stores, held, intake });
  const request: IncomingRequest = {
    ...{ from: agreement.partner, remoteAddress: undefined, method: 'GET', path: '/v1/shards' },
    ...{ fields: {}, body: bodyOf(new Uint8Array(0)) },
  };
  const wanted = { resource: 'inventory', after: undefined } as const;
  const answer = await service.answer(request, agreement, wanted);
  assert.ok(answer.ok && answer.value.body instanceof Uint8Array);
  const listed = decodeInventory(answer.value.body);
  assert.ok(listed.ok);
  assert.deepEqual(
    listed.value.entries.map(({ name }) => name),
    left,
  );
});
