/**
 * What goes wrong in a world, as data: drawn from a seed, printed when a run fails, and written by hand where a test wants one thing only.
 *
 * A plan says when and where; the twins of network and disk do it. After `healsAtMs` nothing goes wrong any more, and a run then asks that the
 * computers get over it.
 */
import type { Prng } from '../base/prng.ts';
import { dayMs, hourMs, mebi, minuteMs } from '../base/units.ts';

export interface NetworkFaults {
  /** Share of requests whose request or reply is lost: the asker meets silence. */
  readonly lossShare: number;
  /** Share of requests that reach the other side twice, as repeated ones do. */
  readonly duplicateShare: number;
  /** Share of bodies that break off somewhere. */
  readonly breakShare: number;
  readonly delayMs: { readonly least: number; readonly most: number };
}

/** From `fromMs` to `untilMs` nothing goes from `senders` to `receivers`; the other way is open unless another partition closes it. */
export interface Partition {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly senders: readonly string[];
  readonly receivers: readonly string[];
}

/** The computer stops around its durable step number `step` (the first is 1) and comes back after `downMs`. */
export interface PlannedCrash {
  readonly node: string;
  readonly step: number;
  readonly moment: 'before' | 'after';
  readonly downMs: number;
}

export interface DiskFaults {
  readonly node: string;
  readonly disk: 'spool' | 'held';
  /** How many bytes fit on it until the world heals; undefined: all. */
  readonly capacityBytes: number | undefined;
  /** At each of these times one bit of what lies on it flips. */
  readonly rotsAtMs: readonly number[];
}

/** Reading, writing and coding take no time, but for this share of them. */
export interface SlowWork {
  readonly share: number;
  /** The longest that one takes. */
  readonly mostMs: number;
}

export interface ClockJump {
  readonly node: string;
  readonly atMs: number;
  readonly byMs: number;
}

/** The computer does nothing for so long and then goes on, as a laptop whose lid is closed. */
export interface Suspension {
  readonly node: string;
  readonly atMs: number;
  readonly forMs: number;
}

export interface FaultPlan {
  readonly network: NetworkFaults;
  readonly partitions: readonly Partition[];
  readonly crashes: readonly PlannedCrash[];
  readonly disks: readonly DiskFaults[];
  readonly work: SlowWork;
  readonly clockJumps: readonly ClockJump[];
  readonly suspensions: readonly Suspension[];
  readonly healsAtMs: number;
}

export const calmNetwork: NetworkFaults = {
  lossShare: 0,
  duplicateShare: 0,
  breakShare: 0,
  delayMs: { least: 1, most: 20 },
};

/** Nothing goes wrong. What is put into a copy of it never heals, unless `healsAtMs` says when. */
export const calmPlan: FaultPlan = {
  network: calmNetwork,
  partitions: [],
  crashes: [],
  disks: [],
  work: { share: 0, mostMs: 0 },
  clockJumps: [],
  suspensions: [],
  healsAtMs: Number.MAX_SAFE_INTEGER,
};

export interface PlanRange {
  readonly nodes: readonly string[];
  /** How long things go wrong. */
  readonly durationMs: number;
  /** Durable steps among which crashes are drawn. */
  readonly steps: number;
}

/** A plan with a little of everything. The same draws give the same plan. */
export function drawFaultPlan(prng: Prng, range: PlanRange): FaultPlan {
  return {
    network: drawNetwork(prng.fork('network')),
    partitions: some(prng.fork('partitions'), 3, (draw) => drawPartition(draw, range)),
    crashes: some(prng.fork('crashes'), 4, (draw) => ({
      node: draw.pick(range.nodes),
      step: draw.between(1, range.steps),
      moment: draw.pick(['before', 'after'] as const),
      downMs: draw.pick([1_000, minuteMs, hourMs]),
    })),
    disks: some(prng.fork('disks'), 2, (draw) => drawDisk(draw, range)),
    work: drawWork(prng.fork('work')),
    clockJumps: some(prng.fork('clocks'), 2, (draw) => ({
      node: draw.pick(range.nodes),
      atMs: draw.below(range.durationMs),
      byMs: draw.between(-3 * dayMs, 3 * dayMs),
    })),
    suspensions: some(prng.fork('suspensions'), 2, (draw) => ({
      node: draw.pick(range.nodes),
      atMs: draw.below(range.durationMs),
      forMs: draw.between(minuteMs, 12 * hourMs),
    })),
    healsAtMs: range.durationMs,
  };
}

function some<T>(prng: Prng, most: number, draw: (prng: Prng) => T): readonly T[] {
  return Array.from({ length: prng.between(0, most) }, (_, index) => draw(prng.fork(index)));
}

function drawNetwork(prng: Prng): NetworkFaults {
  return {
    lossShare: prng.pick([0, 0.01, 0.05, 0.2]),
    duplicateShare: prng.pick([0, 0.01, 0.1]),
    breakShare: prng.pick([0, 0.01, 0.05]),
    delayMs: { least: 1, most: prng.pick([20, 200, 3_000]) },
  };
}

function drawPartition(prng: Prng, { nodes, durationMs }: PlanRange): Partition {
  const mixed = prng.shuffled(nodes);
  const cut = prng.between(1, Math.max(1, mixed.length - 1));
  const fromMs = prng.below(durationMs);
  return {
    fromMs,
    untilMs: prng.between(fromMs, durationMs),
    senders: mixed.slice(0, cut),
    receivers: mixed.slice(cut),
  };
}

function drawDisk(prng: Prng, { nodes, durationMs }: PlanRange): DiskFaults {
  return {
    node: prng.pick(nodes),
    disk: prng.pick(['spool', 'held'] as const),
    capacityBytes: prng.chance(0.3) ? prng.between(1, 64) * mebi : undefined,
    rotsAtMs: some(prng.fork('rot'), 3, (draw) => draw.below(durationMs)),
  };
}

function drawWork(prng: Prng): SlowWork {
  return { share: prng.pick([0, 0.02, 0.2]), mostMs: prng.pick([50, 1_000, 5_000]) };
}

/** Whether what `sender` sends at `atMs` cannot reach `receiver`. */
export function isCutOff(
  plan: FaultPlan,
  way: { readonly sender: string; readonly receiver: string },
  atMs: number,
): boolean {
  return plan.partitions.some(
    (partition) =>
      partition.fromMs <= atMs &&
      atMs < partition.untilMs &&
      partition.senders.includes(way.sender) &&
      partition.receivers.includes(way.receiver),
  );
}
