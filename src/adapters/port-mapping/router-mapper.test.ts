/**
 * A router that speaks NAT-PMP (RFC 6886), in a network namespace that this test makes, and a computer in another: the file starts itself in each.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { test } from 'node:test';
import { mapPorts } from './port-mapping.ts';
import { routerMapper } from './router-mapper.ts';

const log = { write: (): void => undefined };
const external = [203, 0, 113, 9];
const natPmpPort = 5351;
const [, , role] = process.argv;

if (role === 'router') runRouter();
else if (role === 'computer') await runComputer();
else declareTests();

/** Answers on its UDP port until its standard input ends; maps every port to the one above it. */
function runRouter(): void {
  const socket = createSocket('udp4').bind(natPmpPort, () => console.log('ready'));
  socket.on('message', (message, from) => {
    const operation = message.readUInt8(1);
    const answer = Buffer.alloc(operation === 0 ? 12 : 16);
    answer.writeUInt8(128 + operation, 1);
    if (operation === 0) Buffer.from(external).copy(answer, 8);
    else {
      const port = message.readUInt16BE(4);
      answer.writeUInt16BE(port, 8);
      answer.writeUInt16BE(port + 1, 10);
      answer.writeUInt32BE(message.readUInt32BE(8), 12);
    }
    socket.send(answer, from.port, from.address);
  });
  process.stdin.on('end', () => socket.close()).resume();
}

async function runComputer(): Promise<void> {
  const mapping = mapPorts([4747], { mapper: routerMapper(log), log });
  await mapping.tried;
  console.log(JSON.stringify(mapping.addresses));
  await mapping.close();
  process.exit(0);
}

const names = ['router', 'computer'].map((name) => `covault-${process.pid}-${name}`);
const [router = '', computer = ''] = names;

function ip(...words: string[]): string | undefined {
  const { status, stderr, error } = spawnSync('ip', words, { encoding: 'utf8' });
  if (error !== undefined) return error.message;
  return status === 0 ? undefined : stderr.trim();
}

/** Why there are no namespaces, or undefined when there are. */
function makeNamespaces(): string | undefined {
  const cable = ['type', 'veth', 'peer', 'name', 'cable', 'netns', computer];
  const steps = [
    ['netns', 'add', router],
    ['netns', 'add', computer],
    ['-n', router, 'link', 'add', 'cable', ...cable],
    ['-n', router, 'addr', 'add', '10.78.0.1/24', 'dev', 'cable'],
    ['-n', computer, 'addr', 'add', '10.78.0.2/24', 'dev', 'cable'],
    ['-n', router, 'link', 'set', 'cable', 'up'],
    ['-n', computer, 'link', 'set', 'cable', 'up'],
    ['-n', computer, 'route', 'add', 'default', 'via', '10.78.0.1'],
  ];
  return steps.map((step) => ip(...step)).find((problem) => problem !== undefined);
}

function inside(namespace: string, word: string): string[] {
  return ['netns', 'exec', namespace, process.execPath, import.meta.filename, word];
}

function declareTests(): void {
  test('a router that speaks NAT-PMP gives a port, and its address outside', async (context) => {
    const problem = makeNamespaces();
    const removeNamespaces = (): void => names.forEach((name) => void ip('netns', 'del', name));
    if (problem !== undefined) {
      removeNamespaces();
      context.skip(`no network namespaces here: ${problem}`);
      return;
    }
    const there = spawn('ip', inside(router, 'router'), { stdio: ['pipe', 'pipe', 'inherit'] });
    const exited = new Promise((resolve) => there.once('exit', resolve));
    try {
      await new Promise((resolve) => there.stdout.once('data', resolve));
      const asked = spawnSync('ip', inside(computer, 'computer'), {
        encoding: 'utf8',
        timeout: 30_000,
      });
      assert.deepEqual(JSON.parse(asked.stdout), ['/ip4/203.0.113.9/tcp/4748'], asked.stderr);
    } finally {
      there.stdin.end();
      await exited;
      removeNamespaces();
    }
  });
}
