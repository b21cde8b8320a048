/**
 * What happened in a world, as one hash: two runs of a seed that differ in anything that is traced have different hashes.
 *
 * The last lines stand by for a failure's report, and all of them when a world is asked to keep them, so that the first difference
 * between two runs can be found.
 */
import { type Bytes, hexText, utf8Bytes } from '../base/bytes.ts';
import { sha256 } from '../primitives/hash.ts';

export type TraceFields = Readonly<Record<string, string | number | boolean>>;

export interface TracePlace {
  readonly atMs: number;
  /** The computer it happened to, or '' for the world itself. */
  readonly node: string;
}

const lastLinesMaximum = 200;
/** So many lines are hashed at once: one by one each takes as long as a small message. */
const linesPerHash = 256;

export class Trace {
  readonly #keepAll: boolean;
  #head: Bytes = new Uint8Array(32);
  /** Lines that are not in the head yet, each with its end. */
  #waiting = '';
  #count = 0;
  #lines: string[] = [];

  constructor(options: { readonly keepAll?: boolean } = {}) {
    this.#keepAll = options.keepAll ?? false;
  }

  add(where: TracePlace, event: string, fields: TraceFields = {}): void {
    const line = `${where.atMs} ${where.node} ${event} ${JSON.stringify(sortedFields(fields))}`;
    this.#waiting += `${line}\n`;
    this.#count += 1;
    if (this.#count % linesPerHash === 0) {
      this.#head = this.#ahead();
      this.#waiting = '';
    }
    this.#lines.push(line);
    if (!this.#keepAll && this.#lines.length >= 2 * lastLinesMaximum)
      this.#lines = this.#lines.slice(-lastLinesMaximum);
  }

  get count(): number {
    return this.#count;
  }

  /** Hash of everything so far. */
  hash(): string {
    return hexText(this.#ahead());
  }

  #ahead(): Bytes {
    return sha256(this.#head, utf8Bytes(this.#waiting));
  }

  /** The latest lines, oldest first; all of them when the trace keeps all. */
  lines(): readonly string[] {
    return this.#keepAll ? [...this.#lines] : this.#lines.slice(-lastLinesMaximum);
  }
}

function sortedFields(fields: TraceFields): readonly (readonly [string, unknown])[] {
  return Object.keys(fields)
    .sort()
    .map((name) => [name, fields[name]] as const);
}
