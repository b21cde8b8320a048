/**
 * What audits cost a day and partner: bytes on the wire both ways, and processor time of either side.
 *
 * Owner and partner are processes of their own, on loopback, with real catalogues, disks and TLS. The days are run through without waiting: both clocks leap
 * from audit to audit. A new connection each time, as hours lie between.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { present } from '../../src/base/assert.ts';
import type { Bytes } from '../../src/base/bytes.ts';
import { dayMs, kibi, mebi } from '../../src/base/units.ts';
import { auditAllowance, auditCadence } from '../../src/core/audits/audit-cadence.ts';
import { blockBytes } from '../../src/core/vocabulary/limits.ts';
import {
  type AuditLoad,
  type CadenceName,
  cadences,
  makePair,
  sealedShard,
  termsOf,
} from './audit-pair.ts';
import type { Order, Told } from './audit-side.ts';
import type { Bar, Findings } from './findings.ts';

const program = new URL('audit-side.ts', import.meta.url).pathname;
/** Before anything counts: code is compiled, ledgers are followed. */
const warmUp = 3;
/** Audits that are measured, at the least. */
const leastAudits = 8;

interface AuditCost {
  readonly load: AuditLoad;
  readonly auditsPerDay: number;
  readonly blocksPerDay: number;
  /** Bytes a day from the owner to the partner, and back. */
  readonly asked: number;
  readonly answered: number;
  readonly ownerCpuMs: number;
  readonly partnerCpuMs: number;
  /** Of the first audit, in which both follow the whole ledger. */
  readonly firstCpuMs: number;
  /** The longest that either side's event loop was held up by an audit. */
  readonly heldUpMs: number;
  /** Blocks a day that the partner would let itself be asked for. */
  readonly allowedPerDay: number;
}

/** A process at one side. */
class Side {
  readonly #child: ChildProcess;

  constructor(name: 'owner' | 'holder', folder: string, load: AuditLoad) {
    const argv = [name, folder, String(load.shards), String(load.blocksPerShard)];
    this.#child = fork(program, argv);
  }

  told(): Promise<Told> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error('a side of the bench ended'));
      child.once('exit', ended);
      child.once('message', (told) => {
        child.off('exit', ended);
        resolve(told as Told);
      });
    });
  }

  async ask(order: Order): Promise<Told> {
    const told = this.told();
    this.#child.send(order);
    return await told;
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}

/** A way to the partner on which every byte is counted. */
class CountedWay {
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  asked = 0;
  answered = 0;

