/**
 * How much of a raw TLS connection the transport leaves to a shard: a streamed PUT of 64 KiB blocks against `node:tls` with the same
 * certificates, in alternating rounds, each side in a process of its own.
 *
 * Run: node src/adapters/http2/transport.bench.ts [MiB] [rounds]. Prints MB/s (10^6 bytes a second) and the ratio's spread.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { assert } from '../../base/assert.ts';
import { kibi, mebi } from '../../base/units.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import { createPeerIdentity } from './certificate.ts';
import { createPeerTransport } from './transport.ts';

const quiet = { write: (): void => undefined };
const loopback = '/ip4/127.0.0.1/tcp/0';
const blockBytes = 64 * kibi;

interface Listening {
  readonly peer: PeerId;
  readonly addresses: readonly string[];
  readonly rawPort: number;
}

/** The receiving process: takes bytes over both ways and says how many came. */
async function receive(): Promise<void> {
  const identitySeed = new Uint8Array(32).fill(1);
  const transport = createPeerTransport({ identitySeed, listen: [loopback], log: quiet });
  const { addresses } = await transport.serve(
    async ({ body }) => {
      let bytes = 0;
      for await (const piece of body) bytes += piece.length;
      return { status: 200, fields: { 'covault-bytes': String(bytes) } };
    },
    () => 'partner',
  );
  const { keyPem: key, certificatePem: cert } = createPeerIdentity(identitySeed);
  const options = { key, cert, requestCert: true, rejectUnauthorized: false } as const;
  const halfOpen = { allowHalfOpen: true };
  const server = createServer({ ...options, ...halfOpen, minVersion: 'TLSv1.3' }, (raw) => {
    let bytes = 0;
    raw.on('data', (piece: Uint8Array) => {
      bytes += piece.length;
    });
    raw.on('end', () => raw.end(String(bytes)));
  });
  server.listen(0, '127.0.0.1', () => {
    const bound = server.address();
    assert(bound !== null && typeof bound !== 'string', 'a TCP server has an address');
    process.send?.({ peer: transport.self, addresses, rawPort: bound.port } satisfies Listening);
  });
}

async function* blocks(totalBytes: number): AsyncGenerator<Uint8Array> {
  const block = new Uint8Array(blockBytes);
  for (let sent = 0; sent < totalBytes; sent += blockBytes) yield block;
}

function startReceiver(): Promise<[ChildProcess, Listening]> {
  const child = fork(import.meta.filename, ['--receive']);
  return new Promise((resolve) => {
    child.once('message', (listening) => resolve([child, listening as Listening]));
  });
}

/** Seconds for the whole transfer, acknowledgement included, on a connection that is open already. */
async function timed(work: () => Promise<number>, totalBytes: number): Promise<number> {
  const startedMs = performance.now();
  const arrived = await work();
  assert(arrived === totalBytes, 'every byte arrived');
  return (performance.now() - startedMs) / 1_000;
}

async function openRaw(port: number): Promise<TLSSocket> {
  const { keyPem: key, certificatePem: cert } = createPeerIdentity(new Uint8Array(32).fill(2));
  const options = { host: '127.0.0.1', port, key, cert, rejectUnauthorized: false } as const;
  const halfOpen = { allowHalfOpen: true };
  const socket = connect({ ...options, ...halfOpen, minVersion: 'TLSv1.3' });
  await new Promise((resolve) => socket.once('secureConnect', resolve));
  return socket;
}

async function sendRaw(socket: TLSSocket, totalBytes: number): Promise<number> {
  // As many bytes under way as the transport has, so that the baseline is not held back by waiting for every drain.
  let inFlightBytes = 0;
  let wake: (() => void) | undefined;
  for await (const block of blocks(totalBytes)) {
    inFlightBytes += block.length;
    socket.write(block, () => {
      inFlightBytes -= block.length;
      wake?.();
    });
    while (inFlightBytes >= 512 * kibi)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
  }
  socket.end();
  let answer = '';
  for await (const piece of socket) answer += String(piece);
  return Number(answer);
}

async function compare(totalBytes: number, rounds: number): Promise<void> {
  const [child, listening] = await startReceiver();
  const identitySeed = new Uint8Array(32).fill(2);
  const transport = createPeerTransport({ identitySeed, listen: [], log: quiet });
  const put = async (bytes: number): Promise<number> => {
    const request = { method: 'PUT', path: '/v1/shards/bench', body: blocks(bytes) } as const;
    const outcome = await transport.request(listening, request);
    assert(outcome.ok, 'the peer answers');
    return Number(outcome.value.fields['covault-bytes']);
  };
  await put(64 * mebi);
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const raw = await openRaw(listening.rawPort);
    const rawSeconds = await timed(() => sendRaw(raw, totalBytes), totalBytes);
    const seconds = await timed(() => put(totalBytes), totalBytes);
    ratios.push(rawSeconds / seconds);
    const speeds = [rawSeconds, seconds].map((one) => (totalBytes / one / 1e6).toFixed(0));
    console.log(`round ${round + 1}: node:tls ${speeds[0]} MB/s, transport ${speeds[1]} MB/s`);
  }
  const sorted = ratios.toSorted((left, right) => left - right).map((one) => one.toFixed(2));
  const middle = sorted[Math.floor(sorted.length / 2)];
  console.log(`transport ÷ node:tls: ${middle} (from ${sorted[0]} to ${sorted.at(-1)})`);
  await transport.close();
  child.kill();
}

if (process.argv.includes('--receive')) await receive();
else await compare(Number(process.argv[2] ?? 512) * mebi, Number(process.argv[3] ?? 7));
