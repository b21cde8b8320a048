/**
 * The fidelity report: what a snapshot could not keep, and what changed while it was being read.
 *
 * It is part of the snapshot, so that a person who restores learns what to expect. Every problem is counted; the first of them are named.
 */
import type { Bytes } from '../../base/bytes.ts';
import type { CborValue } from '../../base/codec.ts';
import type { FieldReader } from '../../base/document.ts';
import { mebi } from '../../base/units.ts';

/** The closed list; the words are part of the format. */
export const fidelityProblems = [
  'unreadable',
  'vanished',
  'changed-while-read',
  'path-too-long',
  'special-not-kept',
  'xattrs-not-kept',
  'acl-not-kept',
  'inode-flags-not-kept',
  'sparse-map-not-kept',
  'birth-time-not-kept',
] as const;

export type FidelityProblem = (typeof fidelityProblems)[number];

export interface FidelityEntry {
  /** Absolute, raw. */
  readonly path: Bytes;
  readonly problem: FidelityProblem;
}

export interface FidelityReport {
  /** The first problems, in the order in which they were met. */
  readonly entries: readonly FidelityEntry[];
  /** How often each problem was met, named or not. Problems never met are missing. */
  readonly counts: ReadonlyMap<FidelityProblem, number>;
}

export const fidelityEntriesMaximum = 10_000;
/** Of all named paths together, so that a snapshot stays within one chunk. */
export const fidelityPathsMaximumBytes: number = 1 * mebi;
const pathMaximumBytes = 65_535;

/** Problems that leave a file's contents out or in doubt: the backup ends with exit code 3. */
const contentProblems: ReadonlySet<FidelityProblem> = new Set<FidelityProblem>([
  'unreadable',
  'vanished',
  'changed-while-read',
  'path-too-long',
]);

export function touchesContents(problem: FidelityProblem): boolean {
  return contentProblems.has(problem);
}

/** How many files are left out or in doubt. */
export function contentProblemCount(report: FidelityReport): number {
  let total = 0;
  for (const [problem, count] of report.counts) if (touchesContents(problem)) total += count;
  return total;
}

/** Gathers a report while a scan runs. */
export class FidelityCollector {
  readonly #entries: FidelityEntry[] = [];
  readonly #counts = new Map<FidelityProblem, number>();
  #pathsBytes = 0;

  note(path: Bytes, problem: FidelityProblem): void {
    this.#counts.set(problem, (this.#counts.get(problem) ?? 0) + 1);
    if (this.#entries.length === fidelityEntriesMaximum || path.length > pathMaximumBytes) return;
    if (this.#pathsBytes + path.length > fidelityPathsMaximumBytes) return;
    this.#pathsBytes += path.length;
    this.#entries.push({ path, problem });
  }

  report(): FidelityReport {
    return { entries: [...this.#entries], counts: new Map(this.#counts) };
  }
}

export function fidelityFields(report: FidelityReport): CborValue {
  return [
    report.entries.map(({ path, problem }) => [path, problem]),
    fidelityProblems.flatMap((problem) => {
      const count = report.counts.get(problem);
      return count === undefined ? [] : [[problem, count]];
    }),
  ];
}

export function readFidelity(fields: FieldReader): FidelityReport {
  return fields.record((report) => {
    const entries = report.list(fidelityEntriesMaximum, (list) =>
      list.record((entry) => ({
        path: entry.bytes({ maximum: pathMaximumBytes }),
        problem: entry.choice(fidelityProblems),
      })),
    );
    return { entries, counts: readCounts(report) };
  });
}

function readCounts(report: FieldReader): ReadonlyMap<FidelityProblem, number> {
  const counts = new Map<FidelityProblem, number>();
  let previous = -1;
  report.list(fidelityProblems.length, (list) =>
    list.record((entry) => {
      const problem = entry.choice(fidelityProblems);
      const number = fidelityProblems.indexOf(problem);
      entry.require(number > previous, 'problems in the order of the format');
      previous = number;
      const count = entry.uint();
      entry.require(count > 0, 'a problem that was met');
      counts.set(problem, count);
    }),
  );
  return counts;
}
