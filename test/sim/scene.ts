/** An owner, its partners and its files in a simulated world, and what every scenario does with them. */
import assert from 'node:assert/strict';
import { loadKernels } from '../../src/adapters/kernels/kernel-files.ts';
import { type Bytes, utf8Bytes } from '../../src/base/bytes.ts';
import { dayMs, mebi } from '../../src/base/units.ts';
import type { SnapshotId } from '../../src/core/vocabulary/ids.ts';
import type {
  BackupReport,
  BackupRequest,
  Computer,
  RestoreReport,
  RestoreRequest,
} from '../../src/engine/computer.ts';
import { reached } from '../../src/engine/sending/protection.ts';
import type { SnapshotPhase } from '../../src/ports/stores.ts';
import type { Kernels } from '../../src/primitives/kernels/kernels.ts';
import { violations } from '../../src/sim/checkers.ts';
import type { FaultPlan } from '../../src/sim/fault-plan.ts';
import { SimLink } from '../../src/sim/sim-link.ts';
import { SimPeer, type SimPeerOptions } from '../../src/sim/sim-peer.ts';
import { SimTree } from '../../src/sim/sim-tree.ts';
import { createTwinTarget } from '../../src/sim/twin-target.ts';
import { type RunEnd, type SimComputer, SimWorld } from '../../src/sim/world.ts';

export const kernels: Kernels = loadKernels();

