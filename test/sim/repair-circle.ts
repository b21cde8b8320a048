/** A computer that wants partners and others that lend, with periods in proportion: what tests of repair play in. */
import assert from 'node:assert/strict';
import { present } from '../../src/base/assert.ts';
import { hourMs, minuteMs, secondMs } from '../../src/base/units.ts';
import type { PackId } from '../../src/core/vocabulary/ids.ts';
import type { Computer } from '../../src/engine/computer.ts';
import type { PartnershipSettings } from '../../src/engine/partners/partnership-settings.ts';
import { durable } from '../../src/sim/checkers.ts';
import { calmPlan, type PlannedCrash } from '../../src/sim/fault-plan.ts';
import type { SimPeer } from '../../src/sim/sim-peer.ts';
import { type Crowd, crowd } from './crowd.ts';
import { backUp, mustRestore, smallFiles } from './scene.ts';

/** Periods in proportion, on the scale of minutes. */
const periods: Partial<PartnershipSettings> = {
  graceMs: 5 * minuteMs,
  commitmentMs: 6 * minuteMs,
  noticeMs: 3 * minuteMs,
  deleteLockMs: 2 * minuteMs,
  spareAfterMs: minuteMs,
  auditIntervalMs: 20 * secondMs,
};

export interface CircleOptions {
  readonly count: number;
  readonly wanted: number;
  readonly crashes?: readonly PlannedCrash[];
  readonly keepTrace?: boolean;
}

/** One computer that wants partners, and others that lend. */
export class Circle {
  readonly them: Crowd;
  readonly self: SimPeer;

  constructor(seed: string, { count, wanted, crashes, keepTrace }: CircleOptions) {
    this.them = crowd(seed, count, {
      meets: true,
      plan: { ...calmPlan, crashes: crashes ?? [] },
      keepTrace: keepTrace ?? false,
      partnership: (number) => ({
        ...periods,
        wantedPartners: wanted,
        ...(number === 0 ? {} : { wantedBytes: 0 }),
      }),
      settings: () => ({ cacheCapBytes: 0 }),
    });
    this.self = present(this.them.peers[0], 'an owner');
    this.self.files.makeFolder('/home');
    const draws = this.them.world.prng.fork('files');
    smallFiles(this.self.files, (bytes) => draws.bytes(bytes));
  }

  get world(): Crowd['world'] {
    return this.them.world;
  }

  /** Undefined while it is down. */
  get owner(): Computer | undefined {
    return this.self.computer;
  }

  async wait(ms: number): Promise<void> {
    await this.world.run({ untilMs: this.world.nowMs + ms });
  }

  async until(what: string, holds: (owner: Computer) => boolean): Promise<void> {
    const limitMs = this.world.nowMs + hourMs;
    while (this.owner === undefined || !holds(this.owner)) {
      assert(this.world.nowMs < limitMs, `in vain: ${what}\n${this.#report()}`);
      await this.wait(2 * secondMs);
    }
  }

  #report(): string {
    const status = this.owner?.status();
    const partners = status?.partners.map(
      ({ agreement, phase }) => `${agreement.partner} ${phase}`,
    );
    const { health, repair, hindrances } = status ?? {};
    const lines = this.world.trace.lines().filter((line) => !line.includes('sim.'));
    return [
      JSON.stringify({ partners, health, repair, hindrances }, undefined, 1),
      ...lines.slice(-40),
    ].join('\n');
  }

  /** Runs `work` of the owner to its end, on the world's time. */
  async play<T>(work: (owner: Computer) => Promise<T>): Promise<T> {
    const ended: { value?: T; failure?: unknown } = {};
    work(present(this.owner, 'the owner runs')).then(
      (value) => {
        ended.value = value;
      },
      (reason: unknown) => {
        ended.failure = reason;
      },
    );
    const isOver = (): boolean => 'value' in ended || 'failure' in ended;
    await this.world.run({ until: isOver, untilMs: this.world.nowMs + hourMs });
    if ('failure' in ended) throw ended.failure;
    assert('value' in ended, 'the work ended');
    return ended.value as T;
  }

  /** Partners are found, everything is out, and restores are honoured. */
  async settle(wanted: number): Promise<void> {
    await this.until('partners', (owner) => owner.partners().length >= wanted);
    await this.play((owner) => backUp(owner));
    await this.until('commitment is over', (owner) =>
      owner.partners().every(({ phase }) => phase === 'standing'),
    );
    await this.untilWhole('the first backup');
  }

  /** Every stripe has all of its shards at partners that can be counted on, and nothing is under way. */
  async untilWhole(what: string): Promise<void> {
    await this.until(`whole after ${what}`, (owner) => {
      const { health, repair } = owner.status();
      return health.stripes > 0 && health.whole === health.stripes && repair.stripes === 0;
    });
  }

  /** Partners in the order in which they came. */
  partners(): readonly SimPeer[] {
    const owner = present(this.owner, 'the owner runs');
    return owner.partners().map(({ agreement }) =>
      present(
        this.them.peers.find(({ keys }) => keys.peerId === agreement.partner),
        'one of us',
      ),
    );
  }

  phaseOf(peer: SimPeer): string | undefined {
    return durable(this.self).agreements.ofPartner(peer.keys.peerId)?.phase;
  }

  packs(): readonly PackId[] {
    return durable(this.self)
      .packs.all()
      .filter(({ kind }) => kind !== 'index')
      .map(({ pack }) => pack);
  }

  /** Shards of the given packs that were sent and acknowledged so far. */
  sent(packs: readonly PackId[]): number {
    return this.world.trace
      .lines()
      .filter((line) => line.includes(' shard.held '))
      .filter((line) => packs.some((pack) => line.includes(pack))).length;
  }

  reserves(peer: SimPeer): number {
    return durable(this.self)
      .layouts.retired()
      .filter(({ partner, reserve }) => reserve && partner === peer.keys.peerId).length;
  }

  held(peer: SimPeer, packs: readonly PackId[]): number {
    return durable(this.self)
      .shards.ofPartner(peer.keys.peerId)
      .filter(({ pack, phase }) => phase === 'held' && packs.includes(pack)).length;
  }

  async mustRestore(): Promise<void> {
    await this.play(async (owner) => {
      const { snapshot } = present(owner.snapshots().at(-1), 'a snapshot');
      await mustRestore({ owner: this.self }, owner, { snapshot });
    });
  }
}

/** The first partner is silent for longer than T_r, and its shards lie elsewhere as well. */
export async function spared(circle: Circle): Promise<SimPeer> {
  const silent = present(circle.partners()[0], 'a partner');
  circle.world.crash(silent.name);
  await circle.until('it is suspended', () => circle.phaseOf(silent) === 'suspended');
  await circle.untilWhole('spares were placed');
  return silent;
}
