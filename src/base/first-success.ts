/** Several ways to the same thing, tried at once: the first that leads there is taken. */
import type { Outcome } from './outcome.ts';

/**
 * The first success, or all failures in the order of the ways once none is left. What succeeds later is given to `discard`. The ways never reject.
 */
export function firstSuccess<T, E>(
  ways: readonly Promise<Outcome<T, E>>[],
  discard: (late: T) => void,
): Promise<Outcome<T, readonly E[]>> {
  return new Promise((resolve) => {
    const failures: E[] = [];
    let leftCount = ways.length;
    let isDecided = false;
    for (const [index, way] of ways.entries())
      void way.then((outcome) => {
        leftCount -= 1;
        if (!outcome.ok) failures[index] = outcome.error;
        else if (isDecided) discard(outcome.value);
        else resolve(outcome);
        isDecided ||= outcome.ok;
        if (leftCount === 0 && !isDecided) resolve({ ok: false, error: failures });
      });
  });
}
