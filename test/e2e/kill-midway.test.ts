/**
 * `kill -9` at random moments of backups, on both sides: nothing acknowledged is lost, and the next run carries on.
 *
 * The moments come from a seed, which is printed; COVAULT_TEST_SEED repeats them as far as a machine repeats anything.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Prng } from '../../src/base/prng.ts';
import { growTree } from '../../src/cli/demo/generated-tree.ts';
import type { PeerId } from '../../src/core/vocabulary/ids.ts';
import {
  befriend,
  done,
  endAll,
  eventually,
  type Home,
  makeHome,
  recovering,
  up,
} from './circle.ts';
import { type Daemon, type Said, start, temporaryFolder } from './command-line.ts';
import { HeldCheck, keysOfKit } from './held-check.ts';
import { assertSameTree } from './tree-comparison.ts';

const seed = process.env['COVAULT_TEST_SEED'] ?? String(Date.now());
const chance = new Prng(seed);
const killsOfEachSide = 11;

const folder = temporaryFolder('kills');
const files = join(folder.path, 'files');
const kit = join(folder.path, 'kit.json');
const daemons = new Map<Home, Daemon>();
const partners: Home[] = [];
let owner: Home;
let held: HeldCheck;
let growths = 0;

before(async () => {
  const names = ['ada', 'bea', 'cyd', 'dan', 'eve'];
  const homes = await Promise.all(names.map((name) => makeHome(folder.path, name)));
  const [first, ...others] = homes;
  assert.ok(first !== undefined);
  owner = first;
  partners.push(...others);
  await Promise.all(partners.map(async (home) => daemons.set(home, await up(home))));
  const ids = new Map<PeerId, Home>();
  for (const partner of partners) {
    await befriend(owner, partner);
    ids.set(String((await done(partner, ['status']))['peer']) as PeerId, partner);
  }
  await done(owner, ['kit', 'export', '--json', kit]);
  held = new HeldCheck(keysOfKit(kit), ids);
  growTree(files, { seed: 7, fileCount: 2_000, totalBytes: 60_000_000 });
  for (const name of ['one', 'two'])
    writeFileSync(join(files, `${name}.bin`), chance.bytes(25_000_000));
});
after(async () => {
  await endAll(daemons.values());
  folder.remove();
});

/** Something new to back up: small files, one that is larger, a change, a loss, another name. */
function grow(bytes: number): void {
  growths += 1;
  const place = join(files, `growth-${growths}`);
  mkdirSync(place);
  for (let number = 0; number < 60; number += 1)
    writeFileSync(join(place, `${number}.txt`), chance.bytes(chance.between(1, 20_000)));
  writeFileSync(join(place, 'large.bin'), chance.bytes(bytes));
  appendFileSync(join(files, 'one.bin'), chance.bytes(1_000));
  if (growths < 3) return;
  rmSync(join(files, `growth-${growths - 2}`, '7.txt'), { force: true });
  renameSync(
    join(files, `growth-${growths - 1}`, '8.txt'),
    join(files, `growth-${growths - 1}`, 'eight.txt'),
  );
}

interface Backup {
  readonly child: ChildProcess;
  /** Resolves when a line of progress names this stage, or the process has ended. */
  reached(stage: 'capturing' | 'protecting'): Promise<void>;
  readonly ended: Promise<Said['exit']>;
  last(): string;
}

function startBackup(): Backup {
  const child = start(['--home', owner.path, '--json', 'backup', files, '--wait', 'complete']);
  const ended = once(child, 'close').then(([exit]) => exit as number | null);
  const stages = new Map<string, () => void>();
  let last = 'nothing said';
  createInterface({ input: child.stdout }).on('line', (line) => {
    last = line;
    const { progress } = JSON.parse(line) as { readonly progress?: { readonly stage: string } };
    if (progress !== undefined) stages.get(progress.stage)?.();
  });
  return {
    child,
    ended,
    last: () => last,
    reached: (stage) =>
      Promise.race([
        new Promise<void>((resolve) => stages.set(stage, resolve)),
        ended.then(() => undefined),
      ]),
  };
}

