/**
 * Multicast runs only inside network namespaces that this test makes: two of them, joined by a virtual cable. The file starts itself in each, as the
 * peer that advertises and the peer that looks.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { test } from 'node:test';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import { createMulticastDiscovery } from './multicast.ts';
import { addressesOf, peersUnder } from './multicast-records.ts';

const here = 'ab'.repeat(32) as PeerId;
const absent = `${'ab'.repeat(16)}${'cd'.repeat(16)}` as PeerId;
const topic = new Uint8Array(32).fill(7);
const otherTopic = new Uint8Array(32).fill(8);
const addresses = ['/ip4/10.77.0.1/tcp/4747', '/ip6/fd00::1/tcp/4747'];
const [, , role, address = ''] = process.argv;
const quiet = { write: (): void => undefined };

if (role === 'advertise') await advertise();
else if (role === 'locate') await locate();
else declareTests();

/** Until its standard input ends. */
async function advertise(): Promise<void> {
  const discovery = createMulticastDiscovery({ log: quiet, interface: address });
  const takeBack = await discovery.advertise({ peer: here, addresses });
  const fallSilent = await discovery.announce(topic, { peer: here, addresses });
  console.log('ready');
  for await (const _ of process.stdin);
  await Promise.all([takeBack(), fallSilent()]);
  await discovery.close();
}

async function locate(): Promise<void> {
  const discovery = createMulticastDiscovery({ log: quiet, interface: address, timeoutMs: 2_500 });
  const [found, nothing] = await Promise.all([discovery.locate(here), discovery.locate(absent)]);
  const aborted = await discovery.locate(absent, AbortSignal.abort());
  const options = { limit: 1, signal: AbortSignal.timeout(5_000) };
  const [met, nobody] = await Promise.all([
    discovery.lookup(topic, options),
    discovery.lookup(otherTopic, options),
  ]);
  await discovery.close();
  console.log(JSON.stringify({ found, nothing, aborted, met, nobody }));
}

function ip(...words: string[]): string | undefined {
  const { status, stderr, error } = spawnSync('ip', words, { encoding: 'utf8' });
  if (error !== undefined) return error.message;
  return status === 0 ? undefined : stderr.trim();
}

const names = ['a', 'b'].map((letter) => `covault-${process.pid}-${letter}`);
const [left = '', right = ''] = names;

/** Why there are no namespaces, or undefined when there are. */
function makeNamespaces(): string | undefined {
  const steps = [
    ['netns', 'add', left],
    ['netns', 'add', right],
    ['-n', left, 'link', 'add', 'cable', 'type', 'veth', 'peer', 'name', 'cable', 'netns', right],
    ['-n', left, 'addr', 'add', '10.77.0.1/24', 'dev', 'cable'],
    ['-n', right, 'addr', 'add', '10.77.0.2/24', 'dev', 'cable'],
    ['-n', left, 'link', 'set', 'cable', 'up'],
    ['-n', right, 'link', 'set', 'cable', 'up'],
  ];
  for (const step of steps) {
    const problem = ip(...step);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function removeNamespaces(): void {
  for (const name of names) ip('netns', 'del', name);
}

function inside(namespace: string, ...words: string[]): string[] {
  return ['netns', 'exec', namespace, process.execPath, import.meta.filename, ...words];
}

function declareTests(): void {
  test('a peer on the same network is found by its id and its topic, and nobody else is', async (context) => {
    const problem = makeNamespaces();
    if (problem !== undefined) {
      removeNamespaces();
      context.skip(`no network namespaces here: ${problem}`);
      return;
    }
    const advertiser = spawn('ip', inside(left, 'advertise', '10.77.0.1'), {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const exited = new Promise((resolve) => advertiser.once('exit', resolve));
    try {
      await new Promise((resolve) => advertiser.stdout.once('data', resolve));
      const looking = spawnSync('ip', inside(right, 'locate', '10.77.0.2'), { encoding: 'utf8' });
      assert.deepEqual(JSON.parse(looking.stdout), {
        found: addresses,
        nothing: [],
        aborted: [],
        met: [{ peer: here, addresses }],
        nobody: [],
      });
    } finally {
      advertiser.stdin.end();
      await exited;
      removeNamespaces();
    }
  });

  test('answers for another peer, taken back, or malformed give no address', () => {
    const name = `${here.slice(0, 32)}._covault._tcp.local`;
    const answer = (data: string[], ttl = 120): readonly string[] =>
      addressesOf({ answers: [{ name, type: 'TXT', ttl, data }] }, here);
    const [first = ''] = addresses;
    assert.deepEqual(answer([`id=${here}`, `at=${first}`, 'at=/nonsense']), [first]);
    assert.deepEqual(answer([`id=${absent}`, `at=${first}`]), []);
    assert.deepEqual(answer([`id=${here}`, `at=${first}`], 0), []);
    assert.deepEqual(answer([`at=${first}`]), []);
  });

  test('only peers that a response points to under the topic are under it', () => {
    const name = `${here.slice(0, 32)}._covault._tcp.local`;
    const text = { name, type: 'TXT' as const, ttl: 120, data: [`id=${here}`] };
    assert.deepEqual(peersUnder({ answers: [text] }, topic), []);
    const subtype = `_${'07'.repeat(16)}._sub._covault._tcp.local`;
    const pointer = { name: subtype, type: 'PTR' as const, ttl: 120, data: name };
    assert.deepEqual(peersUnder({ answers: [text, pointer] }, topic), [
      { peer: here, addresses: [] },
    ]);
    assert.deepEqual(peersUnder({ answers: [text, pointer] }, otherTopic), []);
    assert.deepEqual(peersUnder({ answers: [pointer] }, topic), []);
  });
}
