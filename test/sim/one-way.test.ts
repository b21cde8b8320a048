/** Partners that are heard of but do not answer (C30, C47): only answers count for them, and when nobody answers nobody is blamed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import { minuteMs, secondMs } from '../../src/base/units.ts';
import { durable } from '../../src/sim/checkers.ts';
import { simAddress } from '../../src/sim/network.ts';
import { crowd, settled } from './crowd.ts';

const graceMs = 4 * minuteMs;

/** Phases of the partners of the first computer, two graces after some of them have begun to do nothing but ask. */
async function phases(seed: string, askers: readonly string[]): Promise<Map<string, string>> {
  const { world, link, peers } = crowd(seed, 4, {
    meets: true,
    partnership: () => ({
      ...{ graceMs, commitmentMs: 6 * minuteMs, spareAfterMs: minuteMs },
      ...{ auditIntervalMs: 20 * secondMs, wantedPartners: 3 },
    }),
  });
  await settled({ world, link, peers }, 3, 4 * minuteMs);
  const owner = present(peers[0], 'the first').keys.peerId;
  const silent = peers.filter(({ name }) => askers.includes(name));
  for (const { name } of silent) world.crash(name);
  const untilMs = world.nowMs + 2 * graceMs;
  while (world.nowMs < untilMs) {
    for (const { keys } of silent)
      void link.network
        .transport(keys.peerId)
        .request(
          { peer: owner, addresses: [simAddress(owner)] },
          { method: 'GET', path: '/v1/profile' },
        );
    await world.run({ untilMs: world.nowMs + 2 * secondMs });
  }
  const { agreements } = durable(present(peers[0], 'the first'));
  return new Map(
    peers.slice(1).map(({ name, keys }) => [name, agreements.ofPartner(keys.peerId)?.phase ?? '']),
  );
}

test('a partner that asks but never answers has reneged after the grace period', async () => {
  const found = await phases('never answers', ['peer 1']);
  assert.match(found.get('peer 1') ?? '', /^(reneged|ended)$/);
  assert.equal(found.get('peer 2'), 'standing');
});

test('a computer that nobody answers blames nobody, whoever asks it', async () => {
  const found = await phases('no answers', ['peer 1', 'peer 2', 'peer 3']);
  // Time in which it is cut off counts for nothing, commitment included.
  for (const phase of found.values()) assert.match(phase, /^(in-commitment|standing)$/);
});
