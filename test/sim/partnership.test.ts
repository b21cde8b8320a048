/** A partnership from its signature to its end (C20, C22, C30, C46): commitment, silence, reneging, leaving, other terms, and what a person may do about it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import { hourMs, mebi, minuteMs, secondMs } from '../../src/base/units.ts';
import { pathOf } from '../../src/core/wire/resources.ts';
import type { Computer } from '../../src/engine/computer.ts';
import type { PartnershipSettings } from '../../src/engine/partners/partnership-settings.ts';
import { durable } from '../../src/sim/checkers.ts';
import { simAddress } from '../../src/sim/network.ts';
import type { SimPeer } from '../../src/sim/sim-peer.ts';
import { type Crowd, crowd, settled } from './crowd.ts';
import { backUp, quiet, smallFiles } from './scene.ts';

/** Periods in proportion, on the scale of minutes. */
const periods: Partial<PartnershipSettings> = {
  graceMs: 4 * minuteMs,
  commitmentMs: 6 * minuteMs,
  noticeMs: 3 * minuteMs,
  deleteLockMs: 2 * minuteMs,
  spareAfterMs: minuteMs,
  auditIntervalMs: 20 * secondMs,
};

function circle(seed: string, count: number, wantedPartners: number): Crowd {
  const them = crowd(seed, count, {
    meets: true,
    partnership: (number) => ({
      ...periods,
      wantedPartners,
      // Only the first one wants anything; the others lend.
      ...(number === 0 ? {} : { wantedBytes: 0 }),
    }),
  });
  const owner = present(them.peers[0], 'an owner');
  owner.files.makeFolder('/home');
  const draws = them.world.prng.fork('files');
  smallFiles(owner.files, (bytes) => draws.bytes(bytes));
  return them;
}

/** Runs `work` of the first computer to its end, on the world's time. */
async function play<T>({ world, peers }: Crowd, work: (owner: Computer) => Promise<T>): Promise<T> {
  let done: { readonly value: T } | undefined;
  let failure: unknown;
  work(present(peers[0]?.computer, 'the owner runs')).then(
    (value) => {
      done = { value };
    },
    (reason: unknown) => {
      failure = reason;
    },
  );
  const end = await world.run({
    until: () => done !== undefined || failure !== undefined,
    untilMs: world.nowMs + hourMs,
  });
  if (failure !== undefined) throw failure;
  assert.equal(end, 'reached');
  return present(done, 'the work ended').value;
}

async function wait({ world }: Crowd, ms: number): Promise<void> {
  await world.run({ untilMs: world.nowMs + ms });
}

async function waitUntil(them: Crowd, what: string, holds: () => boolean): Promise<void> {
  const { world } = them;
  const limitMs = world.nowMs + hourMs;
  while (!holds()) {
    assert(world.nowMs < limitMs, `in vain: ${what}`);
    await wait(them, 5 * secondMs);
  }
}

function owner({ peers }: Crowd): Computer {
  return present(peers[0]?.computer, 'the owner runs');
}

async function backedUp(them: Crowd): Promise<void> {
  await play(them, async (computer) => {
    const { snapshot } = await backUp(computer);
    const phase = await computer.protect(snapshot, 'complete', quiet);
    assert.equal(phase, 'complete');
  });
}

function peerOf(them: Crowd, number: number): SimPeer {
  const id = present(owner(them).partners()[number], 'a partner').agreement.partner;
  return present(
    them.peers.find(({ keys }) => keys.peerId === id),
    'one of us',
  );
}

function phaseAt(peer: SimPeer, other: SimPeer): string | undefined {
  const row = durable(peer).agreements.ofPartner(other.keys.peerId);
  return row?.phase;
}

async function restores(them: Crowd): Promise<boolean> {
  return await play(them, async (computer) => {
    const snapshot = present(computer.snapshots().at(-1), 'a snapshot').snapshot;
    try {
      const [file] = await firstFile(computer, snapshot);
      const read = await computer.read(snapshot, present(file, 'a file'));
      if (!read.ok) return false;
      for await (const part of read.value) assert(part.length > 0);
      return true;
    } catch (reason) {
      assert(reason instanceof Error && reason.name !== 'AssertionError', String(reason));
      return false;
    }
  });
}

