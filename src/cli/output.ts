/**
 * What a command says, and where.
 *
 * People read answers on standard output and everything beside them on standard error. With --json standard output carries one JSON value a line, the last
 * of them being the answer or `{"error":…}`, and standard error stays silent.
 */
import { type ProgressState, progressLine } from './progress-bar.ts';

/** What is over sooner shows no bar. */
const barAfterMs = 2_000;
const redrawMs = 100;
const defaultWidth = 80;

export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
}

export class Output {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly #startedAtMs = performance.now();
  #barShown = false;
  #drawnAtMs = 0;

  constructor(options: OutputOptions) {
    this.json = options.json;
    this.quiet = options.quiet;
  }

  /** The answer, for people; nothing with --json. */
  line(text = ''): void {
    if (this.json) return;
    this.clearBar();
    process.stdout.write(`${text}\n`);
  }

  /** Beside the answer, for people; nothing with --json or --quiet. */
  note(text: string): void {
    if (this.json || this.quiet) return;
    this.clearBar();
    process.stderr.write(`${text}\n`);
  }

  /** Shown even with --quiet: something is not as it should be. */
  warn(text: string): void {
    if (this.json) return;
    this.clearBar();
    process.stderr.write(`${text}\n`);
  }

  /** One JSON value on a line of its own; nothing without --json. */
  value(value: unknown): void {
    if (this.json) process.stdout.write(`${JSON.stringify(value)}\n`);
  }

  /** Raw bytes or text of the answer; resolves when more can be taken. */
  async raw(bytes: Uint8Array | string): Promise<void> {
    this.clearBar();
    if (process.stdout.write(bytes)) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        process.stdout.off('drain', done);
        process.stdout.off('close', done);
        resolve();
      };
      process.stdout.on('drain', done);
      process.stdout.on('close', done);
    });
  }

  /** A bar on a terminal, a JSON line with --json, otherwise nothing. */
  progress(state: ProgressState, value: unknown): void {
    const now = performance.now();
    if (now - this.#drawnAtMs < redrawMs) return;
    if (this.json) {
      this.#drawnAtMs = now;
      this.value({ progress: value });
      return;
    }
    if (this.quiet || !process.stderr.isTTY || now - this.#startedAtMs < barAfterMs) return;
    this.#drawnAtMs = now;
    const width = (process.stderr.columns ?? defaultWidth) - 1;
    process.stderr.write(`\r\u001b[K${progressLine(state, width, now)}`);
    this.#barShown = true;
  }

  clearBar(): void {
    if (!this.#barShown) return;
    process.stderr.write('\r\u001b[K');
    this.#barShown = false;
  }
}
