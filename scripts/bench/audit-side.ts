/**
 * One side of the audits' bench, as a process of its own: the engine's parts over the real catalogue, the real disk and the real transport, at work only
 * when it is told to be. Arguments: side, folder, blocks per shard, number of shards.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { openBlobFolder } from '../../src/adapters/disk/blob-folder.ts';
import { createPeerTransport } from '../../src/adapters/http2/transport.ts';
import { systemClock } from '../../src/adapters/system/system-clock.ts';
import { systemRandom } from '../../src/adapters/system/system-random.ts';
import { present } from '../../src/base/assert.ts';
import { dayMs, gibi, instant } from '../../src/base/units.ts';
import type { OwnerKeys } from '../../src/core/sealing/keys.ts';
import { suiteAesGcm } from '../../src/core/vocabulary/suite.ts';
import { ComputerParts } from '../../src/engine/computer-parts.ts';
import type { BlobStore } from '../../src/ports/blob-store.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { plainKernels } from '../../src/primitives/kernels/plain-kernels.ts';
import { SimTree } from '../../src/sim/sim-tree.ts';
import { createTwinCoder } from '../../src/sim/twin-coder.ts';
import { createTwinPipeline } from '../../src/sim/twin-pipeline.ts';
import { holder, nameOf, openedCatalogue, owner, sealedShard } from './audit-pair.ts';

/** What the parent asks; each is answered with a `Told`. */
export type Order =
  /** The owner's: one audit, as if by its timetable. */
  | { readonly type: 'audit'; readonly address: string }
  /** The clock goes on by so much. */
  | { readonly type: 'step'; readonly ms: number }
  /** The owner's loop rests through a day in which nothing is due. */
  | { readonly type: 'idle' }
  | { readonly type: 'usage' };

export interface Told {
  /** Processor time of this process so far, without what only the bench needs, in milliseconds. */
  readonly cpuMs: number;
  readonly address?: string;
  /** Of an audit. */
  readonly outcome?: string;
  readonly blocks?: number;
  /** Longest that the event loop was held up since the last order, in milliseconds. */
  readonly heldUpMs: number;
}

/** Time that leaps on request; while it `leaps`, sleeping takes none. */
class LeapingClock implements Clock {
  readonly #real: Clock = systemClock();
  #aheadMs = 0;
  leaps = false;

  now(): ReturnType<Clock['now']> {
    return instant(this.#real.now() + this.#aheadMs);
  }

  step(ms: number): void {
    this.#aheadMs += ms;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (!this.leaps) return this.#real.sleep(ms, signal);
    this.step(ms);
    return new Promise((resolve) => setImmediate(resolve));
  }
}

const clock = new LeapingClock();
const log = { write: (): void => undefined };
let sealingMs = 0;

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** Shards that are asked for come to be on the disk just before; that is the bench's work, not the partner's. */
function sealingOnDemand(disk: BlobStore, root: string, load: Load): BlobStore {
  const numbers = new Map<string, number>();
  for (let number = 0; number < load.shards; number += 1) numbers.set(nameOf(number), number);
  const read: BlobStore['read'] = (name, range) => {
    const begunMs = cpuMs();
    const path = join(root, name);
    if (!existsSync(path)) {
      const number = present(numbers.get(name.split('/')[1] ?? ''), 'a shard of the bench');
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, sealedShard(number, load.blocksPerShard).bytes);
    }
    sealingMs += cpuMs() - begunMs;
    return disk.read(name, range);
  };
  return new Proxy(disk, {
    get: (target, key) => {
      if (key === 'read') return read;
      const value: unknown = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

interface Load {
  readonly shards: number;
  readonly blocksPerShard: number;
}

async function partsOf(keys: OwnerKeys, home: string, load: Load): Promise<ComputerParts> {
  const random = systemRandom();
  const kernels = plainKernels();
  const root = join(home, 'held');
  const disk = await openBlobFolder(root);
  const transport = createPeerTransport({
    identitySeed: keys.identitySeed,
    listen: ['/ip4/127.0.0.1/tcp/0'],
    log,
  });
  const pipeline = createTwinPipeline({
    ...{
      tree: new SimTree(() => 0n),
      keys,
      suite: suiteAesGcm,
      compressionLevel: 1,
      kernels,
      random,
    },
  });
  return new ComputerParts(
    {
      ...{ clock, random, transport, log, pipeline, kernels },
      stores: openedCatalogue(join(home, 'catalog.db')),
      spool: disk,
      held: sealingOnDemand(disk, root, load),
      coder: createTwinCoder({ sealKey: keys.sealKey, owner: keys.peerId, kernels }),
    },
    keys,
    {
      ...{ name: 'bench', programVersion: '0', system: 'linux', architecture: 'x64' },
      ...{ offeredBytes: gibi, announcedAddresses: [], uploadLimit: undefined },
      ...{ spoolCapBytes: gibi, cacheCapBytes: gibi },
    },
  );
}

const never = new AbortController().signal;

async function audit(parts: ComputerParts, address: string): Promise<Partial<Told>> {
  const { agreements } = parts.ports.stores;
  const row = present(agreements.all()[0], 'an agreement');
  if (row.addresses[0] !== address) agreements.put({ ...row, addresses: [address] });
  const event = await parts.partners.audits.audit(holder.peerId, { signal: never });
  return {
    outcome: `${event?.outcome ?? 'none'} ${event?.reason ?? ''}`.trim(),
    blocks: event?.provenBlocks ?? 0,
  };
}

/** Wakes as often as in a day without audits, at the end of which nothing has become due. */
async function idle(parts: ComputerParts): Promise<void> {
  const { auditIntervalMs } = parts.partnership;
  const spanMs = auditIntervalMs / 4;
  for (let restedMs = 0; restedMs < dayMs; restedMs += spanMs) {
    const stop = new AbortController();
    const until = clock.now() + spanMs;
    clock.leaps = true;
    const running = parts.partners.audits.run(stop.signal);
    while (clock.now() < until) await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    await running;
    clock.leaps = false;
    clock.step(-spanMs);
  }
}

async function main(side: string, folder: string, load: Load): Promise<void> {
  const keys = side === 'owner' ? owner : holder;
  const parts = await partsOf(keys, join(folder, side), load);
  const { addresses } = await parts.ports.transport.serve(
    (request) => parts.service.answer(request),
    (peer) => parts.book.standingOf(peer),
  );
  const lag = monitorEventLoopDelay({ resolution: 1 });
  lag.enable();
  const tell = (told: Partial<Told>): void => {
    process.send?.({ ...told, cpuMs: cpuMs() - sealingMs, heldUpMs: lag.max / 1e6 } satisfies Told);
    lag.reset();
  };
  process.on('message', async (order: Order) => {
    if (order.type === 'step') clock.step(order.ms);
    if (order.type === 'idle') await idle(parts);
    tell(order.type === 'audit' ? await audit(parts, order.address) : {});
  });
  tell({ address: present(addresses[0], 'an address to be reached at') });
}

const [side = '', folder = '', shards = '', blocksPerShard = ''] = process.argv.slice(2);
if (process.send !== undefined)
  await main(side, folder, { shards: Number(shards), blocksPerShard: Number(blocksPerShard) });
