/** A whole computer of the simulator: the unchanged engine over the twins of every port. */
import type { Bytes } from '../base/bytes.ts';
import { dayMs, gibi, mebi } from '../base/units.ts';
import { deriveKeys, type OwnerKeys } from '../core/sealing/keys.ts';
import { suiteAesGcm } from '../core/vocabulary/suite.ts';
import type { Computer, ComputerSettings } from '../engine/computer.ts';
import { createComputer } from '../engine/create-computer.ts';
import type { ChunkPipeline } from '../ports/chunk-pipeline.ts';
import type { Transport } from '../ports/transport.ts';
import type { Kernels } from '../primitives/kernels/kernels.ts';
import { SimHome } from './sim-home.ts';
import type { SimLink } from './sim-link.ts';
import type { SimMeeting } from './sim-meeting.ts';
import { SimTree } from './sim-tree.ts';
import { slowWork } from './slow-work.ts';
import { createTwinCoder } from './twin-coder.ts';
import { createTwinPipeline } from './twin-pipeline.ts';
import { worldBegins } from './virtual-clock.ts';
import type { SimComputer, SimWorld } from './world.ts';

export interface SimPeerOptions {
  readonly world: SimWorld;
  readonly link: SimLink;
  readonly kernels: Kernels;
  readonly name: string;
  /** 32 bytes; drawn from the world when left out. */
  readonly rootSeed?: Bytes;
  readonly spoolCapBytes?: number;
  /** How peers are found; left out: only by address. */
  readonly meeting?: SimMeeting;
  /** What differs from the usual settings. */
  readonly settings?: Partial<ComputerSettings>;
  readonly cacheCapBytes?: number;
  /** Stands between engine and network: what a peer does that is not honest. */
  readonly transport?: (transport: Transport) => Transport;
  /** Stands between engine and pipeline, to count or to spoil what goes through. */
  readonly pipeline?: (pipeline: ChunkPipeline) => ChunkPipeline;
}

/** What a peer is between lives: its keys, its disks, its files. */
export class SimPeer {
  readonly name: string;
  readonly keys: OwnerKeys;
  readonly rootSeed: Bytes;
  readonly home: SimHome;
  readonly files: SimTree;
  readonly #options: SimPeerOptions;
  #computer: Computer | undefined;

  constructor(options: SimPeerOptions) {
    const { world, name } = options;
    this.#options = options;
    this.name = name;
    this.rootSeed = options.rootSeed ?? world.prng.fork(`${name}/seed`).bytes(32);
    this.keys = deriveKeys(this.rootSeed);
    this.home = new SimHome(world, name);
    this.files = new SimTree(() => BigInt(worldBegins + Math.round(world.nowMs)) * 1_000_000n);
  }

  /** The engine of the present life; undefined while the peer is down. */
  get computer(): Computer | undefined {
    return this.#options.world.isRunning(this.name) ? this.#computer : undefined;
  }

  /** Starts the peer, and again after every crash; `work` runs in each life once the engine serves. */
  spawn(work: (computer: Computer, node: SimComputer) => Promise<void> = async () => {}): void {
    this.#options.world.spawn(this.name, async (node) => {
      const broken = Promise.withResolvers<never>();
      const computer = this.#compose(node, broken.reject);
      this.#computer = computer;
      const worked = computer.start().then(() => work(computer, node));
      await Promise.race([worked, broken.promise]);
      // What breaks the engine after the work is done fails the run as well.
      await broken.promise;
    });
  }

  #compose(node: SimComputer, broke: (reason: unknown) => void): Computer {
    const { kernels, link, name, spoolCapBytes, cacheCapBytes } = this.#options;
    const { meeting, settings } = this.#options;
    const { keys } = this;
    const home = this.home.open(node);
    const twin = createTwinPipeline({
      tree: this.files,
      keys,
      suite: suiteAesGcm,
      compressionLevel: 1,
      kernels,
      random: node.random,
    });
    const pipeline = this.#options.pipeline?.(twin) ?? twin;
    const transport = link.transport(node, keys.peerId);
    return createComputer(
      {
        ...home,
        clock: node.clock,
        random: node.random,
        log: node.log,
        transport: this.#options.transport?.(transport) ?? transport,
        pipeline: node.life.port(pipeline, 'silent'),
        coder: createTwinCoder(
          { sealKey: keys.sealKey, owner: keys.peerId, kernels },
          slowWork(node, 'coder'),
        ),
        kernels,
        broke,
        ...(meeting === undefined
          ? {}
          : { discovery: node.life.port(meeting.discovery(), 'silent') }),
      },
      keys,
      {
        name,
        programVersion: 'sim',
        system: 'sim',
        architecture: 'sim',
        offeredBytes: gibi,
        announcedAddresses: [],
        spoolCapBytes: spoolCapBytes ?? gibi,
        cacheCapBytes: cacheCapBytes ?? 64 * mebi,
        uploadLimit: undefined,
        ...settings,
      },
    );
  }
}

/** Makes `owner` and each of `partners` partners of one another, by invite. */
export async function makePartners(
  owner: Computer,
  partners: readonly Computer[],
  spaceBytes: number,
): Promise<void> {
  for (const partner of partners) {
    const joined = await owner.join(partner.invite({ spaceBytes, validMs: dayMs }), { spaceBytes });
    if (!joined.ok) throw new Error(`${joined.error.code}: ${joined.error.detail}`);
  }
}