  constructor(port: number) {
    this.#server = createServer((near) => {
      const far = connect(port, '127.0.0.1');
      for (const socket of [near, far]) {
        this.#open.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => this.#open.delete(socket));
      }
      near.on('data', (piece) => {
        this.asked += piece.length;
      });
      far.on('data', (piece) => {
        this.answered += piece.length;
      });
      near.pipe(far);
      far.pipe(near);
    });
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const bound = this.#server.address();
    return `/ip4/127.0.0.1/tcp/${typeof bound === 'string' ? '' : bound?.port}`;
  }

  /** What is connected now is not any more. */
  async cut(): Promise<void> {
    const closed = [...this.#open].map((socket) => once(socket, 'close'));
    for (const socket of this.#open) socket.destroy();
    await Promise.all(closed);
  }

  async close(): Promise<void> {
    await this.cut();
    this.#server.close();
  }
}

async function costOf(
  folder: string,
  load: AuditLoad,
  roots: readonly Bytes[],
): Promise<AuditCost> {
  makePair(folder, load, roots);
  const sides = (['owner', 'holder'] as const).map((name) => new Side(name, folder, load));
  const [owner, holder] = [present(sides[0], 'an owner'), present(sides[1], 'a holder')];
  let way: CountedWay | undefined;
  try {
    const [, { address: reached = '' }] = await Promise.all([owner.told(), holder.told()]);
    way = new CountedWay(Number(reached.split('/').at(-1)));
    return await measured({ owner, holder, way, load, address: await way.listen() });
  } finally {
    await Promise.all(sides.map((side) => side.end()));
    await way?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Scene {
  readonly owner: Side;
  readonly holder: Side;
  readonly way: CountedWay;
  readonly address: string;
  readonly load: AuditLoad;
}

async function measured(scene: Scene): Promise<AuditCost> {
  const { owner, holder, way, load } = scene;
  const terms = termsOf(load.cadence);
  const of = { ageMs: load.cadence === 'newcomer' ? 0 : 60 * dayMs, shardCount: load.shards };
  const { intervalMs } = auditCadence(terms, of);
  const auditsPerDay = dayMs / intervalMs;
  const before = await usage(scene);
  await auditOnce(scene, intervalMs);
  const first = await usage(scene);
  for (let audit = 1; audit < warmUp; audit += 1) await auditOnce(scene, intervalMs);
  const [begin, asked, answered] = [await usage(scene), way.asked, way.answered];
  const audits = Math.max(leastAudits, Math.round(auditsPerDay));
  let blocks = 0;
  let heldUpMs = 0;
  for (let audit = 0; audit < audits; audit += 1) {
    const one = await auditOnce(scene, intervalMs);
    blocks += one.blocks;
    heldUpMs = Math.max(heldUpMs, one.heldUpMs);
  }
  const end = await usage(scene);
  await owner.ask({ type: 'idle' });
  const rested = await usage(scene);
  const daily = (amount: number): number => (amount / audits) * auditsPerDay;
  await holder.ask({ type: 'usage' });
  return {
    ...{ load, auditsPerDay, blocksPerDay: daily(blocks), heldUpMs },
    ...{ asked: daily(way.asked - asked), answered: daily(way.answered - answered) },
    ownerCpuMs: daily(end.owner - begin.owner) + (rested.owner - end.owner),
    partnerCpuMs: daily(end.holder - begin.holder),
    firstCpuMs: first.owner - before.owner + (first.holder - before.holder),
    allowedPerDay: auditAllowance(terms, of),
  };
}

async function usage({ owner, holder }: Scene): Promise<{ owner: number; holder: number }> {
  const [ours, theirs] = await Promise.all([
    owner.ask({ type: 'usage' }),
    holder.ask({ type: 'usage' }),
  ]);
  return { owner: ours.cpuMs, holder: theirs.cpuMs };
}

/** One audit, on a connection of its own; then it is time for the next. */
async function auditOnce(
  { owner, holder, way, address }: Scene,
  intervalMs: number,
): Promise<{ readonly blocks: number; readonly heldUpMs: number }> {
  await holder.ask({ type: 'usage' });
  const told = await owner.ask({ type: 'audit', address });
  if (told.outcome !== 'passed') throw new Error(`an audit ended with ${told.outcome}`);
  const answered = await holder.ask({ type: 'usage' });
  await way.cut();
  await Promise.all([owner, holder].map((side) => side.ask({ type: 'step', ms: intervalMs })));
  return { blocks: told.blocks ?? 0, heldUpMs: Math.max(told.heldUpMs, answered.heldUpMs) };
}

export interface AuditBenchOptions {
  readonly folder: string;
  readonly quick: boolean;
  readonly say: (line: string) => void;
}

/** Shards of 4 MiB, as a pack coded 4+4 has them; of many only small ones, for all of them are sealed before. */
const loads: readonly Omit<AuditLoad, 'cadence'>[] = [
  { shards: 100, blocksPerShard: 64 },
  { shards: 2_000, blocksPerShard: 64 },
  { shards: 20_000, blocksPerShard: 4 },
];
const quickLoads: typeof loads = [
  { shards: 100, blocksPerShard: 8 },
  { shards: 2_000, blocksPerShard: 4 },
];

export async function benchAudits({ folder, quick, say }: AuditBenchOptions): Promise<Findings> {
  const costs: AuditCost[] = [];
  for (const load of quick ? quickLoads : loads) {
    say(`sealing ${load.shards.toLocaleString('en')} shards …`);
    const roots = Array.from(
      { length: load.shards },
      (_, number) => sealedShard(number, load.blocksPerShard).merkleRoot,
    );
    for (const cadence of cadences) {
      const cost = await costOf(join(folder, 'audits'), { ...load, cadence }, roots);
      say(row(cost).join(' | '));
      costs.push(cost);
    }
  }
  return findingsOf(costs);
}

const cadenceTexts: Readonly<Record<CadenceName, string>> = {
  circle: 'circle',
  open: 'open',
  newcomer: 'open, first 21 days',
};

function row(cost: AuditCost): readonly string[] {
  const { load } = cost;
  const cpu = (ms: number): string => `${ms.toFixed(0)} (${((ms / dayMs) * 1e6).toFixed(1)} ppm)`;
  return [
    `${load.shards.toLocaleString('en')} of ${((load.blocksPerShard * blockBytes) / mebi).toFixed(2)} MiB`,
    cadenceTexts[load.cadence],
    `${cost.auditsPerDay.toFixed(1)} × ${(cost.blocksPerDay / cost.auditsPerDay).toFixed(1)}`,
    (cost.asked / kibi).toFixed(0),
    (cost.answered / kibi).toFixed(0),
    `${((cost.answered / heldBytes(load)) * 100).toPrecision(2)} %`,
    `${((cost.blocksPerDay / cost.allowedPerDay) * 100).toFixed(0)} %`,
    cpu(cost.ownerCpuMs),
    cpu(cost.partnerCpuMs),
    cost.firstCpuMs.toFixed(0),
    cost.heldUpMs.toFixed(0),
  ];
}

function heldBytes({ shards, blocksPerShard }: AuditLoad): number {
  return shards * blocksPerShard * blockBytes;
}

const head: readonly string[] = [
  'shards held',
  'cadence',
  'audits a day × blocks',
  'KiB a day to the partner',
  'KiB a day from it',
  'of what is held',
  'of the daily quota',
  'owner’s CPU a day, ms (of a core)',
  'partner’s CPU a day, ms (of a core)',
  'first audit, CPU of both, ms',
  'event loop held up, ms',
];

/** A core has this long a day; more than a thousandth of it would be felt with many partners. */
const mostCpuShare = 0.001;
/** Beyond the blocks themselves: handshakes, documents, paths. */
const mostOverhead = 0.5;

function findingsOf(costs: readonly AuditCost[]): Findings {
  const most = (of: (cost: AuditCost) => number): number => Math.max(...costs.map(of));
  const cpuShare = most(
    ({ ownerCpuMs, partnerCpuMs }) => Math.max(ownerCpuMs, partnerCpuMs) / dayMs,
  );
  const overhead = most(
    ({ asked, answered, blocksPerDay }) => (asked + answered) / (blocksPerDay * blockBytes) - 1,
  );
  const percent = (share: number): string => `${(share * 100).toPrecision(2)} %`;
  const bar = (what: string, texts: readonly [string, string], met: boolean): Bar => ({
    ...{ what: `audits: ${what}`, wanted: `≤ ${texts[0]}`, measured: texts[1], met },
  });
  return {
    title: 'Audits',
    table: [head, ...costs.map(row)],
    notes: [
      'Bytes are those of the sockets, TLS handshakes included: each audit has a connection of its own. Processor time is that of whole processes, user and system; the owner’s includes a day of its loop’s waking up.',
      'The first audit follows the whole ledger and checks each signature in it, once, in slices. How long the event loop was held up has in it what else this machine did.',
    ],
    bars: [
      bar(
        'time of a core a day, for one partner, either side',
        [percent(mostCpuShare), percent(cpuShare)],
        cpuShare <= mostCpuShare,
      ),
      bar(
        'bytes beside the blocks',
        [percent(mostOverhead), percent(overhead)],
        overhead <= mostOverhead,
      ),
    ],
  };
}
