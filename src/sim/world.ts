/**
 * A world of computers on virtual time, driven by one seed.
 *
 * The programs are ordinary asynchronous code over ports. The world lets every promise that can settle do so, then takes the next event
 * from its queue, and so on: nothing waits for real time, and the order of everything follows from the seed. Each computer can be crashed around any
 * of its durable steps, suspended, and started again on what it had made durable.
 */
import { setImmediate } from 'node:timers';
import { assert, present } from '../base/assert.ts';
import { Prng } from '../base/prng.ts';
import type { EventLog } from '../ports/event-log.ts';
import type { Random } from '../ports/random.ts';
import { calmPlan, type FaultPlan, type PlannedCrash } from './fault-plan.ts';
import { Crashed, Life } from './life.ts';
import { Trace, type TraceFields } from './trace.ts';
import { EventQueue, type Timeline, VirtualClock } from './virtual-clock.ts';

/** One computer during one life. A restart makes another of the same name. */
export interface SimComputer {
  readonly name: string;
  readonly world: SimWorld;
  readonly life: Life;
  /** Events put here happen only while this life lasts, and wait while the computer is suspended. */
  readonly timeline: Timeline;
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly log: EventLog;
  /** For the twins of stores and disks: called around every durable step; throws `Crashed` where the plan wants a crash. */
  readonly onDurable: (label: string, moment: 'before' | 'after') => void;
}

/** What a computer runs from its start on. It returns when the computer is done, or never. */
export type SimProgram = (node: SimComputer) => Promise<void>;

/** A program ended with an error that is not a crash: a failure of the run. */
export class ProgramFailed extends Error {
  override readonly name = 'ProgramFailed';
}

export interface RunLimits {
  /** Virtual time at which the run stops. */
  readonly untilMs?: number;
  /** Looked at between events: the run stops as soon as it holds. */
  readonly until?: () => boolean;
  /** Events after which the run is given up. Default a million. */
  readonly maxSteps?: number;
}

/** `idle`: there is nothing left that could happen. */
export type RunEnd = 'reached' | 'time' | 'idle' | 'too-long';

interface Computer {
  readonly name: string;
  readonly program: SimProgram;
  /** Durable steps over all lives. */
  steps: number;
  starts: number;
  offsetMs: number;
  suspendedUntilMs: number;
  node: SimComputer | undefined;
}

export class SimWorld {
  readonly seed: string;
  readonly prng: Prng;
  readonly plan: FaultPlan;
  readonly trace: Trace;
  readonly #events = new EventQueue();
  readonly #computers = new Map<string, Computer>();
  readonly #failures: ProgramFailed[] = [];
  #crashes: readonly PlannedCrash[];

  constructor(
    seed: string | number,
    options: { readonly plan?: FaultPlan; readonly keepTrace?: boolean } = {},
  ) {
    this.seed = String(seed);
    this.prng = new Prng(seed);
    this.plan = options.plan ?? calmPlan;
    this.trace = new Trace({ keepAll: options.keepTrace ?? false });
    this.#crashes = this.plan.crashes;
    for (const jump of this.plan.clockJumps)
      this.at(jump.atMs, () => this.jumpClock(jump.node, jump.byMs));
    for (const pause of this.plan.suspensions)
      this.at(pause.atMs, () => this.suspend(pause.node, pause.forMs));
  }

  /** The world's own time, for twins that belong to no computer. */
  get timeline(): Timeline {
    return this.#events;
  }

  get nowMs(): number {
    return this.#events.nowMs;
  }

  /** True once the plan lets nothing go wrong any more. */
  get healed(): boolean {
    return this.nowMs >= this.plan.healsAtMs;
  }

  at(atMs: number, work: () => void): () => void {
    return this.#events.at(atMs, work);
  }

  note(event: string, fields?: TraceFields): void {
    this.#trace('', event, fields);
  }

