/** Drills find out who would deny a restore while nothing is lost yet; read quotas hold, and stand in no restore's way (C16, C17; RESEARCH §2). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import { dayMs, hourMs, mebi, minuteMs, secondMs } from '../../src/base/units.ts';
import type { SnapshotId } from '../../src/core/vocabulary/ids.ts';
import { encodeRefusal, statusOf } from '../../src/core/wire/refusal.ts';
import { pathOf } from '../../src/core/wire/resources.ts';
import type { Computer } from '../../src/engine/computer.ts';
import type { DrillReport } from '../../src/engine/drills/drill-report.ts';
import type { PartnershipSettings } from '../../src/engine/partners/partnership-settings.ts';
import type { IncomingRequest, OutgoingReply, Transport } from '../../src/ports/transport.ts';
import { durable } from '../../src/sim/checkers.ts';
import { simAddress } from '../../src/sim/network.ts';
import type { SimPeer } from '../../src/sim/sim-peer.ts';
import type { SimComputer } from '../../src/sim/world.ts';
import { type Crowd, crowd, settled } from './crowd.ts';
import { backUp, facts, mustRestore, quiet, reach, Scene, smallFiles } from './scene.ts';

type Dodge = (request: IncomingRequest, reply: OutgoingReply) => OutgoingReply;

/** Answers by the engine, but for what the scenario changes. */
function dishonest(dodge: Dodge): (transport: Transport) => Transport {
  return (transport) => ({
    self: transport.self,
    request: (to, request, options) => transport.request(to, request, options),
    identify: (address, signal) => transport.identify(address, signal),
    serve: (handler, standingOf) =>
      transport.serve(async (request) => dodge(request, await handler(request)), standingOf),
    route: (peer) => transport.route(peer),
    close: () => transport.close(),
  });
}

const isRestoreRead = ({ method, path }: IncomingRequest): boolean =>
  method === 'GET' && /^\/v1\/shards\/[0-9a-f]+$/.test(path);

const denies: Dodge = (request, reply) =>
  isRestoreRead(request)
    ? { status: 403, body: encodeRefusal({ code: 'request.not-partner', detail: 'pay first' }) }
    : reply;

async function* garbled(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const part of body)
    yield part.map((byte, index) => (index % 997 === 5 ? ~byte : byte));
}

const garbles: Dodge = (request, reply) =>
  isRestoreRead(request) && reply.status === 200 && reply.body !== undefined
    ? { ...reply, body: garbled(reply.body as AsyncIterable<Uint8Array>) }
    : reply;

async function drilled(computer: Computer, files = 8): Promise<DrillReport> {
  const report = await computer.drill({ files, ...quiet });
  assert.ok(report.ok, report.ok ? '' : `${report.error.code} ${report.error.detail}`);
  return report.value;
}

test('honest partners serve a drill; status says when restoring was last proven', async () => {
  const scene = new Scene('drill', 4);
  await scene.mustPlay(async (computer, node) => {
    const { snapshot } = await backUp(computer);
    assert.equal(computer.status().lastProven, undefined);
    await reach(computer, node, { snapshot, phase: 'complete' });
    const report = await drilled(computer);
    assert.deepEqual(report.problems, []);
    assert.ok(report.files >= 8 && report.bytes > 0 && report.packs > 0);
    assert.ok(report.partners.every(({ wrongBlocks, code }) => wrongBlocks === 0 && code === ''));
    assert.equal(computer.status().lastProven, report.at);
    assert.deepEqual(computer.status().lastDrill, report);
  });
});

test('in a few drills every pack is visited and every partner is asked', async () => {
  const scene = new Scene('rounds', 4);
  await scene.mustPlay(async (computer, node) => {
    const { snapshot } = await backUp(computer);
    await reach(computer, node, { snapshot, phase: 'complete' });
    const asked = new Set<string>();
    let visited = 0;
    for (let turn = 0; turn < 6; turn += 1) {
      const report = await drilled(computer, 2);
      visited = Math.max(visited, report.packs);
      for (const { partner } of report.partners) asked.add(partner);
    }
    assert.equal(asked.size, 4);
    assert.ok(visited > 0);
  });
});

for (const [name, dodge, sign] of [
  ['denies restores', denies, 'request.not-partner'],
  ['gives wrong bytes', garbles, ''],
] as const)
  test(`a hostage-taker that ${name} is named by a drill, which restores all the same`, async () => {
    const scene = new Scene(`hostage ${name}`, 3);
    const taker = scene.newPeer('taker', { transport: dishonest(dodge) });
    let code = '';
    taker.spawn(async (computer) => {
      code = computer.invite({ spaceBytes: scene.lendsBytes, validMs: dayMs });
    });
    await scene.mustPlay(async (computer, node) => {
      while (code === '') await node.clock.sleep(100);
      assert.ok((await computer.join(code, { spaceBytes: scene.lendsBytes })).ok);
      const { snapshot } = await backUp(computer);
      await reach(computer, node, { snapshot, phase: 'complete' });
      let found: DrillReport | undefined;
      for (let turn = 0; turn < 4 && found === undefined; turn += 1) {
        const report = await drilled(computer);
        assert.deepEqual(report.problems, []);
        const named = report.partners.filter((each) => each.code !== '' || each.wrongBlocks > 0);
        assert.ok(named.every(({ partner }) => partner === taker.keys.peerId));
        if (named.length > 0) found = report;
      }
      const [named] = present(found, 'a drill that names it').partners.filter(
        ({ partner }) => partner === taker.keys.peerId,
      );
      assert.equal(named?.code, sign);
      assert.equal(named?.blocks === 0 || sign === '', true);
    });
  });

