/** What many rounds say together: the middle one, and how far the others lie from it. */
import { present } from '../../src/base/assert.ts';

export interface Spread {
  readonly minimum: number;
  readonly median: number;
  readonly maximum: number;
  readonly rounds: number;
}

/** Of at least one value. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((left, right) => left - right);
  const at = (index: number): number => present(sorted[index], 'at least one round');
  const middle = (sorted.length - 1) / 2;
  return {
    minimum: at(0),
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    maximum: at(sorted.length - 1),
    rounds: sorted.length,
  };
}

/** Round by round `left` divided by `right`: what moves both within a round cancels out. */
export function ratiosOf(left: readonly number[], right: readonly number[]): Spread {
  return spreadOf(left.map((value, round) => value / present(right[round], 'as many rounds')));
}

/** `1.23 (1.10–1.30)`: the median, then the least and the most. */
export function spreadText({ minimum, median, maximum, rounds }: Spread, digits = 2): string {
  if (rounds === 1) return median.toFixed(digits);
  return `${median.toFixed(digits)} (${minimum.toFixed(digits)}–${maximum.toFixed(digits)})`;
}
