/** Packs are laid out anew as partners come, leave and lend less; whatever happens in between, every snapshot can be restored (C20, C36). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import type { Bytes } from '../../src/base/bytes.ts';
import { dayMs, hourMs, minuteMs } from '../../src/base/units.ts';
import {
  encodeAgreement,
  encodeSignedAgreement,
  signAgreement,
} from '../../src/core/agreements/agreement.ts';
import { codeText } from '../../src/core/vocabulary/code.ts';
import type { SnapshotId } from '../../src/core/vocabulary/ids.ts';
import { blockBytes } from '../../src/core/vocabulary/limits.ts';
import type { Computer } from '../../src/engine/computer.ts';
import { agreementOf, liveBytesAt } from '../../src/engine/partners/partner-space.ts';
import { partnerTrash } from '../../src/engine/partners/partner-trash.ts';
import type { AgreementRow } from '../../src/ports/stores.ts';
import { durable, violations } from '../../src/sim/checkers.ts';
import { calmPlan, type PlannedCrash } from '../../src/sim/fault-plan.ts';
import { Crashed } from '../../src/sim/life.ts';
import { simAddress } from '../../src/sim/network.ts';
import type { SimPeer } from '../../src/sim/sim-peer.ts';
import type { SimComputer } from '../../src/sim/world.ts';
import { backUp, facts, mustRestore, quiet, reach, Scene, smallFiles } from './scene.ts';

/** Joins partners up to so many. */
async function joinUpTo(
  scene: Scene,
  { computer, node }: { readonly computer: Computer; readonly node: SimComputer },
  count: number,
): Promise<void> {
  for (const partner of scene.partners.slice(0, count)) {
    const peer = partner.keys.peerId;
    while (!computer.partners().some(({ agreement }) => agreement.partner === peer)) {
      const code = invited(scene, partner);
      if (code !== undefined) await computer.join(code, { spaceBytes: scene.lendsBytes });
      await node.clock.sleep(1_000);
    }
  }
}

/** An invite, unless the partner is down, or goes down as it writes it. */
function invited(scene: Scene, partner: SimPeer): string | undefined {
  try {
    return partner.computer?.invite({ spaceBytes: scene.lendsBytes, validMs: dayMs });
  } catch (reason) {
    if (reason instanceof Crashed) return undefined;
    throw reason;
  }
}

function codesOf(owner: SimPeer): ReadonlySet<string> {
  const packs = durable(owner).packs.all();
  return new Set(packs.map(({ code }) => (code === undefined ? 'none' : codeText(code))));
}

/** All packs are in one code, described, and nothing is left to be moved or deleted. */
function isSettled(owner: SimPeer, code: string): boolean {
  const stores = durable(owner);
  const codes = [...codesOf(owner)];
  const packs = stores.packs.all();
  return (
    codes.length === 1 &&
    codes[0] === code &&
    stores.layouts.all().length === 0 &&
    stores.layouts.retired().length === 0 &&
    packs.every(({ kind, indexed }) => kind === 'index' || indexed) &&
    stores.shards.incompletePacks().length === 0
  );
}

async function settle(scene: Scene, node: SimComputer, code: string): Promise<void> {
  while (!isSettled(scene.owner, code)) await node.clock.sleep(10_000);
}

/** A new computer with the owner's seed brings the last snapshot back. */
async function mustRecover(scene: Scene, name: string, snapshot: SnapshotId): Promise<void> {
  const heir = scene.newPeer(name, { rootSeed: scene.owner.rootSeed });
  const files = facts(scene.owner.files, '/home');
  let done = false;
  heir.spawn(async (computer) => {
    const peers = scene.partners.map(({ keys: { peerId } }) => ({
      peer: undefined,
      address: simAddress(peerId),
    }));
    const report = await computer.recover(peers, { floor: undefined, ...quiet });
    assert.ok(report.ok, JSON.stringify(report));
    await mustRestore({ owner: heir }, computer, { snapshot, files });
    done = true;
  });
  const end = await scene.world.run({
    untilMs: scene.world.nowMs + hourMs,
    until: () => done,
  });
  assert.equal(end, 'reached', `${name}\n${scene.report()}`);
  scene.world.crash(heir.name);
}

const growth: readonly (readonly [number, string])[] = [
  [1, '1+0'],
  [2, '1+1'],
  [4, '2+2'],
  [8, '4+4'],
];

