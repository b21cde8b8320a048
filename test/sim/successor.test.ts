/** Two machines with one identity: the one that was recovered elsewhere stops by itself, and the other loses nothing by it (RESEARCH §2). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import { failed } from '../../src/base/outcome.ts';
import { minuteMs, secondMs } from '../../src/base/units.ts';
import type { Computer } from '../../src/engine/computer.ts';
import type { Transport } from '../../src/ports/transport.ts';
import { durable } from '../../src/sim/checkers.ts';
import { simAddress } from '../../src/sim/network.ts';
import { SimPeer } from '../../src/sim/sim-peer.ts';
import { type Crowd, crowd, played, settled, waitUntil } from './crowd.ts';
import { backUp, kernels, quiet, request, smallFiles } from './scene.ts';

const auditIntervalMs: number = 20 * secondMs;

/** One owner, the first, and those that lend to it. `asked` is told of every request that the owner makes. */
function family(name: string, asked: (path: string) => void = () => undefined): Crowd {
  return crowd(name, 4, {
    meets: true,
    partnership: (number) => ({
      ...{ preset: 'circle' as const, graceMs: 4 * minuteMs, commitmentMs: 5 * minuteMs },
      ...{ noticeMs: minuteMs, deleteLockMs: minuteMs, spareAfterMs: minuteMs },
      ...{ auditIntervalMs, wantedPartners: 3 },
      ...(number === 0 ? {} : { wantedBytes: 0 }),
    }),
    transport: (number) =>
      number > 0
        ? undefined
        : (transport) => ({
            ...transport,
            request: (to, request, options) => {
              asked(`${request.method} ${request.path}`);
              return transport.request(to, request, options);
            },
          }),
  });
}

/** A first backup is out at three partners, and can be restored from all of them. */
async function begun(them: Crowd): Promise<SimPeer> {
  const { world } = them;
  const owner = present(them.peers[0], 'an owner');
  owner.files.makeFolder('/home');
  const draws = world.prng.fork('files');
  smallFiles(owner.files, (count) => draws.bytes(count));
  await settled({ ...them, peers: [owner] }, 3, minuteMs);
  await backedUp(them, present(owner.computer, 'it runs'));
  await world.run({ untilMs: world.nowMs + 6 * minuteMs });
  return owner;
}

/** Nobody gets a manifest from it. */
const tellsNobody = (transport: Transport): Transport => ({
  ...transport,
  request: async (to, request, options) =>
    request.method === 'PUT' && request.path.startsWith('/v1/manifests/')
      ? failed({ code: 'peer.silent', detail: 'its line broke off' })
      : await transport.request(to, request, options),
});

/** Another computer with the owner's words. */
async function recovered(
  them: Crowd,
  owner: SimPeer,
  heirs: { readonly name: string; readonly transport?: typeof tellsNobody },
): Promise<SimPeer> {
  const { world, link } = them;
  const heir = new SimPeer({ world, link, kernels, rootSeed: owner.rootSeed, ...heirs });
  heir.spawn();
  await world.run({ untilMs: world.nowMs + secondMs });
  const computer = present(heir.computer, 'the heir runs');
  const peers = them.peers
    .slice(1)
    .map(({ keys }) => ({ peer: undefined, address: simAddress(keys.peerId) }));
  const report = await played(them, () => computer.recover(peers, { floor: undefined, ...quiet }));
  assert(report.ok, JSON.stringify(report));
  heir.files.makeFolder('/home');
  heir.files.writeFile('/home/newer', world.prng.fork(heirs.name).bytes(10_000));
  return heir;
}

const says = (peer: SimPeer, code: string): boolean =>
  peer.computer?.status().hindrances.some((hindrance) => hindrance.code === code) ?? false;

const backedUp = (them: Crowd, computer: Computer): Promise<void> =>
  played(them, async () => {
    const { snapshot } = await backUp(computer);
    assert.equal(await computer.protect(snapshot, 'complete', quiet), 'complete');
  });

