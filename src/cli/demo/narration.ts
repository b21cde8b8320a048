/** The story of the demo as it happens: what is done, when, and what came of it. */
import type { Output } from '../output.ts';
import type { ProgressState } from '../progress-bar.ts';

const timeColumns = 7;

export class Narration {
  readonly #output: Output;
  readonly #startedAtMs: number = performance.now();

  constructor(output: Output) {
    this.#output = output;
  }

  get elapsedMs(): number {
    return performance.now() - this.#startedAtMs;
  }

  /** A step that begins now. */
  step(text: string): void {
    const time = `${(this.elapsedMs / 1_000).toFixed(1)} s`;
    this.#tell(`${time.padStart(timeColumns)}  ${text}`);
  }

  /** What came of it. */
  outcome(text: string): void {
    for (const line of text.split('\n'))
      this.#tell(`${' '.repeat(timeColumns)}  ${line}`.trimEnd());
  }

  blank(): void {
    this.#tell('');
  }

  /** A bar, on a terminal. */
  progress(state: ProgressState): void {
    if (!this.#output.json) this.#output.progress(state, undefined);
  }

  #tell(line: string): void {
    if (!this.#output.quiet) this.#output.line(line);
  }
}