function isOver({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

function nothingIsLost(): string {
  // The owner's rows are read before the partners': what it counts as held must be there already.
  const counted = held.ownersHeldShardsAreThere(owner);
  return `${counted} shards count as held, ${held.partnersHoldWhatTheyAcknowledged()} are there`;
}

/** Carries on until everything is out; every run must get somewhere or say what is missing. */
async function complete(): Promise<void> {
  await eventually(
    'a complete backup',
    async () => {
      const backup = startBackup();
      const exit = await backup.ended;
      assert.ok(exit === 0 || exit === 4, `${exit}: ${backup.last()}`);
      return exit === 0 ? true : undefined;
    },
    60_000,
  );
}

test('an owner killed at any moment of a backup has lost nothing, and carries on', async (t) => {
  t.diagnostic(`COVAULT_TEST_SEED=${seed}`);
  const startedAtMs = performance.now();
  const stages = ['starting', 'capturing', 'protecting'] as const;
  let usualMs = 4_000;
  for (let kills = 0; kills < killsOfEachSide; ) {
    const stage = stages[kills % stages.length] ?? 'starting';
    if (kills > 0 && stage === 'starting') grow(6_000_000);
    const beganAtMs = performance.now();
    const backup = startBackup();
    if (stage !== 'starting') await backup.reached(stage);
    await Promise.race([sleep(chance.below(stage === 'starting' ? usualMs : 600)), backup.ended]);
    if (isOver(backup.child)) {
      assert.equal(await backup.ended, 0, backup.last());
      usualMs = Math.ceil(performance.now() - beganAtMs);
      grow(8_000_000);
      continue;
    }
    backup.child.kill('SIGKILL');
    await backup.ended;
    kills += 1;
    const moment = `${Math.round(performance.now() - beganAtMs)} ms`;
    t.diagnostic(`owner killed ${moment} in: ${backup.last().slice(0, 90)}; ${nothingIsLost()}`);
  }
  await complete();
  nothingIsLost();
  t.diagnostic(`${Math.round(performance.now() - startedAtMs)} ms`);
});

test('a partner killed at any moment of a transfer has lost nothing, and carries on', async (t) => {
  const startedAtMs = performance.now();
  for (let kills = 0; kills < killsOfEachSide; ) {
    grow(24_000_000);
    const backup = startBackup();
    await backup.reached('protecting');
    while (!isOver(backup.child) && kills < killsOfEachSide) {
      await sleep(chance.below(250));
      if (isOver(backup.child)) break;
      const partner = chance.pick(partners);
      await daemons.get(partner)?.stop('SIGKILL');
      kills += 1;
      t.diagnostic(`${partner.name} killed: ${backup.last().slice(0, 130)}; ${nothingIsLost()}`);
      daemons.set(partner, await up(partner));
    }
    const exit = await backup.ended;
    assert.ok(exit === 0 || exit === 4, `${exit}: ${backup.last()}`);
  }
  await complete();
  t.diagnostic(`${Math.round(performance.now() - startedAtMs)} ms`);
});

test('what came through all this is restored exactly, from this disk and from partners', async (t) => {
  held.partnersHoldWhatTheyAcknowledged(true);
  const near = join(folder.path, 'near');
  const restore = ['restore', `latest:${files}`, '--verify', '--target'];
  const local = await done(owner, [...restore, near]);
  assert.deepEqual(local['problems'], []);
  assertSameTree(near, files);
  rmSync(near, { recursive: true });

  rmSync(owner.path, { recursive: true });
  const recovered: Home = { ...owner, path: join(folder.path, 'again') };
  const report = await done(recovered, recovering(recovered, kit));
  t.diagnostic(`recovered ${String(report['snapshots'])} snapshots`);
  const far = join(folder.path, 'far');
  const remote = await done(recovered, [...restore, far]);
  assert.deepEqual([remote['problems'], remote['wrongBlocks']], [[], []]);
  assertSameTree(far, files);
  assert.ok(Number(remote['fetchedBytes']) > 50_000_000, 'all of it came from partners');
  t.diagnostic(execFileSync('du', ['-sh', folder.path], { encoding: 'utf8' }).trim());
});