/** One computer and its partners, the first of which answers restore reads as the scenario wants. */
async function refusedOnce(
  seed: string,
  dodge: Dodge,
  count = 6,
): Promise<{ them: Crowd; owner: SimPeer }> {
  const periods: Partial<PartnershipSettings> = {
    ...{ graceMs: 2.5 * minuteMs, commitmentMs: 3 * minuteMs, noticeMs: 3 * minuteMs },
    ...{ deleteLockMs: 2 * minuteMs, spareAfterMs: 40 * secondMs, auditIntervalMs: 20 * secondMs },
  };
  const them = crowd(seed, count, {
    meets: true,
    partnership: (number) => ({
      ...{ ...periods, wantedPartners: 5, drillIntervalMs: 30 * secondMs },
      ...(number === 0 ? {} : { wantedBytes: 0 }),
    }),
    transport: (number) => (number === 1 ? dishonest(dodge) : undefined),
  });
  const owner = present(them.peers[0], 'an owner');
  owner.files.makeFolder('/home');
  const draws = them.world.prng.fork('files');
  smallFiles(owner.files, (count) => draws.bytes(count));
  await settled({ ...them, peers: them.peers.slice(0, 1) }, 5, minuteMs);
  let done = false;
  const work = async (computer: Computer): Promise<void> => {
    const { snapshot } = await backUp(computer);
    await computer.protect(snapshot, 'complete', quiet);
    done = true;
  };
  await play(them, owner, work, () => done);
  return { them, owner };
}

/** Where the owner has its first partner, again and again for so long. */
async function phasesSeen(
  { them, owner }: { readonly them: Crowd; readonly owner: SimPeer },
  forMs: number,
): Promise<ReadonlySet<string>> {
  const seen = new Set<string>();
  const taker = present(them.peers[1], 'a partner').keys.peerId;
  for (const until = them.world.nowMs + forMs; them.world.nowMs < until; ) {
    await them.world.run({ untilMs: them.world.nowMs + 5 * secondMs });
    seen.add(durable(owner).agreements.ofPartner(taker)?.phase ?? 'none');
  }
  return seen;
}

test('C17: a hostage-taker that passes every audit and refuses restores reneges after G', async () => {
  const scene = await refusedOnce('hostage', denies);
  const early = await phasesSeen(scene, 5 * minuteMs);
  assert.ok(early.has('suspended') && !early.has('reneged'), [...early].join());
  const late = await phasesSeen(scene, 2 * minuteMs);
  assert.ok(late.has('reneged'), [...late].join());
});

test('C17: one that hears that this computer restores, and refuses only then, reneges as well, also when only reserves are left to ask for', async () => {
  let announced = false;
  let refusals = 0;
  const scene = await refusedOnce(
    'two faces',
    (request, reply) => {
      if (request.path === '/v1/notices') announced = true;
      // All of its first drill, however many reads that makes of it: one alone would be served again at once.
      if (!isRestoreRead(request) || (refusals >= 10 && !announced)) return reply;
      refusals += 1;
      return denies(request, reply);
    },
    7,
  );
  const seen = await phasesSeen(scene, 8 * minuteMs);
  assert.ok(seen.has('reneged'), [...seen].join());
});

for (const [code, times] of [
  ['peer.fault', 3],
  ['request.quota', 6],
  ['shard.unknown', 6],
] as const)
  test(`C17: an honest partner that says ${code} for a moment is asked again soon, and stays in good standing`, async () => {
    let refusals = 0;
    const scene = await refusedOnce('overload', (request, reply) => {
      if (!isRestoreRead(request) || refusals >= times) return reply;
      refusals += 1;
      return { status: statusOf(code), body: encodeRefusal({ code, detail: 'overloaded' }) };
    });
    const seen = await phasesSeen(scene, 8 * minuteMs);
    assert.equal(refusals, times);
    assert.deepEqual([...seen].sort(), ['in-commitment', 'standing']);
  });

test('drills run by themselves, as often as is set', async () => {
  const owner = { settings: { partnership: { drillIntervalMs: hourMs } } };
  const scene = new Scene('daily', 4, { files: smallFiles, owner });
  await scene.mustPlay(async (computer, node) => {
    const { snapshot } = await backUp(computer);
    await reach(computer, node, { snapshot, phase: 'complete' });
    await node.clock.sleep(hourMs + 5 * minuteMs);
    const first = present(computer.status().lastProven, 'a drill in the first hour');
    await node.clock.sleep(1.5 * hourMs);
    assert.ok(present(computer.status().lastProven, 'another') > first);
  });
});

