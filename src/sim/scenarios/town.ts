/**
 * Computers that find each other by themselves and keep each other's backups, with everything a scenario does to them and asks of them.
 *
 * Periods are in the proportions of real ones, on the scale of minutes. The first computers own files; all of them lend.
 */
import { present } from '../../base/assert.ts';
import { type Bytes, equalBytes, utf8Bytes } from '../../base/bytes.ts';
import type { Prng } from '../../base/prng.ts';
import { hourMs, type Instant, mebi, minuteMs, secondMs } from '../../base/units.ts';
import { decodeLifecycle } from '../../core/partners/lifecycle-codec.ts';
import { isInForce } from '../../core/partners/lifecycle-phase.ts';
import type { SnapshotId } from '../../core/vocabulary/ids.ts';
import type { BackupRequest, Computer } from '../../engine/computer.ts';
import type { PartnershipSettings } from '../../engine/partners/partnership-settings.ts';
import type { Kernels } from '../../primitives/kernels/kernels.ts';
import { calmPlan, type FaultPlan } from '../fault-plan.ts';
import { Crashed } from '../life.ts';
import { simAddress } from '../network.ts';
import { SimLink } from '../sim-link.ts';
import { SimMeeting } from '../sim-meeting.ts';
import { SimPeer } from '../sim-peer.ts';
import { SimTree } from '../sim-tree.ts';
import { createTwinTarget } from '../twin-target.ts';
import { VirtualClock } from '../virtual-clock.ts';
import { SimWorld } from '../world.ts';
import { Conduct, WireTap } from './conduct.ts';
import { type ScenarioEnd, ScenarioFailed, type ScenarioParts } from './scenario.ts';

export interface TownOptions {
  readonly peers: number;
  /** So many of the first own files; the others only lend. */
  readonly owners: number;
  readonly wantedPartners: number;
  readonly plan?: FaultPlan;
  readonly partnership?: Partial<PartnershipSettings>;
  /** So long does each file get, at most. */
  readonly fileBytes?: number;
}

/** G, C, T_r and the others, in proportion. */
export const townPeriods: Partial<PartnershipSettings> &
  Pick<
    PartnershipSettings,
    'auditIntervalMs' | 'spareAfterMs' | 'graceMs' | 'commitmentMs' | 'probeIntervalMs'
  > = {
  seek: true,
  graceMs: 5 * minuteMs,
  commitmentMs: 6 * minuteMs,
  noticeMs: 3 * minuteMs,
  deleteLockMs: 2 * minuteMs,
  spareAfterMs: minuteMs,
  auditIntervalMs: 20 * secondMs,
  searchIntervalMs: 6 * secondMs,
  probeIntervalMs: 15 * secondMs,
  receiptPeriodMs: minuteMs,
};

