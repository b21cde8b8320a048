/**
 * Two computers behind NATs, with no port mapped, back each other up and restore, with one reachable peer between them: real routers' rules, real processes.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { gathered, temporaryFolder } from '../e2e/command-line.ts';
import { makeNatWorld, type NatKind, type NatWorld } from './nat-world.ts';

const main = new URL('../../bin/covault.mjs', import.meta.url).pathname;
const port = 4747;

interface Place {
  readonly namespace: string;
  readonly home: string;
}

function start({ namespace, home }: Place, argv: readonly string[]): ChildProcess {
  const words = [process.execPath, main, '--home', home, '--json', ...argv];
  return spawn('ip', ['netns', 'exec', namespace, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
}

async function done(place: Place, ...argv: string[]): Promise<Readonly<Record<string, unknown>>> {
  const said = await gathered(start(place, argv));
  assert.equal(said.exit, 0, `${argv.join(' ')}: ${said.out.slice(-1_500)}${said.err.slice(-500)}`);
  return said.json();
}

async function makeHome(place: Place, listen: string, bootstrap: readonly string[]): Promise<void> {
  await done(place, 'init', '--no-passphrase', '--name', place.home.split('/').at(-1) ?? '');
  await done(place, 'config', 'set', 'network.listen', JSON.stringify([listen]));
  await done(place, 'config', 'set', 'network.bootstrap', JSON.stringify(bootstrap));
  // They are to become partners by invitation.
  await done(place, 'config', 'set', 'partners.seek', 'false');
}

async function up(place: Place): Promise<ChildProcess> {
  const daemon = start(place, ['up']);
  assert.ok(daemon.stdout !== null);
  const [line] = await once(createInterface({ input: daemon.stdout }), 'line');
  assert.ok(!String(line).includes('"error"'), String(line));
  return daemon;
}

/** How often the meeting point passed something on. */
function relayedCount({ home }: Place): number {
  const lines = readFileSync(join(home, 'log', 'covault.log'), 'utf8').split('\n');
  return lines.filter((line) => line.includes('relay.started')).length;
}

interface Told {
  readonly relayedCount: number;
  readonly times: string;
}

async function backUpAndRestore(world: NatWorld, folder: string): Promise<Told> {
  const place = (namespace: string, name: string): Place => ({
    namespace,
    home: join(folder, name),
  });
  const meeting = place(world.meeting, 'meeting');
  const left = place(world.left, 'left');
  const right = place(world.right, 'right');
  const known = `/ip4/${world.meetingAddress}/tcp/${port}`;
  await makeHome(meeting, known, []);
  await done(meeting, 'config', 'set', 'log.level', 'debug');
  for (const one of [left, right]) await makeHome(one, `/ip4/0.0.0.0/tcp/${port}`, [known]);
  const daemons: ChildProcess[] = [];
  try {
    for (const one of [meeting, left, right]) daemons.push(await up(one));
    // The right one has a partner who relays where nothing else works.
    const offered = await done(meeting, 'invite', '--lend', '1GB');
    await done(right, 'join', String(offered['code']));
    const invited = await done(right, 'invite', '--lend', '1GB');
    const startedMs = performance.now();
    await done(left, 'join', String(invited['code']));
    const joinedMs = performance.now();
    const tree = join(folder, 'tree');
    mkdirSync(tree);
    const bytes = randomBytes(8_000_000);
    writeFileSync(join(tree, 'file'), bytes);
    await done(left, 'backup', tree);
    const backedUpMs = performance.now();
    const target = join(folder, 'restored');
    await done(left, 'restore', 'latest', '--target', target);
    const restoredMs = performance.now();
    const restored = readFileSync(join(target, tree, 'file'));
    assert.ok(restored.equals(bytes), 'the file came back');
    const times = [joinedMs - startedMs, backedUpMs - joinedMs, restoredMs - backedUpMs];
    const [joined, backedUp, restoring] = times.map((ms) => `${(ms / 1_000).toFixed(1)} s`);
    return {
      relayedCount: relayedCount(meeting),
      times: `joined in ${joined}, backed 8 MB up in ${backedUp}, restored in ${restoring}`,
    };
  } finally {
    for (const daemon of daemons) {
      const ended = once(daemon, 'exit');
      daemon.kill('SIGTERM');
      await ended;
    }
  }
}

type Way = 'by punching' | 'by punching or relay' | 'by relay';

function declare(left: NatKind, right: NatKind, how: Way): void {
  const sentence = `behind ${left} and ${right} NAT two computers back up and restore ${how}`;
  test(sentence, { timeout: 60_000 }, async (context: TestContext) => {
    const world = makeNatWorld(`${left[0]}${right[0]}`, left, right);
    if (typeof world === 'string') {
      context.skip(`no network namespaces with NAT here: ${world}`);
      return;
    }
    const folder = temporaryFolder('nat');
    try {
      const told = await backUpAndRestore(world, folder.path);
      context.diagnostic(`${told.times}; relayed ${told.relayedCount} times`);
      if (how === 'by punching') assert.equal(told.relayedCount, 0);
      if (how === 'by relay') assert.ok(told.relayedCount > 0);
    } finally {
      world.remove();
      folder.remove();
    }
  });
}

declare('cone', 'cone', 'by punching');
declare('cone', 'symmetric', 'by punching or relay');
declare('symmetric', 'symmetric', 'by relay');
