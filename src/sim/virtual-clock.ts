/**
 * Virtual time: a list of what is to happen, and clocks that read it.
 *
 * Time passes only when the world takes the next event; between two events everything happens at one instant, in the order in which it was
 * asked for. Nothing here looks at the machine's clock.
 */
import { assert } from '../base/assert.ts';
import { Heap } from '../base/heap.ts';
import { type Instant, instant } from '../base/units.ts';
import type { Clock } from '../ports/clock.ts';

interface Event {
  readonly atMs: number;
  /** Events of one instant happen in the order in which they were asked for. */
  readonly sequence: number;
  readonly work: () => void;
  cancelled: boolean;
}

/** Where things are put that happen later. */
export interface Timeline {
  /** Milliseconds since the world began. */
  readonly nowMs: number;
  /** Calls `work` at `atMs`, or at once after what is under way when that is past. The returned function takes it back. */
  at(atMs: number, work: () => void): () => void;
}

export class EventQueue implements Timeline {
  readonly #events = new Heap<Event>(
    (left, right) => left.atMs - right.atMs || left.sequence - right.sequence,
  );
  #nowMs = 0;
  #sequence = 0;

  get nowMs(): number {
    return this.#nowMs;
  }

  at(atMs: number, work: () => void): () => void {
    assert(Number.isFinite(atMs), 'an event has its time');
    this.#sequence += 1;
    const event: Event = {
      atMs: Math.max(atMs, this.#nowMs),
      sequence: this.#sequence,
      work,
      cancelled: false,
    };
    this.#events.push(event);
    return () => {
      event.cancelled = true;
    };
  }

  /** When the next event happens; undefined when there is none. */
  nextMs(): number | undefined {
    let next = this.#events.peek();
    while (next?.cancelled) {
      this.#events.pop();
      next = this.#events.peek();
    }
    return next?.atMs;
  }

  /** Lets the next event happen. False when there is none. */
  step(): boolean {
    if (this.nextMs() === undefined) return false;
    const event = this.#events.pop();
    if (event === undefined) return false;
    this.#nowMs = event.atMs;
    event.work();
    return true;
  }

  /** Lets time pass to `untilMs`, before which nothing is to happen. */
  pass(untilMs: number): void {
    const next = this.nextMs();
    assert(next === undefined || next >= untilMs, 'no event is passed over');
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }
}

/** The world begins on 2026-01-01T00:00:00Z, so that instants look like those of real life. */
export const worldBegins: Instant = instant(1_767_225_600_000);

/** One computer's clock. It can be set wrong, as real ones are; sleeps are measured in time that really passes. */
export class VirtualClock implements Clock {
  readonly #timeline: Timeline;
  #offsetMs = 0;

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  now(): Instant {
    return instant(worldBegins + Math.floor(this.#timeline.nowMs) + this.#offsetMs);
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        cancel();
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const cancel = this.#timeline.at(this.#timeline.nowMs + Math.max(0, durationMs), wake);
      signal?.addEventListener('abort', wake, { once: true });
    });
  }

  /** Sets the clock forward, or back by a negative number. */
  jump(byMs: number): void {
    this.#offsetMs += byMs;
  }

  /** How far it is off. */
  get offsetMs(): number {
    return this.#offsetMs;
  }
}