/** What a partner says to an owner that asks for a shard whatever its own engine thinks of that. */
async function askedDirectly(them: Crowd): Promise<number> {
  const partner = peerOf(them, 0);
  const self = present(them.peers[0], 'it').keys.peerId;
  const [held] = durable(partner).held.page(self, undefined, 1);
  const { name } = present(held, 'something is held there');
  const raw = them.link.network.transport(self);
  return await play(them, async () => {
    const path = pathOf({ resource: 'shard', name });
    const reply = await raw.request(
      { peer: partner.keys.peerId, addresses: [simAddress(partner.keys.peerId)] },
      { method: 'GET', path },
    );
    assert(reply.ok);
    await reply.value.body[Symbol.asyncIterator]().return?.();
    return reply.value.status;
  });
}

async function firstFile(
  computer: Computer,
  snapshot: Parameters<Computer['list']>[0],
): Promise<Uint8Array<ArrayBuffer>[]> {
  const files: Uint8Array<ArrayBuffer>[] = [];
  for await (const { path, entry } of computer.list(snapshot, undefined, true))
    if (entry.kind === 'file') files.push(path);
  return files;
}

test('a partner that leaves has its shards moved first, and both sides know that it ended', async () => {
  const them = circle('leaving', 6, 4);
  await settled({ ...them, peers: them.peers.slice(0, 1) }, 4, minuteMs);
  await backedUp(them);
  const leaver = peerOf(them, 1);
  const [self] = them.peers;
  await play(them, async (computer) => {
    const left = await computer.leave(leaver.keys.peerId);
    assert(left.ok && left.value.leavesAt !== undefined);
  });
  await waitUntil(
    them,
    'the partner knows',
    () => phaseAt(leaver, present(self, 'it')) === 'leaving',
  );
  await waitUntil(them, 'both ended', () =>
    [phaseAt(leaver, present(self, 'it')), phaseAt(present(self, 'it'), leaver)].every(
      (phase) => phase === 'ended',
    ),
  );
  const stores = durable(present(self, 'it'));
  assert.deepEqual(
    stores.shards.ofPartner(leaver.keys.peerId).filter(({ phase }) => phase === 'held'),
    [],
  );
  await waitUntil(them, 'another took its place', () => owner(them).partners().length >= 4);
  const [latest] = owner(them).snapshots().slice(-1);
  assert.equal(latest?.phase, 'complete');
  assert.notEqual(
    owner(them)
      .partners()
      .some(({ agreement }) => agreement.partner === leaver.keys.peerId),
    true,
  );
});

test('a notice to a partner in commitment runs from when what is only there can be read back', async () => {
  const them = circle('leaving early', 6, 4);
  await settled({ ...them, peers: them.peers.slice(0, 1) }, 4, minuteMs);
  await play(them, async (computer) => {
    await backUp(computer);
    const { shards } = durable(present(them.peers[0], 'the owner'));
    const there = computer
      .partners()
      .find(({ agreement }) => shards.ofPartner(agreement.partner).length > 0);
    const { agreement, commitmentEndsAt } = present(there, 'who was sent something');
    const left = await computer.leave(agreement.partner);
    const from = present(commitmentEndsAt, 'it gives nothing back yet');
    assert(left.ok && left.value.leavesAt === from + present(periods.noticeMs, 'a period'));
  });
});

test('a notice that is taken back changes nothing', async () => {
  const them = circle('staying', 4, 3);
  await settled({ ...them, peers: them.peers.slice(0, 1) }, 3, minuteMs);
  const partner = peerOf(them, 0);
  const self = present(them.peers[0], 'it');
  await play(them, (computer) => computer.leave(partner.keys.peerId));
  await wait(them, 20 * secondMs);
  assert.equal(phaseAt(partner, self), 'leaving');
  await play(them, (computer) => computer.stay(partner.keys.peerId));
  await wait(them, 20 * secondMs);
  assert.equal(phaseAt(partner, self), 'in-commitment');
  assert.equal(phaseAt(self, partner), 'in-commitment');
  await wait(them, 10 * minuteMs);
  assert.equal(phaseAt(self, partner), 'standing');
  assert.equal(phaseAt(partner, self), 'standing');
});

test('a partner that falls silent gets a spare, has reneged after the grace period, and is replaced', async () => {
  const them = circle('silence', 7, 4);
  await settled({ ...them, peers: them.peers.slice(0, 1) }, 4, minuteMs);
  await backedUp(them);
  const silent = peerOf(them, 2);
  const self = present(them.peers[0], 'it');
  them.world.crash(silent.name);
  await waitUntil(them, 'it is suspended', () => phaseAt(self, silent) === 'suspended');
  const suspendedAt = them.world.nowMs;
  await waitUntil(them, 'it reneged', () =>
    ['reneged', 'ended'].includes(phaseAt(self, silent) ?? ''),
  );
  // T_r and G in time that was watched; probes are some seconds apart.
  assert(them.world.nowMs - suspendedAt >= 2 * minuteMs, 'not within G');
  await waitUntil(
    them,
    'all is whole again',
    () =>
      owner(them).snapshots().at(-1)?.phase === 'complete' && owner(them).partners().length >= 4,
  );
});

