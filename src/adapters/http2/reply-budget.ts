/**
 * Bytes of replies that are made and not taken yet: so many at once, of one peer over all its connections or of all strangers together.
 *
 * HTTP/2 lets whoever asks close its window and leave every reply where it is. What it asked for would stay in memory, for as many streams as it
 * may open on as many connections.
 */
import { assert } from '../../base/assert.ts';

/** Gives the room back; calling it again does nothing. */
export type Release = () => void;

interface Turn {
  readonly bytes: number;
  readonly begin: (release: Release) => void;
}

export class ReplyBudget {
  #limitBytes: number;
  #usedBytes = 0;
  readonly #waiting = new Set<Turn>();

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** What is in use already stays, though it be more. */
  limitTo(limitBytes: number): void {
    this.#limitBytes = limitBytes;
    this.#serve();
  }

  /** Undefined when there is no room. */
  take(bytes: number): Release | undefined {
    if (this.#usedBytes + bytes > this.#limitBytes) return undefined;
    this.#usedBytes += bytes;
    let isTaken = true;
    return () => {
      assert(!isTaken || this.#usedBytes >= bytes, 'what is given back was taken');
      if (isTaken) this.#usedBytes -= bytes;
      isTaken = false;
      this.#serve();
    };
  }

  /** The same as soon as there is room, in the order in which they came; undefined when whom it is for leaves, which `onLeave` is to tell. */
  takeInTurn(
    bytes: number,
    onLeave: (leave: () => void) => void,
  ): Promise<Release | undefined> | Release {
    const release = this.#waiting.size === 0 ? this.take(bytes) : undefined;
    if (release !== undefined) return release;
    return new Promise((resolve) => {
      const turn: Turn = { bytes, begin: resolve };
      this.#waiting.add(turn);
      onLeave(() => {
        this.#waiting.delete(turn);
        resolve(undefined);
        this.#serve();
      });
    });
  }

  #serve(): void {
    for (const turn of this.#waiting) {
      const release = this.take(turn.bytes);
      if (release === undefined) return;
      this.#waiting.delete(turn);
      turn.begin(release);
    }
  }
}