/** One partner, a backup, then more and more partners; begun again where it stands in every life. */
async function grow(scene: Scene, computer: Computer, node: SimComputer): Promise<SnapshotId> {
  await joinUpTo(scene, { computer, node }, 1);
  const known = computer.snapshots()[0]?.snapshot;
  const snapshot = known ?? (await backUp(computer)).snapshot;
  await reach(computer, node, { snapshot, phase: 'complete' });
  for (const [count, code] of growth) {
    if (computer.partners().length > count) continue;
    await joinUpTo(scene, { computer, node }, count);
    await settle(scene, node, code);
    await mustRestore(scene, computer, { snapshot });
  }
  return snapshot;
}

/** Partners are joined by hand. */
class GrowingScene extends Scene {
  override async joinAll(): Promise<void> {}
}

interface GrowingOptions {
  readonly crashes?: readonly PlannedCrash[];
  readonly cacheCapBytes?: number;
}

function growingScene({ crashes, cacheCapBytes }: GrowingOptions): GrowingScene {
  return new GrowingScene('relocation', 8, {
    plan: { ...calmPlan, crashes: crashes ?? [] },
    files: smallFiles,
    owner: cacheCapBytes === undefined ? {} : { cacheCapBytes },
  });
}

async function grown(options: GrowingOptions): Promise<GrowingScene> {
  const scene = growingScene(options);
  try {
    await scene.mustPlay(async (computer, node) => {
      await grow(scene, computer, node);
    }, 6 * hourMs);
  } catch (reason) {
    const replay = `replay: ${JSON.stringify(options)}`;
    throw new Error(`${replay}\n${scene.report()}`, { cause: reason });
  }
  assert.deepEqual([...codesOf(scene.owner)], ['4+4']);
  return scene;
}

function firstSnapshot(owner: SimPeer): SnapshotId {
  return present(durable(owner).snapshots.all()[0], 'a snapshot').snapshot;
}

for (const [where, cacheCapBytes] of [
  ['the spool', undefined],
  ['partners', 0],
] as const)
  test(`C36: as partners come, from one to eight, every old pack is coded again, its bytes from ${where}`, async () => {
    const scene = await grown(cacheCapBytes === undefined ? {} : { cacheCapBytes });
    const snapshot = firstSnapshot(scene.owner);
    assert.ok(partnerTrash.all(durable(scene.owner)).length > 0);
    scene.world.crash('owner');
    for (const partner of scene.partners.slice(0, 4)) scene.world.crash(partner.name);
    await mustRecover(scene, 'heir', snapshot);
  });

/** At most so many of the crash points are tried, spread evenly; COVAULT_CRASH_POINTS=10000 tries all. */
const pointsMaximum = Number(process.env['COVAULT_CRASH_POINTS'] ?? 8);

function spread<T>(all: readonly T[]): readonly T[] {
  const every = Math.max(1, all.length / pointsMaximum);
  const count = Math.min(all.length, pointsMaximum);
  return Array.from({ length: count }, (_, at) => present(all[Math.floor(at * every)], 'a point'));
}

function pointsOf(node: string, steps: number, downMs: number): readonly PlannedCrash[] {
  return Array.from({ length: steps }, (_, index) => index + 1).flatMap((step) =>
    (['before', 'after'] as const).map((moment) => ({ node, step, moment, downMs })),
  );
}

for (const node of ['owner', 'partner-0', 'partner-5'])
  test(`C44: ${node} crashes at any durable step, and all packs are coded again in the end`, async () => {
    const calm = await grown({ cacheCapBytes: 0 });
    const steps = calm.world.durableSteps(node);
    assert.ok(steps > 10, `${steps} steps`);
    for (const crash of spread(pointsOf(node, steps, 3_000)))
      await grown({ crashes: [crash], cacheCapBytes: 0 });
  });

/** How many of those that were there before may vanish as well, by the number of partners. */
function bearable(partners: number): number {
  return partners <= 2 ? 0 : partners <= 4 ? 1 : 2;
}

