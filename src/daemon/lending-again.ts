/** What a computer lends that came back: as much as its agreements promise, unless a person says otherwise. */

/** What a new computer lends when nobody says how much. */
export const usualLendBytes = 20_000_000_000;

const stepBytes = 100_000_000;

export interface LendingKnown {
  /** What the person said now; undefined: nothing. */
  readonly said: number | undefined;
  /** As the home has it. */
  readonly configured: number;
  /** By the agreements that came back, all together. */
  readonly promised: number;
}

/** Nobody knows any more what the lost computer lent: what it promised is the least, and more would be given away unasked. */
export function lendingAgain({ said, configured, promised }: LendingKnown): number {
  if (said !== undefined) return said;
  if (configured !== usualLendBytes || promised === 0) return configured;
  return Math.ceil(promised / stepBytes) * stepBytes;
}
