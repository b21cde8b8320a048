/** A bounded number of tasks under way at once. The first failure stops the pool and is thrown to whoever starts or drains next. */
export class TaskPool {
  readonly #width: number;
  readonly #running = new Set<Promise<void>>();
  #failure: { readonly reason: unknown } | undefined;

  constructor(width: number) {
    this.#width = width;
  }

  /** Starts `task` as soon as fewer than `width` are running. Resolves when it has started. */
  async start(task: () => Promise<void>): Promise<void> {
    while (this.#running.size >= this.#width && this.#failure === undefined)
      await Promise.race(this.#running);
    this.#throwFailure();
    const running: Promise<void> = task()
      .catch((reason: unknown) => {
        this.#failure ??= { reason };
      })
      .finally(() => {
        this.#running.delete(running);
      });
    this.#running.add(running);
  }

  /** Resolves when nothing runs any more. */
  async drain(): Promise<void> {
    while (this.#running.size > 0) await Promise.race(this.#running);
    this.#throwFailure();
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.reason;
  }
}