test('C14, C44: the owner loses everything at any durable step, some partners vanish too, and what was protected is restored', async () => {
  const calm = await grown({});
  const years = 3_650 * dayMs;
  let tried = 0;
  const crashes = spread(pointsOf('owner', calm.world.durableSteps('owner'), years));
  for (const crash of crashes) {
    const scene = growingScene({ crashes: [crash] });
    await scene.play(async (computer, node) => {
      await grow(scene, computer, node);
    }, hourMs);
    scene.world.crash('owner');
    const stores = durable(scene.owner);
    const [snapshot] = stores.snapshots.all();
    if (snapshot === undefined || snapshot.phase === 'captured') continue;
    const partners = stores.agreements.all().filter(({ phase }) => phase === 'standing');
    const gone = scene.partners.slice(0, bearable(partners.length));
    for (const { name } of gone) scene.world.crash(name);
    tried += 1;
    try {
      await mustRecover(scene, 'heir', snapshot.snapshot);
    } catch (reason) {
      throw new Error(`replay: ${JSON.stringify(crash)}`, { cause: reason });
    }
  }
  // Before the first steps nothing is protected yet.
  assert.ok(tried >= Math.floor(crashes.length / 2), `${tried} of ${crashes.length}`);
});

/** Changes what the owner has of its agreement with a partner, as a notice or a renewal does. */
function changeAgreement(
  scene: Scene,
  partner: SimPeer,
  change: (row: AgreementRow) => Partial<AgreementRow>,
): void {
  const { agreements } = scene.owner.home.stores;
  const row = present(agreements.ofPartner(partner.keys.peerId), 'an agreement');
  agreements.put({ ...row, ...change(row) });
}

function shardsAt(scene: Scene, partner: SimPeer): number {
  return durable(scene.owner).shards.ofPartner(partner.keys.peerId).length;
}

test('C46: a partner that leaves has its shards moved to others, and only those', async () => {
  const scene = new Scene('leaving', 5, { files: smallFiles, owner: { cacheCapBytes: 0 } });
  const [leaver] = scene.partners;
  assert.ok(leaver !== undefined);
  await scene.mustPlay(async (computer, node) => {
    scene.world.crash('partner-4');
    const { snapshot } = await backUp(computer);
    await reach(computer, node, { snapshot, phase: 'protected' });
    scene.world.restart('partner-4');
    await reach(computer, node, { snapshot, phase: 'complete' });
    await settle(scene, node, '3+2');
    const extra = scene.newPeer('extra');
    extra.spawn();
    await node.clock.sleep(1_000);
    const code = present(extra.computer, 'a partner').invite({
      ...{ spaceBytes: scene.lendsBytes, validMs: dayMs },
    });
    changeAgreement(scene, leaver, () => ({ phase: 'leaving' }));
    const joined = await computer.join(code, { spaceBytes: scene.lendsBytes });
    assert.ok(joined.ok);
    while (shardsAt(scene, leaver) > 0) await node.clock.sleep(10_000);
    await settle(scene, node, '3+2');
    const left = durable(leaver).held.page(scene.owner.keys.peerId, undefined, 10);
    assert.deepEqual(left, [], 'what it had is in its trash');
    assert.ok(durable(leaver).held.trashed(scene.owner.keys.peerId).length > 0);
    scene.world.crash(leaver.name);
    await mustRestore(scene, computer, { snapshot });
  }, dayMs);
});

/** The same agreement with other space, signed by both. */
function lendingLess(
  { owner }: Scene,
  partner: SimPeer,
  { row, bytes }: { readonly row: AgreementRow; readonly bytes: number },
): Bytes {
  const agreement = agreementOf(row);
  const isFirst = agreement.first === partner.keys.peerId;
  const less = isFirst ? { firstLendsBytes: bytes } : { secondLendsBytes: bytes };
  const body = encodeAgreement({ ...agreement, terms: { ...agreement.terms, ...less } });
  const [first, second] = isFirst ? [partner, owner] : [owner, partner];
  const half = signAgreement({ body, signatures: {} }, 'second', second.keys.identitySeed);
  return encodeSignedAgreement(signAgreement(half, 'first', first.keys.identitySeed));
}

