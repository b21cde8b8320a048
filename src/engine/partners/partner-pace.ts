/** How fast partners answer, as this computer saw it: who is asked first, and when somebody counts as late. */
import type { PeerId } from '../../core/vocabulary/ids.ts';

interface Pace {
  /** Moving average of milliseconds a block. */
  msPerBlock: number;
  /** Failures since the last success. */
  failures: number;
  wrongBlocks: number;
}

const firstHedgeMs = 2_000;
const leastHedgeMs = 300;
/** A partner that takes this many times its usual is late. */
const lateFactor = 4;
const averageWeight = 0.2;

export class PartnerPace {
  readonly #paces = new Map<PeerId, Pace>();

  succeeded(partner: PeerId, blocks: number, durationMs: number): void {
    const pace = this.#of(partner);
    const sample = durationMs / Math.max(1, blocks);
    pace.msPerBlock =
      pace.msPerBlock === 0 ? sample : pace.msPerBlock + averageWeight * (sample - pace.msPerBlock);
    pace.failures = 0;
  }

  failed(partner: PeerId): void {
    this.#of(partner).failures += 1;
  }

  wrong(partner: PeerId, blocks: number): void {
    this.#of(partner).wrongBlocks += blocks;
  }

  wrongBlocks(partner: PeerId): number {
    return this.#paces.get(partner)?.wrongBlocks ?? 0;
  }

  /** Failing partners last, wrong ones after all others, then the fastest first. */
  rank(partner: PeerId): number {
    const pace = this.#paces.get(partner);
    if (pace === undefined) return 0;
    return pace.wrongBlocks * 1e9 + pace.failures * 1e6 + pace.msPerBlock;
  }

  doubtful(partner: PeerId): boolean {
    const pace = this.#paces.get(partner);
    return pace !== undefined && (pace.failures > 0 || pace.wrongBlocks > 0);
  }

  hedgeMs(partner: PeerId, blocks: number): number {
    const pace = this.#paces.get(partner);
    if (pace === undefined || pace.msPerBlock === 0) return firstHedgeMs;
    return Math.max(leastHedgeMs, lateFactor * pace.msPerBlock * blocks);
  }

  #of(partner: PeerId): Pace {
    const known = this.#paces.get(partner);
    if (known !== undefined) return known;
    const fresh = { msPerBlock: 0, failures: 0, wrongBlocks: 0 };
    this.#paces.set(partner, fresh);
    return fresh;
  }
}
