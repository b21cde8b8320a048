import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idOf, type PeerId } from '../../core/vocabulary/ids.ts';
import type { Discovery, PeerAddress } from '../../ports/transport.ts';
import { joinedDiscovery } from './joined-discovery.ts';

const self = idOf<PeerId>(new Uint8Array(32).fill(1));
const other = idOf<PeerId>(new Uint8Array(32).fill(2));
const topic = new Uint8Array(32);

function way(found: readonly PeerAddress[], told: string[] = []): Discovery {
  const tell = (word: string) => async () => {
    told.push(word);
    return async () => {
      told.push(`no ${word}`);
    };
  };
  return {
    advertise: tell('advertise'),
    announce: tell('announce'),
    locate: async (peer) => found.find((one) => one.peer === peer)?.addresses ?? [],
    lookup: async () => found,
  };
}

test('what several ways find is one list, without this computer itself', async () => {
  const one = way([
    { peer: self, addresses: ['/ip4/10.0.0.1/tcp/1'] },
    { peer: other, addresses: [] },
  ]);
  const two = way([{ peer: other, addresses: ['/ip4/10.0.0.2/tcp/1'] }]);
  const joined = joinedDiscovery([one, two], self);
  const options = { limit: 5, signal: AbortSignal.timeout(1_000) };
  const expected = { peer: other, addresses: ['/ip4/10.0.0.2/tcp/1'] };
  assert.deepEqual(await joined.lookup(topic, options), [expected]);
  assert.deepEqual(await joined.locate(other), expected.addresses);
  assert.deepEqual(await joined.locate(idOf<PeerId>(new Uint8Array(32).fill(3))), []);
});

test('every way is told, and told again that it is over', async () => {
  const told: string[] = [];
  const joined = joinedDiscovery([way([], told), way([], told)], self);
  const stop = await joined.announce(topic, { peer: self, addresses: [] });
  await stop();
  assert.deepEqual(told, ['announce', 'announce', 'no announce', 'no announce']);
});

test('without any way nobody is found', async () => {
  const joined = joinedDiscovery([], self);
  assert.deepEqual(await joined.locate(other), []);
});
