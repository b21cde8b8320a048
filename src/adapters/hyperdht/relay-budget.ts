/** How much this computer passes on for each peer and day (UTC): a relay is a favour, and a favour has an end. */
import { dayMs } from '../../base/units.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';

export class RelayBudget {
  readonly #bytesPerDay: number;
  readonly #nowMs: () => number;
  readonly #spent = new Map<PeerId, number>();
  #day = -1;

  constructor(bytesPerDay: number, nowMs: () => number) {
    this.#bytesPerDay = bytesPerDay;
    this.#nowMs = nowMs;
  }

  /** Bytes of today that are left for the peer; 0 when it has had more than its share. */
  left(peer: PeerId): number {
    this.#turn();
    return Math.max(0, this.#bytesPerDay - (this.#spent.get(peer) ?? 0));
  }

  /** Whether the peer is still within its share after these bytes, which were passed on already. */
  spend(peer: PeerId, bytes: number): boolean {
    this.#turn();
    this.#spent.set(peer, (this.#spent.get(peer) ?? 0) + bytes);
    return this.left(peer) > 0;
  }

  #turn(): void {
    const today = Math.floor(this.#nowMs() / dayMs);
    if (today === this.#day) return;
    this.#day = today;
    this.#spent.clear();
  }
}