  /** Adds a computer and starts it. */
  spawn(name: string, program: SimProgram): void {
    assert(!this.#computers.has(name), `${name} is spawned once`);
    this.#computers.set(name, {
      name,
      program,
      steps: 0,
      starts: 0,
      offsetMs: 0,
      suspendedUntilMs: 0,
      node: undefined,
    });
    this.restart(name);
  }

  /** Takes the computer away between two of its instructions. What it made durable stays. */
  crash(name: string): void {
    const computer = this.#computer(name);
    if (computer.node === undefined) return;
    this.#trace(name, 'sim.crash', { step: computer.steps });
    computer.offsetMs = computer.node.clock.offsetMs;
    computer.node.life.end();
    computer.node = undefined;
  }

  /** Starts the program anew, with another life; a running one is crashed first. */
  restart(name: string): void {
    this.crash(name);
    const computer = this.#computer(name);
    computer.starts += 1;
    computer.suspendedUntilMs = 0;
    const node = this.#newNode(computer);
    computer.node = node;
    this.#trace(name, 'sim.start', { start: computer.starts });
    // In an event of its own, so that a computer never starts in the middle of another's instructions.
    node.timeline.at(this.nowMs, () => this.#start(computer, node));
  }

  /** For so long the computer does nothing; then it goes on, and everything that waited for it happens. */
  suspend(name: string, forMs: number): void {
    const computer = this.#computer(name);
    computer.suspendedUntilMs = Math.max(computer.suspendedUntilMs, this.nowMs + forMs);
    this.#trace(name, 'sim.suspend', { forMs });
  }

  /** Sets the computer's clock wrong; it stays wrong over restarts. */
  jumpClock(name: string, byMs: number): void {
    const computer = this.#computer(name);
    this.#trace(name, 'sim.clock-jump', { byMs });
    if (computer.node === undefined) computer.offsetMs += byMs;
    else computer.node.clock.jump(byMs);
  }

  isRunning(name: string): boolean {
    return this.#computer(name).node !== undefined;
  }

  /** The computer's present life, or undefined while it is down. */
  node(name: string): SimComputer | undefined {
    return this.#computer(name).node;
  }

  /** How many durable steps the computer has begun in all its lives: the crash points of its program. */
  durableSteps(name: string): number {
    return this.#computer(name).steps;
  }

  /**
   * Lets the world go on until one of the limits holds. Throws the first `ProgramFailed`; its message tells how to see it again.
   */
  async run(limits: RunLimits = {}): Promise<RunEnd> {
    const maxSteps = limits.maxSteps ?? 1_000_000;
    for (let step = 0; step < maxSteps; step += 1) {
      await promisesSettled();
      const [failure] = this.#failures;
      if (failure !== undefined) throw failure;
      if (limits.until?.() === true) return 'reached';
      const next = this.#events.nextMs();
      if (limits.untilMs !== undefined && (next ?? Number.POSITIVE_INFINITY) > limits.untilMs) {
        this.#events.pass(limits.untilMs);
        return 'time';
      }
      if (!this.#events.step()) return 'idle';
    }
    return 'too-long';
  }

  #trace(node: string, event: string, fields?: TraceFields): void {
    this.trace.add({ atMs: this.nowMs, node }, event, fields);
  }

  #computer(name: string): Computer {
    return present(this.#computers.get(name), `a computer called ${name}`);
  }

  #newNode(computer: Computer): SimComputer {
    const { name } = computer;
    const life = new Life();
    const timeline = this.#timelineOf(computer, life);
    const clock = new VirtualClock(timeline);
    clock.jump(computer.offsetMs);
    const draws = this.prng.fork(`${name}/${computer.starts}`);
    return {
      name,
      world: this,
      life,
      timeline,
      clock,
      random: { bytes: (count) => draws.bytes(count) },
      log: {
        write: (level, event, fields) => {
          if (life.alive) this.#trace(name, `${level} ${event}`, fields);
        },
      },
      onDurable: (label, moment) => this.#durable(computer, life, { label, moment }),
    };
  }

  #timelineOf(computer: Computer, life: Life): Timeline {
    const events = this.#events;
    const at = (atMs: number, work: () => void): (() => void) => {
      let cancel = events.at(atMs, () => {
        if (!life.alive) return;
        if (computer.suspendedUntilMs > events.nowMs) cancel = at(computer.suspendedUntilMs, work);
        else work();
      });
      return () => cancel();
    };
    return {
      get nowMs(): number {
        return events.nowMs;
      },
      at,
    };
  }

  #start(computer: Computer, node: SimComputer): void {
    const failed = (reason: unknown): void => {
      if (reason instanceof Crashed) return;
      this.#trace(node.name, 'sim.program-failed', { reason: String(reason) });
      this.#failures.push(
        new ProgramFailed(`${node.name} failed (seed ${this.seed}, ${this.nowMs} ms)`, {
          cause: reason,
        }),
      );
    };
    const running = async (): Promise<void> => computer.program(node);
    running().then(() => {
      if (node.life.alive) this.#trace(node.name, 'sim.program-ended');
    }, failed);
  }

  #durable(
    computer: Computer,
    life: Life,
    step: { readonly label: string; readonly moment: 'before' | 'after' },
  ): void {
    life.check();
    if (step.moment === 'before') computer.steps += 1;
    else this.#trace(computer.name, 'sim.durable', { label: step.label });
    const planned = this.#crashes.find(
      (crash) =>
        crash.node === computer.name &&
        crash.step === computer.steps &&
        crash.moment === step.moment,
    );
    if (planned === undefined) return;
    this.#crashes = this.#crashes.filter((crash) => crash !== planned);
    this.crash(computer.name);
    this.at(this.nowMs + planned.downMs, () => this.restart(computer.name));
    life.check();
  }
}

/** Resolves when every promise that needs nothing but the processor has settled. */
function promisesSettled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