test('an old machine that comes back after its identity was recovered stops by itself, for good', async () => {
  const them = family('successor');
  const { world } = them;
  const owner = await begun(them);
  const others = them.peers.slice(1);
  world.crash(owner.name);

  const heir = await recovered(them, owner, { name: 'heir' });
  await backedUp(them, present(heir.computer, 'the heir runs'));
  const held = () =>
    others.map((peer) => durable(peer).held.page(owner.keys.peerId, undefined, 1_000).length);
  const before = held();
  world.crash(heir.name);

  world.restart(owner.name);
  await world.run({ untilMs: world.nowMs + secondMs });
  const old = present(owner.computer, 'the old machine runs');
  const isSuperseded = (): boolean => says(owner, 'identity.superseded');
  // It has nothing to tell: it asks by itself.
  await waitUntil(them, 'it sees that it was succeeded', isSuperseded);
  const again = await played(them, () => old.backup({ ...request, tags: [] }, quiet));
  assert(!again.ok && again.error.code === 'backup.superseded', JSON.stringify(again));
  world.crash(owner.name);
  world.restart(owner.name);
  await world.run({ untilMs: world.nowMs + minuteMs });
  assert(isSuperseded(), 'after a restart as well');
  world.crash(owner.name);

  world.restart(heir.name);
  await world.run({ untilMs: world.nowMs + 2 * minuteMs });
  const heard = present(heir.computer, 'the heir goes on');
  assert.deepEqual(
    heard.partners().map(({ phase }) => phase),
    ['standing', 'standing', 'standing'],
  );
  assert.equal(heard.snapshots().at(-1)?.phase, 'complete');
  held().forEach((count, at) => {
    assert.ok(count >= (before[at] ?? 0));
  });
});

test('of two computers recovered from one manifest, the one that was overtaken says so, though it has told nobody', async () => {
  const them = family('two heirs');
  const { world } = them;
  const owner = await begun(them);
  world.crash(owner.name);
  const first = await recovered(them, owner, {
    name: 'first heir',
    transport: tellsNobody,
  });
  world.crash(first.name);
  const second = await recovered(them, owner, { name: 'second heir' });
  await backedUp(them, present(second.computer, 'it runs'));
  assert.ok(!says(second, 'identity.elsewhere'));
  world.crash(second.name);

  world.restart(first.name);
  await world.run({ untilMs: world.nowMs + secondMs });
  await waitUntil(them, 'it sees that another is ahead', () => says(first, 'identity.elsewhere'));
  assert.ok(!says(first, 'identity.superseded'), 'which of the two goes on, a person says');
  const { hindrances } = present(first.computer, 'it runs').status();
  const seenBy = hindrances.flatMap((found) =>
    found.code === 'identity.elsewhere' ? found.partners : [],
  );
  assert.ok(seenBy.length > 0);
  assert.equal(present(first.computer, 'it runs').supersededBy(), undefined);
  world.crash(first.name);

  world.restart(second.name);
  await world.run({ untilMs: world.nowMs + 2 * minuteMs });
  assert.ok(!says(second, 'identity.elsewhere'), 'the one whose manifest they have is not blamed');
  assert.equal(present(second.computer, 'it goes on').snapshots().at(-1)?.phase, 'complete');
});

test('a home that sits idle asks each partner once after its start, and then one of them every audit interval', async () => {
  const asked: string[] = [];
  const them = family('idle', (request) => {
    if (request.startsWith('GET /v1/manifests/')) asked.push(request);
  });
  const { world } = them;
  const owner = await begun(them);
  world.crash(owner.name);
  asked.length = 0;
  world.restart(owner.name);
  await world.run({ untilMs: world.nowMs + auditIntervalMs / 2 });
  assert.equal(asked.length, 3);
  assert.deepEqual(new Set(asked), new Set([`GET /v1/manifests/${owner.keys.peerId}`]));
  const intervals = 30;
  await world.run({ untilMs: world.nowMs + intervals * auditIntervalMs });
  const later = asked.length - 3;
  // It looks once a minute, and whenever something changes.
  assert.ok(later >= intervals / 4 && later <= intervals, `${later} in ${intervals} intervals`);
});
