/** Computers of a simulated world that nobody invited: what one of them is asked to do, run on the world's time, and where each partnership stands. */
import assert from 'node:assert/strict';
import { present } from '../../src/base/assert.ts';
import { hourMs, minuteMs, secondMs } from '../../src/base/units.ts';
import type { PeerId } from '../../src/core/vocabulary/ids.ts';
import type { Computer } from '../../src/engine/computer.ts';
import type { PartnershipSettings } from '../../src/engine/partners/partnership-settings.ts';
import type { CandidateView, SearchReport } from '../../src/engine/partners/partnerships.ts';
import { durable } from '../../src/sim/checkers.ts';
import type { SimPeer } from '../../src/sim/sim-peer.ts';
import { type Crowd, crowd } from '../sim/crowd.ts';
import { backUp, quiet, smallFiles } from '../sim/scene.ts';

/** Days become minutes; C stays longer than G. */
export const periods: Partial<PartnershipSettings> = {
  graceMs: 4 * minuteMs,
  commitmentMs: 6 * minuteMs,
  noticeMs: 3 * minuteMs,
  deleteLockMs: 2 * minuteMs,
  spareAfterMs: minuteMs,
  auditIntervalMs: 20 * secondMs,
};

export class Strangers {
  readonly them: Crowd;

  constructor(seed: string, count: number, options: Omit<Parameters<typeof crowd>[2], 'plan'>) {
    this.them = crowd(seed, count, options);
  }

  get world(): Crowd['world'] {
    return this.them.world;
  }

  peer(number: number): SimPeer {
    return present(this.them.peers[number], 'a computer');
  }

  id(number: number): PeerId {
    return this.peer(number).keys.peerId;
  }

  computer(number: number): Computer {
    return present(this.peer(number).computer, 'it runs');
  }

  async wait(ms: number): Promise<void> {
    await this.world.run({ untilMs: this.world.nowMs + ms });
  }

  async until(what: string, holds: () => boolean, limitMs: number = hourMs): Promise<void> {
    const untilMs = this.world.nowMs + limitMs;
    while (!holds()) {
      assert(this.world.nowMs < untilMs, `in vain: ${what}`);
      await this.wait(2 * secondMs);
    }
  }

  /** Runs what one of them is asked to do to its end. */
  async play<T>(number: number, work: (computer: Computer) => Promise<T>): Promise<T> {
    const ended: { value?: T; failure?: unknown } = {};
    work(this.computer(number)).then(
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

  search(number: number, dryRun: boolean): Promise<SearchReport> {
    return this.play(number, (computer) => computer.search({ dryRun, signal: quiet.signal }));
  }

  /** Gives one of them some files, and has all of them at its partners. */
  async backedUp(number: number): Promise<void> {
    const { files } = this.peer(number);
    const draws = this.world.prng.fork(`files ${number}`);
    files.makeFolder('/home');
    smallFiles(files, (bytes) => draws.bytes(bytes));
    await this.play(number, async (computer) => {
      const { snapshot } = await backUp(computer);
      assert.equal(await computer.protect(snapshot, 'complete', quiet), 'complete');
    });
  }

  /** Where the latest agreement of one with another stands, by its own account. */
  phase(number: number, other: number): string | undefined {
    return durable(this.peer(number)).agreements.ofPartner(this.id(other))?.phase;
  }

  /** None while it is down. */
  partners(number: number): readonly number[] {
    const views = this.peer(number).computer?.partners() ?? [];
    return views.map(({ agreement }) =>
      this.them.peers.findIndex(({ keys }) => keys.peerId === agreement.partner),
    );
  }

  /** What became of a candidate: its rank, or the codes of what it was refused for. */
  result({ candidates }: SearchReport, number: number): number | readonly string[] {
    const found: CandidateView = present(
      candidates.find(({ peer }) => peer === this.id(number)),
      'it was found',
    );
    return found.rank ?? found.reasons.map(({ code }) => code);
  }
}