test('partners in commitment are not asked; afterwards they are', async () => {
  const periods: Partial<PartnershipSettings> = {
    ...{ graceMs: 4 * minuteMs, commitmentMs: 6 * minuteMs, noticeMs: 3 * minuteMs },
    ...{ deleteLockMs: 2 * minuteMs, spareAfterMs: minuteMs, auditIntervalMs: 20 * secondMs },
  };
  const them = crowd('young', 5, {
    meets: true,
    partnership: (number) => ({
      ...{ ...periods, wantedPartners: 4 },
      ...(number === 0 ? {} : { wantedBytes: 0 }),
    }),
  });
  const owner = present(them.peers[0], 'an owner');
  owner.files.makeFolder('/home');
  const draws = them.world.prng.fork('files');
  smallFiles(owner.files, (count) => draws.bytes(count));
  await settled({ ...them, peers: them.peers.slice(0, 1) }, 4, minuteMs);
  const results: string[] = [];
  const work = async (computer: Computer): Promise<void> => {
    const { snapshot } = await backUp(computer);
    await computer.protect(snapshot, 'complete', quiet);
    const young = await computer.drill({ files: 4, ...quiet });
    results.push(young.ok ? 'drilled' : young.error.code);
  };
  await play(them, owner, work, () => results.length === 1);
  assert.deepEqual(results, ['drill.nothing']);
  await them.world.run({ untilMs: them.world.nowMs + 8 * minuteMs });
  const later = async (computer: Computer): Promise<void> => {
    const report = await drilled(computer, 4);
    results.push(`${report.problems.length} problems`);
  };
  await play(them, owner, later, () => results.length === 2);
  assert.deepEqual(results[1], '0 problems');
});

async function play(
  them: Crowd,
  owner: SimPeer,
  ...[work, until]: [(computer: Computer) => Promise<void>, () => boolean]
): Promise<void> {
  let failure: unknown;
  work(present(owner.computer, 'the owner runs')).catch((reason: unknown) => {
    failure = reason;
  });
  await them.world.run({
    until: () => until() || failure !== undefined,
    untilMs: them.world.nowMs + hourMs,
  });
  if (failure !== undefined) throw failure;
}

/** Reads what a partner holds over and over, by the wire alone and without any notice, until it is refused; gives how many bytes came. */
async function steal(scene: Scene, node: SimComputer): Promise<number> {
  const holder = present(scene.partners[0], 'a partner').keys.peerId;
  const transport = scene.link.transport(node, scene.owner.keys.peerId);
  const names = durable(present(scene.partners[0], 'a partner')).held.page(
    ...[scene.owner.keys.peerId, undefined, 100],
  );
  let [bytes, refusals] = [0, 0];
  while (refusals < 3 * names.length)
    for (const { name } of names) {
      const request = { method: 'GET', path: pathOf({ resource: 'shard', name }) } as const;
      const to = { peer: holder, addresses: [simAddress(holder)] };
      const reply = await transport.request(to, request);
      assert.ok(reply.ok);
      if (reply.value.status === 429) refusals += 1;
      for await (const part of reply.value.body)
        if (reply.value.status === 200) bytes += part.length;
    }
  return bytes;
}

test('a read quota ends a thief of bandwidth, and stands in the way of no restore', async () => {
  const scene = new Scene('thief', 1);
  await scene.mustPlay(async (computer, node) => {
    const { snapshot } = await backUp(computer);
    await reach(computer, node, { snapshot, phase: 'complete' });
    const stolen = await steal(scene, node);
    assert.ok(stolen > 16 * mebi && stolen < 64 * mebi, `${stolen} bytes were read in a day`);
    assert.equal(await steal(scene, node), 0);
    await mustRestore(scene, computer, { snapshot });
  });
});

test('a new computer restores everything though the quota of the day is used up', async () => {
  const scene = new Scene('loss', 1);
  let snapshot: SnapshotId | undefined;
  await scene.mustPlay(async (computer, node) => {
    ({ snapshot } = await backUp(computer));
    await reach(computer, node, { snapshot, phase: 'complete' });
    assert.ok((await steal(scene, node)) > 0);
  });
  const files = facts(scene.owner.files, '/home');
  scene.world.crash(scene.owner.name);
  const heir = scene.newPeer('heir', { rootSeed: scene.owner.rootSeed });
  let done = false;
  heir.spawn(async (computer) => {
    const holder = present(scene.partners[0], 'a partner');
    const peers = [{ peer: undefined, address: simAddress(holder.keys.peerId) }];
    const report = await computer.recover(peers, { floor: undefined, ...quiet });
    assert.ok(report.ok, JSON.stringify(report));
    const wanted = { snapshot: present(snapshot, 'a snapshot'), files };
    await mustRestore({ owner: heir }, computer, wanted);
    await mustRestore({ owner: heir }, computer, wanted);
    done = true;
  });
  const end = await scene.world.run({ untilMs: scene.world.nowMs + dayMs, until: () => done });
  assert.equal(end, 'reached', scene.report());
});
