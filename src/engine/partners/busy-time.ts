/** How many bytes went in how much time, when several transfers share a line: time in which any was under way counts once. */
import type { Clock } from '../../ports/clock.ts';

export class BusyTime {
  readonly #clock: Clock;
  #underWay = 0;
  #since = 0;
  #bytes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  begin(): void {
    if (this.#underWay === 0) {
      this.#since = this.#clock.now();
      this.#bytes = 0;
    }
    this.#underWay += 1;
  }

  /** Gives all that went since the line was idle, when it is idle again. */
  end(bytes: number): { readonly bytes: number; readonly durationMs: number } | undefined {
    this.#bytes += bytes;
    this.#underWay -= 1;
    if (this.#underWay > 0) return undefined;
    return { bytes: this.#bytes, durationMs: Math.max(1, this.#clock.now() - this.#since) };
  }
}
