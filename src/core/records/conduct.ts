/**
 * How one party of an agreement behaved towards the other, as totals since the agreement began (C27).
 *
 * Totals, not amounts of one period: the newest receipt alone says all, one that never came about costs nothing, and what two accounts differ by does not add
 * up from period to period.
 */
import { assert } from '../../base/assert.ts';
import type { CborValue } from '../../base/codec.ts';
import type { FieldReader } from '../../base/document.ts';

/** What came of the partnership, for the one whose conduct it is. `left`: with notice given. */
export const conductOutcomes = ['none', 'left', 'reneged-by-silence', 'reneged-by-wrong'] as const;

export type ConductOutcome = (typeof conductOutcomes)[number];

/** Audits put to it. Those that passed, were wrong, or were never answered are at most all that were asked; the rest is pending or unclear. */
export interface AuditCounts {
  readonly asked: number;
  readonly passed: number;
  readonly wrong: number;
  readonly unanswered: number;
}

export interface Conduct {
  /** What it held for the other when this was written. */
  readonly heldBytes: number;
  readonly audits: AuditCounts;
  /** Milliseconds in which it was seen on line, of those in which the other looked. */
  readonly onLineMs: number;
  readonly watchedMs: number;
  /** Days on which it proved to hold what it took. */
  readonly provenDays: number;
  readonly outcome: ConductOutcome;
}

export const noConduct: Conduct = {
  heldBytes: 0,
  audits: { asked: 0, passed: 0, wrong: 0, unanswered: 0 },
  onLineMs: 0,
  watchedMs: 0,
  provenDays: 0,
  outcome: 'none',
};

export function hasReneged(outcome: ConductOutcome): boolean {
  return outcome === 'reneged-by-silence' || outcome === 'reneged-by-wrong';
}

/** Totals that began after `before` was written, with `before` counted in. What is held and the outcome are those of `after`. */
export function continuedConduct(before: Conduct, after: Conduct): Conduct {
  return {
    ...after,
    audits: {
      asked: before.audits.asked + after.audits.asked,
      passed: before.audits.passed + after.audits.passed,
      wrong: before.audits.wrong + after.audits.wrong,
      unanswered: before.audits.unanswered + after.audits.unanswered,
    },
    onLineMs: before.onLineMs + after.onLineMs,
    watchedMs: before.watchedMs + after.watchedMs,
    provenDays: before.provenDays + after.provenDays,
  };
}

/** Whether no total of `after` is below that of `before`. What is held, and forgiven outcomes, may change either way. */
export function neverFalls(before: Conduct, after: Conduct): boolean {
  return totalsOf(after).every((total, index) => total >= (totalsOf(before)[index] ?? 0));
}

function totalsOf({ audits, onLineMs, watchedMs, provenDays }: Conduct): readonly number[] {
  const { asked, passed, wrong, unanswered } = audits;
  return [asked, passed, wrong, unanswered, onLineMs, watchedMs, provenDays];
}

/** Whether the parts fit into their wholes. */
export function validConduct({ heldBytes, ...conduct }: Conduct): boolean {
  const { audits, onLineMs, watchedMs } = conduct;
  const totals = [heldBytes, ...totalsOf({ heldBytes, ...conduct })];
  if (!totals.every((total) => Number.isSafeInteger(total) && total >= 0)) return false;
  const { asked, passed, wrong, unanswered } = audits;
  return passed + wrong + unanswered <= asked && onLineMs <= watchedMs;
}

export function conductFields(conduct: Conduct): CborValue {
  assert(validConduct(conduct), 'only a conduct that makes sense is put in writing');
  const { heldBytes, audits, onLineMs, watchedMs, provenDays, outcome } = conduct;
  const { asked, passed, wrong, unanswered } = audits;
  const counts = [asked, passed, wrong, unanswered];
  return [heldBytes, counts, onLineMs, watchedMs, provenDays, outcome];
}

export function readConduct(fields: FieldReader): Conduct {
  const conduct = fields.record((record) => ({
    heldBytes: record.uint(),
    audits: record.record((counts) => ({
      asked: counts.uint(),
      passed: counts.uint(),
      wrong: counts.uint(),
      unanswered: counts.uint(),
    })),
    onLineMs: record.uint(),
    watchedMs: record.uint(),
    provenDays: record.uint(),
    outcome: record.choice(conductOutcomes),
  }));
  fields.require(validConduct(conduct), 'parts that fit into their wholes');
  return conduct;
}
