/** An owner and its partners in a simulated world: whole computers, driven step by step, whose disks can be looked into and tampered with. */
import assert from 'node:assert/strict';
import { loadKernels } from '../../src/adapters/kernels/kernel-files.ts';
import { present } from '../../src/base/assert.ts';
import { type Bytes, utf8Bytes } from '../../src/base/bytes.ts';
import type { Outcome } from '../../src/base/outcome.ts';
import { mebi, minuteMs } from '../../src/base/units.ts';
import { stripeIdOf } from '../../src/core/erasure/layout.ts';
import { kitJson, kitOf, parseKit } from '../../src/core/recovery/kit.ts';
import { ShardSealer } from '../../src/core/sealing/block.ts';
import { ShardNamer } from '../../src/core/sealing/shard-name.ts';
import type { Code } from '../../src/core/vocabulary/code.ts';
import type { SnapshotId, StripeId } from '../../src/core/vocabulary/ids.ts';
import { blockBytes } from '../../src/core/vocabulary/limits.ts';
import { parseSuite } from '../../src/core/vocabulary/suite.ts';
import type {
  BackupReport,
  BackupRequest,
  Computer,
  RecoverReport,
  RestoreFailure,
  RestoreReport,
} from '../../src/engine/computer.ts';
import type { PackRow, SnapshotPhase } from '../../src/ports/stores.ts';
import type { Kernels } from '../../src/primitives/kernels/kernels.ts';
import { SimLink } from '../../src/sim/sim-link.ts';
import { makePartners, SimPeer } from '../../src/sim/sim-peer.ts';
import type { SimNode, SimTree } from '../../src/sim/sim-tree.ts';
import { createTwinTarget } from '../../src/sim/twin-target.ts';
import { SimWorld } from '../../src/sim/world.ts';

export const kernels: Kernels = loadKernels();

const quiet = { signal: new AbortController().signal, progress: () => undefined };
const patienceMs: number = 30 * minuteMs;

