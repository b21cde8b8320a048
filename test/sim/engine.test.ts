import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadKernels } from '../../src/adapters/kernels/kernel-files.ts';
import { utf8Bytes } from '../../src/base/bytes.ts';
import { mebi } from '../../src/base/units.ts';
import type { BackupReport, BackupRequest, Computer } from '../../src/engine/computer.ts';
import type { FaultPlan } from '../../src/sim/fault-plan.ts';
import { SimLink } from '../../src/sim/sim-link.ts';
import { makePartners, SimPeer } from '../../src/sim/sim-peer.ts';
import { SimWorld } from '../../src/sim/world.ts';

const kernels = loadKernels();

const request: BackupRequest = {
  scan: {
    roots: [utf8Bytes('/home')],
    excludePatterns: [],
    excludeFileNames: [],
    oneFileSystem: false,
    maximumFileBytes: undefined,
    skipCacheFolders: false,
  },
  hostName: 'sim',
  userName: 'sim',
  tags: [],
};

interface Scene {
  readonly world: SimWorld;
  readonly owner: SimPeer;
  readonly partners: readonly SimPeer[];
}

function scene(seed: string, partnerCount: number, plan?: FaultPlan): Scene {
  const world = new SimWorld(seed, plan === undefined ? {} : { plan });
  const link = new SimLink(world);
  const peer = (name: string): SimPeer => new SimPeer({ world, link, kernels, name });
  const owner = peer('owner');
  const partners = Array.from({ length: partnerCount }, (_, index) => peer(`partner-${index}`));
  for (const partner of partners) partner.spawn();
  fillFiles(owner, world);
  return { world, owner, partners };
}

function fillFiles(owner: SimPeer, world: SimWorld): void {
  const draws = world.prng.fork('files');
  owner.files.makeFolder('/home');
  for (let folder = 0; folder < 3; folder += 1) {
    owner.files.makeFolder(`/home/folder-${folder}`);
    for (let file = 0; file < 20; file += 1)
      owner.files.writeFile(
        `/home/folder-${folder}/file-${file}`,
        draws.bytes(draws.below(40_000)),
      );
  }
  owner.files.writeFile('/home/large', draws.bytes(5 * mebi));
  owner.files.link('/home/large', '/home/large-too');
}

const quiet = { signal: new AbortController().signal, progress: () => undefined };

async function backUp(computer: Computer): Promise<BackupReport> {
  const outcome = await computer.backup(request, quiet);
  assert.ok(outcome.ok, outcome.ok ? '' : `${outcome.error.code} ${outcome.error.detail}`);
  return outcome.value;
}

test('C1: a backup goes out to all partners until it is complete', async () => {
  const { world, owner, partners } = scene('complete', 8);
  let phase = '';
  owner.spawn(async (computer) => {
    const computers = partners
      .map((partner) => partner.computer)
      .filter((one) => one !== undefined);
    await makePartners(computer, computers, 64 * mebi);
    const report = await backUp(computer);
    assert.equal(report.files, 62);
    phase = await computer.protect(report.snapshot, 'complete', quiet);
    const status = computer.status();
    assert.equal(status.bearableLosses, 4);
  });
  const end = await world.run({ untilMs: 600_000, until: () => phase !== '' });
  if (end !== 'reached') console.log(world.trace.lines().slice(-60).join('\n'));
  assert.equal(end, 'reached');
  assert.equal(phase, 'complete');
});
