/** Peers that were called in vain of late: calling them again at once would cost the same time for nothing. */
import type { PeerId } from '../../core/vocabulary/ids.ts';

interface Failure {
  /** In a row. */
  readonly count: number;
  readonly atMs: number;
}

export interface RestPeriods {
  /** How long nobody calls after the first failure; doubled with each further one. */
  readonly firstMs: number;
  readonly mostMs: number;
}

const rememberedMaximum = 1_024;

/** Times are of a clock that never leaps, in milliseconds. */
export class UnreachedPeers {
  readonly #periods: RestPeriods;
  readonly #failures = new Map<PeerId, Failure>();

  constructor(periods: RestPeriods) {
    this.#periods = periods;
  }

  missed(peer: PeerId, nowMs: number): void {
    const count = (this.#failures.get(peer)?.count ?? 0) + 1;
    if (this.#failures.size >= rememberedMaximum) this.#failures.clear();
    this.#failures.set(peer, { count, atMs: nowMs });
  }

  /** It was reached, or it called itself. */
  reached(peer: PeerId): void {
    this.#failures.delete(peer);
  }

  clear(): void {
    this.#failures.clear();
  }

  /** Whether it is too early to call it again. */
  rests(peer: PeerId, nowMs: number): boolean {
    const failure = this.#failures.get(peer);
    if (failure === undefined) return false;
    const { firstMs, mostMs } = this.#periods;
    const restMs = Math.min(mostMs, firstMs * 2 ** Math.min(16, failure.count - 1));
    return nowMs - failure.atMs < restMs;
  }
}