/** Stands in every file of every owner. */
const plainWord: Bytes = utf8Bytes('these words leave no computer unsealed;');
/** How often is looked whether something holds: that costs more than what happens meanwhile. */
const pollMs: number = 4 * secondMs;
const offeredBytes: number = 960 * mebi;
const unheard = new AbortController();
/** For what the engine does on request: nobody cancels, nobody watches. */
export const unwatched: { readonly signal: AbortSignal; readonly progress: () => void } = {
  signal: unheard.signal,
  progress: () => undefined,
};
const backupRequest: BackupRequest = {
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

/** Files of one snapshot, as they were. */
export type Contents = ReadonlyMap<string, Bytes>;

export class Town {
  readonly world: SimWorld;
  readonly link: SimLink;
  readonly #peers: SimPeer[];
  readonly owners: readonly SimPeer[];
  readonly tap: WireTap = new WireTap(plainWord);
  readonly notes: string[] = [];
  readonly offeredBytes: number = offeredBytes;
  readonly kernels: Kernels;
  readonly #options: TownOptions;
  readonly #conducts = new Map<SimPeer, Conduct>();
  readonly #draws: Prng;
  readonly #meeting: SimMeeting;

  constructor({ seed, kernels }: ScenarioParts, options: TownOptions) {
    this.kernels = kernels;
    this.#options = options;
    this.world = new SimWorld(seed, { plan: options.plan ?? calmPlan });
    this.link = new SimLink(this.world);
    this.#draws = this.world.prng.fork('town');
    const { timeline, prng } = this.world;
    this.#meeting = new SimMeeting(new VirtualClock(timeline), prng.fork('meeting'));
    const meeting = this.#meeting;
    this.#peers = Array.from({ length: options.peers }, (_, number) =>
      this.#newPeer(`peer ${number}`, number < options.owners ? undefined : 0, { meeting }),
    );
    this.owners = this.peers.slice(0, options.owners);
    for (const owner of this.owners) {
      owner.files.makeFolder('/home');
      for (let file = 0; file < 4; file += 1) this.writeFile(owner, `first-${file}`);
    }
    for (const peer of this.peers) peer.spawn();
  }

  /** Those of the beginning, and whoever came later. */
  get peers(): readonly SimPeer[] {
    return this.#peers;
  }

  /** Somebody new, who finds partners like everybody; an owner has files and wants partners of its own. */
  arrive(name: string, role: 'owner' | 'lender'): SimPeer {
    const parts = { meeting: this.#meeting };
    const peer = this.#newPeer(name, role === 'owner' ? undefined : 0, parts);
    if (role === 'owner') peer.files.makeFolder('/home');
    if (role === 'owner') this.writeFile(peer, 'first');
    this.#peers.push(peer);
    peer.spawn();
    return peer;
  }

  #newPeer(
    name: string,
    wantedBytes: number | undefined,
    parts: { readonly meeting?: SimMeeting; readonly rootSeed?: Bytes },
  ): SimPeer {
    const conduct = new Conduct(this.tap);
    const { wantedPartners, partnership } = this.#options;
    const peer = new SimPeer({
      ...{ world: this.world, link: this.link, kernels: this.kernels, name, cacheCapBytes: 0 },
      ...parts,
      transport: (transport) => conduct.over(transport),
      settings: {
        offeredBytes,
        partnership: { ...townPeriods, wantedPartners, wantedBytes, ...partnership },
      },
    });
    this.#conducts.set(peer, conduct);
    return peer;
  }

  /** What the computer does otherwise than its engine. */
  conductOf(peer: SimPeer): Conduct {
    return present(this.#conducts.get(peer), 'everybody behaves somehow');
  }

  /** Something to back up, with the plain word in it. */
  writeFile(owner: SimPeer, name: string): void {
    const bytes = this.#draws.bytes(this.#draws.between(1_000, this.#options.fileBytes ?? 60_000));
    bytes.set(plainWord);
    owner.files.writeFile(`/home/${name}`, bytes);
  }

  peerOf(id: string): SimPeer {
    return present(
      this.peers.find(({ keys }) => keys.peerId === id),
      'one of the town',
    );
  }

  /** With whom it has an agreement in force, in the order in which they came. */
  partnersOf(owner: SimPeer): readonly SimPeer[] {
    const rows = owner.home.stores.agreements.all();
    return rows.filter(({ phase }) => isInForce(phase)).map(({ partner }) => this.peerOf(partner));
  }

  phaseAt(owner: SimPeer, partner: SimPeer): string | undefined {
    return owner.home.stores.agreements.ofPartner(partner.keys.peerId)?.phase;
  }

  /** Whether `owner` has caught `partner` with wrong bytes. */
  holdsWrong(owner: SimPeer, partner: SimPeer): boolean {
    const rows = owner.home.stores.agreements.all();
    return rows.some(({ partner: id, lifecycle }) => {
      const state = lifecycle && decodeLifecycle(lifecycle);
      return id === partner.keys.peerId && state?.ok === true && state.value.cause === 'wrong';
    });
  }

  async wait(ms: number): Promise<void> {
    await this.world.run({ untilMs: this.world.nowMs + ms });
  }

  /** Until it holds; fails when it does not within `limitMs`. Gives the virtual time that it took. */
  async until(what: string, holds: () => boolean, limitMs: number = hourMs): Promise<number> {
    return (await this.within(limitMs, holds)) ?? this.fail(`in vain: ${what}`);
  }

  /** The same, where it is no failure that it does not hold: then undefined. */
  async within(limitMs: number, holds: () => boolean): Promise<number | undefined> {
    const from = this.world.nowMs;
    while (!holds()) {
      if (this.world.nowMs - from >= limitMs) return undefined;
      await this.wait(pollMs);
    }
    return this.world.nowMs - from;
  }

  /** Runs `work` on virtual time until it has ended; tries anew when the computer crashed meanwhile. */
  async play<T>(peer: SimPeer, work: (computer: Computer) => Promise<T>): Promise<T> {
    for (;;) {
      await this.until(`${peer.name} runs`, () => peer.computer !== undefined);
      const node = this.world.node(peer.name);
      const ended: { value?: { readonly of: T }; failure?: unknown } = {};
      work(present(peer.computer, 'it runs')).then(
        (of) => {
          ended.value = { of };
        },
        (failure: unknown) => {
          ended.failure = failure;
        },
      );
      const isOver = (): boolean =>
        'value' in ended || 'failure' in ended || this.world.node(peer.name) !== node;
      const limit = { until: isOver, untilMs: this.world.nowMs + 4 * hourMs };
      if ((await this.world.run(limit)) !== 'reached') this.fail(`${peer.name} comes to no end`);
      if ('failure' in ended && !(ended.failure instanceof Crashed)) throw ended.failure;
      if (ended.value !== undefined) return ended.value.of;
    }
  }

  /** Backs up; gives the snapshot and what is in it. */
  async backUp(owner: SimPeer): Promise<{ readonly id: SnapshotId; readonly contents: Contents }> {
    for (let tries = 0; tries < 200; tries += 1) {
      const contents = contentsOf(owner.files, '/home');
      const outcome = await this.play(owner, (computer) =>
        computer.backup(backupRequest, unwatched),
      );
      if (outcome.ok) return { id: outcome.value.snapshot, contents };
      await this.wait(30 * secondMs);
    }
    return this.fail(`${owner.name} cannot back up`);
  }

  /** Partners are found, the first backup is out, and restores are honoured. */
  async settle(): Promise<readonly { readonly id: SnapshotId; readonly contents: Contents }[]> {
    const { wantedPartners } = this.#options;
    for (const owner of this.owners)
      await this.until('partners', () => this.partnersOf(owner).length >= wantedPartners);
    const snapshots = [];
    for (const owner of this.owners) snapshots.push(await this.backUp(owner));
    for (const owner of this.owners) await this.untilWhole(owner, 'the first backup');
    return snapshots;
  }

  /** Every stripe has all of its shards at partners that would give them back, by their own account as well, and nothing is under way. */
  async untilWhole(owner: SimPeer, after: string, limitMs?: number): Promise<number> {
    const isWhole = (): boolean => {
      // Looked at first, since it costs little.
      if (!this.partnersOf(owner).every((partner) => areCommitted(owner, partner))) return false;
      const status = owner.computer?.status();
      if (status === undefined || status.latest?.phase !== 'complete') return false;
      const { health, repair } = status;
      return health.stripes > 0 && health.whole === health.stripes && repair.stripes === 0;
    };
    return await this.until(`${owner.name} is whole after ${after}`, isWhole, limitMs);
  }

  /** Restores through the network and compares every byte. */
  async mustRestore(
    owner: SimPeer,
    { id, contents }: { readonly id: SnapshotId; readonly contents: Contents },
  ): Promise<void> {
    const tree = new SimTree(() => 0n);
    const kernels = this.kernels;
    const target = createTwinTarget({ tree, folder: '/restore', keys: owner.keys, kernels });
    const wanted = { snapshot: id, path: undefined, include: [], exclude: [] };
    const ways = { overwrite: 'always', deleteExtra: false, dryRun: false, verify: true } as const;
    const outcome = await this.play(owner, (computer) =>
      computer.restore({ ...wanted, ...ways }, target, unwatched),
    );
    if (!outcome.ok) this.fail(`${owner.name} cannot restore: ${JSON.stringify(outcome.error)}`);
    const restored = contentsOf(tree, '/restore/home');
    this.require(restored.size === contents.size, 'a restore brings back every file');
    for (const [name, bytes] of contents)
      this.require(
        equalBytes(restored.get(name) ?? new Uint8Array(0), bytes),
        `${name} is as it was`,
      );
  }

  /**
   * The owner's home is gone; a new computer with its words asks these peers. Gives the new computer. Where the older one lives, it goes on and is not reached any more:
   * its address is now the newer one's.
   */
  async recover(
    owner: SimPeer,
    from: readonly SimPeer[],
    course: 'the older is gone' | 'the older lives' = 'the older is gone',
  ): Promise<SimPeer> {
    if (course === 'the older lives') this.link.network.crash(owner.keys.peerId);
    else this.world.crash(owner.name);
    const parts = { meeting: this.#meeting, rootSeed: owner.rootSeed };
    const heir = this.#newPeer(`${owner.name} again`, undefined, parts);
    const peers = from.map(({ keys }) => ({ peer: undefined, address: simAddress(keys.peerId) }));
    const ended: { outcome?: Awaited<ReturnType<Computer['recover']>> } = {};
    const recovers = async (computer: Computer): Promise<void> => {
      if (ended.outcome?.ok !== true)
        ended.outcome = await computer.recover(peers, { floor: undefined, ...unwatched });
    };
    // At once: whoever looks for partners of its own before is no empty home any more.
    heir.spawn(recovers);
    await this.until(`${heir.name} is recovered`, () => ended.outcome !== undefined);
    const { restorableFrom } = ended.outcome?.ok === false ? ended.outcome.error : {};
    if (restorableFrom !== undefined) {
      await this.#waitForCommitment(heir, restorableFrom);
      await this.play(heir, recovers);
    }
    const outcome = present(ended.outcome, 'it ended');
    if (!outcome.ok) this.fail(`${owner.name} cannot be recovered: ${outcome.error.detail}`);
    return heir;
  }

  /** Clocks were set, so by that of the new computer commitments may run a little longer: it says until when, as to a person. */
  async #waitForCommitment(heir: SimPeer, from: Instant): Promise<void> {
    const { clock } = present(this.world.node(heir.name), 'it runs');
    const leftMs = from - clock.now();
    this.require(leftMs < 10 * minuteMs, 'commitments are nearly over');
    await this.wait(Math.max(0, leftMs) + pollMs);
  }

  require(holds: boolean, what: string): void {
    if (!holds) this.fail(`it does not hold that ${what}`);
  }

  /** Nothing of `violations` may be. */
  none(violations: readonly string[]): void {
    if (violations.length > 0) this.fail(violations.slice(0, 10).join('; '));
  }

  fail(what: string): never {
    const lines = this.world.trace.lines().filter((line) => !line.includes(' sim.'));
    const partners = this.owners.flatMap(({ name, computer }) => {
      const status = computer?.status();
      if (status === undefined) return [`${name} is down`];
      const phases = status.partners.map(
        ({ agreement, phase }) => `${this.peerOf(agreement.partner).name}: ${phase}`,
      );
      const { health, repair, hindrances } = status;
      return [JSON.stringify({ name, phases, health, repair, hindrances })];
    });
    const at = `after ${Math.round(this.world.nowMs / secondMs)} s`;
    throw new ScenarioFailed([`${what} (${at})`, ...partners, ...lines.slice(-25)].join('\n'));
  }

  end(): ScenarioEnd {
    this.require(this.tap.bytes > 0 && this.tap.seen === 0, 'nothing leaves a computer unsealed');
    const { trace, nowMs } = this.world;
    return { hash: trace.hash(), virtualMs: nowMs, notes: this.notes };
  }
}

/** Both sides hold that no commitment is open between them; a partner that does not know the other as one any more has nothing to say. */
function areCommitted(owner: SimPeer, partner: SimPeer): boolean {
  const isOver = (one: SimPeer, other: SimPeer): boolean => {
    const row = one.home.stores.agreements.ofPartner(other.keys.peerId);
    if (row?.lifecycle === undefined || !isInForce(row.phase))
      return row?.phase !== 'in-commitment';
    const state = decodeLifecycle(row.lifecycle);
    return state.ok && state.value.committedAt !== undefined && state.value.steps.length === 0;
  };
  return isOver(owner, partner) && isOver(partner, owner);
}

/** Every regular file below a folder, by its path from there. */
function contentsOf(tree: SimTree, folder: string): Contents {
  const contents = new Map<string, Bytes>();
  const visit = (path: string, below: string): void => {
    const node = tree.find(path);
    if (node === undefined) return;
    if (node.kind === 'file') contents.set(below, node.bytes.slice());
    for (const name of [...node.children.keys()].sort())
      visit(`${path}/${name}`, `${below}/${name}`);
  };
  visit(folder, '');
  return contents;
}