const request: BackupRequest = {
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

/** A shard as it lies on a partner's disk, found by the owner's keys and the partner's inventory. */
export interface ShardOnDisk {
  readonly partner: SimPeer;
  /** Its name on the partner's disk. */
  readonly blob: string;
  readonly row: PackRow;
  readonly code: Code;
  readonly stripe: StripeId;
  readonly index: number;
  readonly bytes: Bytes;
}

export class SimCircle {
  readonly world: SimWorld;
  readonly link: SimLink;
  readonly owner: SimPeer;
  readonly partners: SimPeer[] = [];

  private constructor(seed: string) {
    this.world = new SimWorld(seed);
    this.link = new SimLink(this.world);
    this.owner = this.#peer('owner');
    this.owner.files.makeFolder('/home');
  }

  /** The owner and so many partners, who lend each other `spaceBytes`. */
  static async made(
    seed: string,
    partnerCount: number,
    spaceBytes: number = 64 * mebi,
  ): Promise<SimCircle> {
    const circle = new SimCircle(seed);
    await circle.started(circle.owner);
    for (let index = 0; index < partnerCount; index += 1) await circle.joined(spaceBytes);
    return circle;
  }

  /** One partner more. */
  async joined(spaceBytes: number = 64 * mebi): Promise<SimPeer> {
    const partner = this.#peer(`partner-${this.partners.length}`);
    this.partners.push(partner);
    await this.started(partner);
    await this.during(() => makePartners(running(this.owner), [running(partner)], spaceBytes));
    return partner;
  }

  /** Lets the world go on until the work is done. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const settled: (() => T)[] = [];
    work().then(
      (value) => settled.push(() => value),
      (reason: unknown) =>
        settled.push(() => {
          throw reason;
        }),
    );
    const untilMs = this.world.nowMs + patienceMs;
    const end = await this.world.run({ untilMs, until: () => settled.length > 0 });
    assert.equal(end, 'reached', 'the work ends');
    return present(settled[0], 'the work has ended')();
  }

  async started(peer: SimPeer): Promise<void> {
    await this.during(
      () =>
        new Promise<void>((resolve) => {
          peer.spawn(async () => resolve());
        }),
    );
  }

  async backUp(peer: SimPeer = this.owner): Promise<BackupReport> {
    return good(await this.during(() => running(peer).backup(request, quiet)));
  }

  async protect(
    snapshot: SnapshotId,
    wanted: SnapshotPhase,
    peer: SimPeer = this.owner,
  ): Promise<SnapshotPhase> {
    return await this.during(() => running(peer).protect(snapshot, wanted, quiet));
  }

  /** A backup that has reached all partners. */
  async backedUp(peer: SimPeer = this.owner): Promise<BackupReport> {
    const report = await this.backUp(peer);
    assert.equal(await this.protect(report.snapshot, 'complete', peer), 'complete');
    return report;
  }

  /** Restores all of a snapshot to `/restored`, and reads it again. */
  async restore(
    peer: SimPeer,
    snapshot: SnapshotId,
  ): Promise<Outcome<RestoreReport, RestoreFailure>> {
    const target = createTwinTarget({
      tree: peer.files,
      folder: '/restored',
      keys: peer.keys,
      kernels,
    });
    const whole = {
      snapshot,
      path: undefined,
      include: [],
      exclude: [],
      overwrite: 'always' as const,
      deleteExtra: false,
      dryRun: false,
      verify: true,
    };
    return await this.during(() => running(peer).restore(whole, target, quiet));
  }

  /** The owner's computer is lost; another comes back from the text of a recovery kit and nothing else. */
  async recoveredFrom(kitText: string): Promise<{ peer: SimPeer; report: RecoverReport }> {
    this.world.crash(this.owner.name);
    const { kit, rootSeed } = good(parseKit(kitText));
    const { world, link } = this;
    const peer = new SimPeer({ world, link, kernels, name: 'owner-again', rootSeed });
    await this.started(peer);
    const places = kit.partners.flatMap(({ peer: id, addresses }) =>
      addresses.map((address) => ({ peer: id, address })),
    );
    const options = { ...quiet, floor: kit.floor };
    const report = good(await this.during(() => running(peer).recover(places, options)));
    return { peer, report };
  }

  /** The owner's recovery kit as a person keeps it. */
  kitText(): string {
    return kitJson(kitOf(this.owner.rootSeed, running(this.owner).kit()));
  }

  /** All shards that partners hold for the owner, as its keys find them on their disks. */
  shards(): ShardOnDisk[] {
    return this.partners.flatMap((partner) => this.shardsAt(partner));
  }

  shardsAt(partner: SimPeer): ShardOnDisk[] {
    const { shardNameKey, peerId } = this.owner.keys;
    const namer = new ShardNamer(shardNameKey, partner.keys.peerId);
    const named = new Map<string, Omit<ShardOnDisk, 'partner' | 'blob' | 'bytes'>>();
    for (const row of this.packs()) {
      const code = present(row.code, 'a pack that was sent out has a code');
      const stripe = stripeIdOf({ packId: row.pack, packLength: row.lengthBytes, code });
      for (let index = 0; index < code.dataShards + code.parityShards; index += 1)
        named.set(`${peerId}/${namer.nameOf(stripe, index)}`, { row, code, stripe, index });
    }
    const { held } = partner.home;
    return held.wholeNames().flatMap((blob) => {
      const shard = named.get(blob);
      const bytes = present(held.whole(blob), 'a blob that is listed');
      return shard === undefined ? [] : [{ ...shard, partner, blob, bytes }];
    });
  }

  packs(): PackRow[] {
    return [...this.owner.home.image().packs.packs.values()].map(({ row }) => row);
  }

  /** What opens a shard: the owner's keys, for the partner that holds it. */
  sealer(shard: ShardOnDisk): ShardSealer {
    return new ShardSealer(this.owner.keys.sealKey, {
      suite: present(parseSuite(shard.row.suite), 'a suite of ours'),
      owner: this.owner.keys.peerId,
      partner: shard.partner.keys.peerId,
      stripeId: shard.stripe,
      index: shard.index,
    });
  }

  #peer(name: string): SimPeer {
    return new SimPeer({ world: this.world, link: this.link, kernels, name });
  }
}

export function running(peer: SimPeer): Computer {
  return present(peer.computer, `${peer.name} is running`);
}

export function good<T, E extends { readonly code: string }>(outcome: Outcome<T, E>): T {
  assert.ok(outcome.ok, outcome.ok ? '' : JSON.stringify(outcome.error));
  return outcome.value;
}

export function blocksOf(shard: Bytes): Bytes[] {
  assert.equal(shard.length % blockBytes, 0, 'a shard is whole blocks');
  return Array.from({ length: shard.length / blockBytes }, (_, number) =>
    shard.subarray(number * blockBytes, (number + 1) * blockBytes),
  );
}

/** On the partner's disk, one bit of a shard turns over. */
export function flipBit(shard: ShardOnDisk, position: number, bit = 0): void {
  const { held } = shard.partner.home;
  const bytes = new Uint8Array(present(held.whole(shard.blob), 'a shard on disk'));
  bytes[position] = present(bytes[position], 'a byte of the shard') ^ (1 << bit);
  held.setWhole(shard.blob, bytes);
}

/** All that a tree keeps below a folder: kinds, contents, links, modes, owners, times; names of one file share a number. */
export function treeBelow(tree: SimTree, folder: string): readonly (readonly unknown[])[] {
  const found: (readonly unknown[])[] = [];
  const numbers = new Map<SimNode, number>();
  const visit = (path: string, node: SimNode): void => {
    const number = numbers.get(node) ?? numbers.size;
    numbers.set(node, number);
    const { kind, mode, uid, gid, mtimeNs, bytes, target } = node;
    found.push([path, kind, number, mode, uid, gid, mtimeNs, bytes, target]);
    for (const name of [...node.children.keys()].sort())
      visit(`${path}/${name}`, present(node.children.get(name), 'a listed name'));
  };
  visit('', present(tree.find(folder), 'the folder'));
  return found;
}
