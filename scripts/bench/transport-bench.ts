/** The transport against raw `node:tls`: the measurement beside the transport, run as a process, its rounds gathered. */
import { atLeast, type Findings, skipped } from './findings.ts';
import { measureProcess } from './measured-process.ts';
import { ratiosOf, spreadOf, spreadText } from './spread.ts';

const program = new URL('../../src/adapters/http2/transport.bench.ts', import.meta.url).pathname;
const title = 'Transport';
const roundLine = /node:tls (\d+) MB\/s, transport (\d+) MB\/s/g;

export async function benchTransport(mebibytes: number, rounds: number): Promise<Findings> {
  const argv = [program, String(mebibytes), String(rounds)];
  const { out } = await measureProcess({ file: process.execPath, argv });
  const speeds = [...out.matchAll(roundLine)].map(([, raw, ours]) => [Number(raw), Number(ours)]);
  if (speeds.length === 0) return skipped(title, `nothing was understood of: ${out.trim()}`);
  const raw = speeds.map(([speed = 0]) => speed);
  const ours = speeds.map(([, speed = 0]) => speed);
  const ratio = ratiosOf(ours, raw);
  return {
    title,
    table: [
      ['what', 'MB/s'],
      ['raw `node:tls`', spreadText(spreadOf(raw), 0)],
      ['shard transfer over HTTP/2', spreadText(spreadOf(ours), 0)],
      ['ratio', spreadText(ratio)],
    ],
    notes: [`${mebibytes} MiB a round on loopback, sender and receiver in processes of their own.`],
    bars: [atLeast('shard transfer ÷ raw node:tls', 0.7, ratio)],
  };
}
