/**
 * Notices that a peer makes no progress.
 *
 * Only waiting for the peer counts. A reader that takes its time or a body that is slow to be made is our own side's business, and
 * ending a transfer for it would make back-pressure an error.
 */
export class IdleWatch {
  readonly #timer: NodeJS.Timeout;
  #movedMs: number = performance.now();

  /** `isWaiting`: whether the next move is the peer's. `onIdle` is called once at most. */
  constructor(idleMs: number, isWaiting: () => boolean, onIdle: () => void) {
    this.#timer = setTimeout(() => {
      // Timers that are due together are chosen before the first of them runs: what it set moving may have touched this one.
      const hasMoved = performance.now() - this.#movedMs < idleMs / 2;
      if (isWaiting() && !hasMoved) onIdle();
      else this.#timer.refresh();
    }, idleMs);
    this.#timer.unref();
  }

  /** Something moved, or a wait for the peer begins. */
  touch(): void {
    this.#movedMs = performance.now();
    this.#timer.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