test('a partner that is away for less than the grace period comes back as what it was', async () => {
  const them = circle('night', 5, 4);
  await settled({ ...them, peers: them.peers.slice(0, 1) }, 4, minuteMs);
  await backedUp(them);
  const away = peerOf(them, 0);
  const self = present(them.peers[0], 'it');
  them.world.crash(away.name);
  await waitUntil(them, 'it is suspended', () => phaseAt(self, away) === 'suspended');
  them.world.restart(away.name);
  await waitUntil(them, 'it is back', () => phaseAt(self, away) !== 'suspended');
  assert.match(phaseAt(self, away) ?? '', /^(in-commitment|standing)$/);
});

test('restores are neither made nor honoured during the commitment period', async () => {
  const them = circle('commitment', 5, 4);
  await settled({ ...them, peers: them.peers.slice(0, 1) }, 4, minuteMs);
  await backedUp(them);
  const { world } = them;
  const self = present(them.peers[0], 'it');
  // Nothing is left here to restore from.
  for (const name of self.home.spool.wholeNames()) self.home.spool.rot(name);
  assert(
    owner(them)
      .partners()
      .every(({ commitmentEndsAt }) => commitmentEndsAt !== undefined),
  );
  assert.equal(await restores(them), false);
  assert.equal(await askedDirectly(them), 403);
  await world.run({ untilMs: 8 * minuteMs });
  assert(
    owner(them)
      .partners()
      .every(({ commitmentEndsAt }) => commitmentEndsAt === undefined),
  );
  assert.equal(await restores(them), true);
  assert.equal(await askedDirectly(them), 200);
});

test('who lends less has the agreement changed by both, and shards moved, not dropped', async () => {
  const them = circle('shrinking', 6, 4);
  await settled({ ...them, peers: them.peers.slice(0, 1) }, 4, minuteMs);
  await backedUp(them);
  const partner = peerOf(them, 3);
  const before = present(
    owner(them)
      .partners()
      .find(({ agreement }) => agreement.partner === partner.keys.peerId),
    'it',
  );
  const less = await play(them, (computer) =>
    computer.changeTerms(
      partner.keys.peerId,
      { weLendBytes: 10 * mebi, lendsUsBytes: 20 * mebi },
      quiet.signal,
    ),
  );
  assert(less.ok, JSON.stringify(less));
  assert.equal(less.value.row.agreement, before.agreement.agreement);
  assert.equal(less.value.weLendBytes, 10 * mebi);
  assert.equal(less.value.lendsUsBytes, 20 * mebi);
  const self = present(them.peers[0], 'it');
  const theirs = durable(partner).agreements.ofPartner(self.keys.peerId);
  assert.deepEqual(theirs?.document, less.value.row.document);
  const grown = await play(them, (computer) =>
    computer.changeTerms(partner.keys.peerId, { weLendBytes: 2 ** 45 }, quiet.signal),
  );
  assert(!grown.ok || grown.value.weLendBytes < 2 ** 40, 'nobody lends what it has not');
});

test('a partner can be forgotten at once, and one that reneged be forgiven', async () => {
  const them = circle('by hand', 6, 3);
  await settled({ ...them, peers: them.peers.slice(0, 1) }, 3, minuteMs);
  const self = present(them.peers[0], 'it');
  const [silent, unwanted] = [peerOf(them, 0), peerOf(them, 1)];
  them.world.crash(silent.name);
  await waitUntil(them, 'it reneged', () =>
    ['reneged', 'ended'].includes(phaseAt(self, silent) ?? ''),
  );
  const forgotten = owner(them).forget(unwanted.keys.peerId);
  assert(forgotten.ok);
  assert.equal(phaseAt(self, unwanted), 'ended');
  const again = owner(them).forget(unwanted.keys.peerId);
  assert(!again.ok);
  assert.equal(again.error.code, 'partner.wrong-phase');
  const unknown = owner(them).forgive(self.keys.peerId);
  assert(!unknown.ok);
  assert.equal(unknown.error.code, 'partner.unknown');
});