test('a partner that lends less than it has of ours has as much moved to others, and keeps the rest', async () => {
  const scene = new Scene('shrinking', 5, { owner: { cacheCapBytes: 0 } });
  const [first, ...others] = scene.partners;
  assert.ok(first !== undefined);
  await scene.mustPlay(async (computer, node) => {
    for (const round of [1, 2, 3]) {
      scene.owner.files.writeFile(`/home/round-${round}`, new Uint8Array(90_000).fill(round));
      const { snapshot } = await backUp(computer);
      await reach(computer, node, { snapshot, phase: 'complete' });
    }
    const extra = scene.newPeer('extra');
    extra.spawn();
    await node.clock.sleep(1_000);
    await settle(scene, node, '3+2');
    const before = shardsAt(scene, first);
    const bytes = liveBytesAt(durable(scene.owner), first.keys.peerId);
    const most = bytes - 2 * blockBytes;
    changeAgreement(scene, first, (row) => ({
      document: lendingLess(scene, first, { row, bytes: most }),
    }));
    const code = present(extra.computer, 'a partner').invite({
      ...{ spaceBytes: scene.lendsBytes, validMs: dayMs },
    });
    assert.ok((await computer.join(code, { spaceBytes: scene.lendsBytes })).ok);
    // Six partners carry a stronger code, which what was lent less has no room for.
    const isWithin = (): boolean =>
      liveBytesAt(durable(scene.owner), first.keys.peerId) <= most &&
      durable(scene.owner).layouts.all().length === 0;
    while (!isWithin()) await node.clock.sleep(10_000);
    assert.ok(shardsAt(scene, first) < before);
    const last = present(computer.snapshots().at(-1), 'a snapshot').snapshot;
    scene.world.crash(present(others[0], 'a partner').name);
    await mustRestore(scene, computer, { snapshot: last });
  }, dayMs);
});

/** Backups and partners come all the time, while disks and coders are slow: layouts change under whatever was read before. */
async function builtSlowly(seed: number): Promise<void> {
  const work = { share: 0.5, mostMs: 6_000 };
  const plan = { ...calmPlan, work, healsAtMs: 2 * hourMs };
  const owner = { cacheCapBytes: 0 };
  const scene = new GrowingScene(`slow ${seed}`, 8, { plan, files: smallFiles, owner });
  const draws = scene.world.prng.fork('changes');
  await scene.mustPlay(async (computer, node) => {
    await joinUpTo(scene, { computer, node }, 2);
    for (let round = 0; round < 8; round += 1) {
      scene.owner.files.writeFile(`/home/round-${round}`, draws.bytes(90_000));
      await backUp(computer);
      if (round < 6) await joinUpTo(scene, { computer, node }, 3 + round);
      await node.clock.sleep(draws.between(0, 20_000));
    }
    const last = present(computer.snapshots().at(-1), 'a snapshot').snapshot;
    await reach(computer, node, { snapshot: last, phase: 'complete' });
    await settle(scene, node, '4+4');
    await node.clock.sleep(2 * hourMs);
    const phases = computer.partners().map(({ phase }) => phase);
    assert.deepEqual([...new Set(phases)], ['standing'], 'everybody is honest');
  }, dayMs);
  assert.deepEqual(violations(scene.owner, scene.partners), []);
  const last = present(durable(scene.owner).snapshots.all().at(-1), 'a snapshot');
  scene.world.crash('owner');
  await mustRecover(scene, 'heir', last.snapshot);
}

for (const seed of [1, 3])
  test(`C36: what is laid out anew while it is coded, described and sent stays what it is called, seed ${seed}`, async () => {
    await builtSlowly(seed);
  });

test('what was deleted takes room at its partner until that let go of it, and no longer', async () => {
  const scene = new GrowingScene('trash', 2, { files: smallFiles });
  const [first] = scene.partners;
  assert.ok(first !== undefined);
  const trashOf = (): number => durable(first).held.trashed(scene.owner.keys.peerId).length;
  await scene.mustPlay(async (computer, node) => {
    await joinUpTo(scene, { computer, node }, 1);
    const { snapshot } = await backUp(computer);
    await reach(computer, node, { snapshot, phase: 'complete' });
    const alone = liveBytesAt(durable(scene.owner), first.keys.peerId);
    await joinUpTo(scene, { computer, node }, 2);
    await settle(scene, node, '1+1');
    const { peerId } = first.keys;
    assert.ok(trashOf() > 0);
    assert.ok(partnerTrash.bytesAt(durable(scene.owner), peerId) >= alone);
    // Days pass in jumps of the clock, of which each counts as one.
    const days = async (count: number): Promise<void> => {
      for (let day = 0; day < count; day += 1) {
        for (const name of ['owner', first.name]) scene.world.jumpClock(name, dayMs);
        await node.clock.sleep(15 * minuteMs);
      }
    };
    await days(13);
    assert.ok(trashOf() > 0);
    await days(2);
    await node.clock.sleep(7 * hourMs);
    assert.equal(trashOf(), 0);
    assert.equal(partnerTrash.bytesAt(durable(scene.owner), peerId), 0);
    await mustRestore(scene, computer, { snapshot });
  }, 20 * dayMs);
});
