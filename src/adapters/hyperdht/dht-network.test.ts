import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { present } from '../../base/assert.ts';
import type { EventLog } from '../../ports/event-log.ts';
import { DhtNetwork } from './dht-network.ts';

const log: EventLog = { write: () => undefined };

function openNetwork(bootstrap: readonly string[]): DhtNetwork {
  const own = { identitySeed: randomBytes(32), announced: [], staying: true, log };
  return new DhtNetwork({ ...own, mode: 'private', bootstrap });
}

test('a private node knows the given ways in, and none of the public network', async () => {
  const network = openNetwork(['/ip4/127.0.0.1/tcp/9']);
  try {
    const node = present(network.node(), 'a way in is known');
    assert.deepEqual(node.bootstrapNodes, [{ host: '127.0.0.1', port: 9 }]);
  } finally {
    await network.close();
  }
});

test('with loopback addresses alone nothing is joined', async () => {
  const network = openNetwork([]);
  network.open(['/ip4/127.0.0.1/tcp/4747']);
  network.hearOf(['/ip4/127.0.0.1/tcp/4748']);
  assert.equal(network.node(), undefined);
  assert.deepEqual(network.state, { phase: 'inert', nodeCount: 0 });
  await network.close();
});