export const request: BackupRequest = {
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

const unheard: AbortController = new AbortController();

export const quiet: { readonly signal: typeof unheard.signal; readonly progress: () => void } = {
  signal: unheard.signal,
  progress: () => undefined,
};

export interface SceneOptions {
  readonly plan?: FaultPlan;
  readonly keepTrace?: boolean;
  readonly files?: (tree: SimTree, bytes: (count: number) => Bytes) => void;
  readonly owner?: Partial<SimPeerOptions>;
  /** Of every partner. */
  readonly partner?: Partial<SimPeerOptions>;
  readonly lendsBytes?: number;
}

export class Scene {
  readonly world: SimWorld;
  readonly link: SimLink;
  readonly owner: SimPeer;
  readonly partners: readonly SimPeer[];
  readonly lendsBytes: number;
  readonly #codes = new Map<string, string>();
  #done = false;

  constructor(seed: string, partnerCount: number, options: SceneOptions = {}) {
    const { plan, keepTrace, files, owner, partner, lendsBytes } = options;
    this.world = new SimWorld(seed, {
      ...(plan === undefined ? {} : { plan }),
      ...(keepTrace === undefined ? {} : { keepTrace }),
    });
    this.link = new SimLink(this.world);
    this.lendsBytes = lendsBytes ?? 64 * mebi;
    this.owner = this.newPeer('owner', owner);
    const names = Array.from({ length: partnerCount }, (_, index): string => `partner-${index}`);
    this.partners = names.map((name: string) => this.newPeer(name, partner));
    const draws = this.world.prng.fork('files');
    this.owner.files.makeFolder('/home');
    (files ?? someFiles)(this.owner.files, (count: number) => draws.bytes(count));
  }

  newPeer(name: string, options: Partial<SimPeerOptions> = {}): SimPeer {
    const { world, link } = this;
    return new SimPeer({ world, link, kernels, name, ...options });
  }

  /** Partners serve, and in their first life each makes an invite for the owner. */
  spawnPartners(): void {
    for (const partner of this.partners)
      partner.spawn(async (computer) => {
        if (this.#codes.has(partner.name)) return;
        this.#codes.set(partner.name, this.#invite(computer));
      });
  }

  /** The owner joins every partner that it has no agreement with, as often as that takes. */
  async joinAll(computer: Computer, node: SimComputer): Promise<void> {
    for (const partner of this.partners) {
      const peer = partner.keys.peerId;
      while (!computer.partners().some(({ agreement }) => agreement.partner === peer)) {
        const code = this.#codes.get(partner.name) ?? '';
        const joined = await computer.join(code, { spaceBytes: this.lendsBytes });
        if (joined.ok) break;
        // A clock that jumped may have made the code too old; people would ask for another one.
        if (joined.error.code === 'invite.expired' && partner.computer !== undefined)
          this.#codes.set(partner.name, this.#invite(partner.computer));
        await node.clock.sleep(1_000);
      }
    }
  }

  #invite(computer: Computer): string {
    return computer.invite({ spaceBytes: this.lendsBytes, validMs: dayMs });
  }

  /** Runs the owner's program, from its beginning in every life, until one life ends it. */
  async play(
    program: (computer: Computer, node: SimComputer) => Promise<void>,
    limitMs: number = dayMs,
  ): Promise<RunEnd> {
    this.spawnPartners();
    this.owner.spawn(async (computer, node) => {
      await this.joinAll(computer, node);
      await program(computer, node);
      this.#done = true;
    });
    const end = await this.world.run({ untilMs: limitMs, until: () => this.#done });
    this.#done = false;
    return end;
  }

  /** Plays, and asks that it comes to its end and that everything holds then. */
  async mustPlay(
    program: (computer: Computer, node: SimComputer) => Promise<void>,
    limitMs?: number,
  ): Promise<void> {
    const end = await this.play(program, limitMs);
    assert.equal(end, 'reached', this.report());
    this.mustHold();
  }

  mustHold(): void {
    assert.deepEqual(violations(this.owner, this.partners), [], this.report());
  }

  report(): string {
    return `seed ${this.world.seed}\n${this.world.trace.lines().slice(-40).join('\n')}`;
  }
}

export function someFiles(tree: SimTree, bytes: (count: number) => Bytes): void {
  for (let folder = 0; folder < 3; folder += 1) {
    tree.makeFolder(`/home/folder-${folder}`);
    for (let file = 0; file < 10; file += 1)
      tree.writeFile(`/home/folder-${folder}/file-${file}`, bytes(1 + ((file * 3_931) % 40_000)));
  }
  tree.writeFile('/home/empty', new Uint8Array(0));
  tree.makeFolder('/home/empty-folder');
  tree.makeSymlink('/home/link', utf8Bytes('folder-0/file-0'));
  tree.writeFile('/home/large', bytes(3 * mebi));
  tree.link('/home/large', '/home/large-too');
}

/** Little to send, for runs in which much is sent again. */
export function smallFiles(tree: SimTree, bytes: (count: number) => Bytes): void {
  tree.makeFolder('/home/folder');
  for (let file = 0; file < 5; file += 1)
    tree.writeFile(`/home/folder/file-${file}`, bytes(1 + file * 25_000));
}

export async function backUp(
  computer: Computer,
  tags: readonly string[] = [],
): Promise<BackupReport> {
  const outcome = await computer.backup({ ...request, tags }, quiet);
  assert.ok(outcome.ok, outcome.ok ? '' : `${outcome.error.code} ${outcome.error.detail}`);
  return outcome.value;
}

/** Waits for the phase as long as it takes: `protect` returns when nothing can be done at present. */
export async function reach(
  computer: Computer,
  node: SimComputer,
  goal: { readonly snapshot: SnapshotId; readonly phase: SnapshotPhase },
): Promise<void> {
  while (!reached(await computer.protect(goal.snapshot, goal.phase, quiet), goal.phase))
    await node.clock.sleep(5_000);
}

const everything: Omit<RestoreRequest, 'snapshot'> = {
  path: undefined,
  include: [],
  exclude: [],
  overwrite: 'always',
  deleteExtra: false,
  dryRun: false,
  verify: true,
};

/** Restores a snapshot into an empty tree. */
export async function restored(
  peer: SimPeer,
  computer: Computer,
  snapshot: SnapshotId,
): Promise<{ readonly tree: SimTree; readonly report: RestoreReport }> {
  const tree = new SimTree(() => 0n);
  const target = createTwinTarget({ tree, folder: '/restore', keys: peer.keys, kernels });
  const outcome = await computer.restore({ ...everything, snapshot }, target, quiet);
  assert.ok(outcome.ok, outcome.ok ? '' : `${outcome.error.code} ${outcome.error.detail}`);
  assert.deepEqual(outcome.value.problems, []);
  return { tree, report: outcome.value };
}

/** Restores a snapshot and compares it with what the owner has, or had. */
export async function mustRestore(
  scene: Pick<Scene, 'owner'>,
  computer: Computer,
  wanted: { readonly snapshot: SnapshotId; readonly files?: readonly string[] },
): Promise<RestoreReport> {
  const { tree, report } = await restored(scene.owner, computer, wanted.snapshot);
  assert.deepEqual(facts(tree, '/restore/home'), wanted.files ?? facts(scene.owner.files, '/home'));
  return report;
}

/** Everything below a folder that a restore must bring back, one line for each. */
export function facts(tree: SimTree, folder: string): readonly string[] {
  const lines: string[] = [];
  const names = new Map<bigint, string>();
  const visit = (path: string, below: string): void => {
    const node = tree.find(path);
    assert.ok(node !== undefined, path);
    const first = names.get(node.inode) ?? below;
    names.set(node.inode, first);
    const contents = Buffer.from(node.kind === 'symlink' ? node.target : node.bytes);
    const body =
      contents.length > 64 ? `${contents.length}:${hash(contents)}` : contents.toString('hex');
    lines.push(
      `${below} ${node.kind} ${node.mode.toString(8)} ${node.mtimeNs} ${first === below ? '' : first} ${body}`,
    );
    for (const name of [...node.children.keys()].sort())
      visit(`${path}/${name}`, `${below}/${name}`);
  };
  visit(folder, '');
  return lines;
}

function hash(bytes: Uint8Array): number {
  let value = 2_166_136_261;
  for (const byte of bytes) value = Math.imul(value ^ byte, 16_777_619) >>> 0;
  return value;
}
