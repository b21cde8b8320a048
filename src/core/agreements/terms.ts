/**
 * What two peers promise each other (C1, C3), and which promises make sense.
 *
 * The one rule that ties two terms together is C30: the commitment period is longer than the grace period, or a computer could join, store
 * nothing, and be paid in restores before anyone may notice. Only a trusted partner, one that a person invited, is excused from it.
 */

import type { Bytes } from '../../base/bytes.ts';
import type { CborValue } from '../../base/codec.ts';
import { type FieldReader, orNull } from '../../base/document.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { dayMs, hourMs, secondMs } from '../../base/units.ts';
import type { Code } from '../vocabulary/code.ts';
import { parseSuite, type Suite, suiteAesGcm } from '../vocabulary/suite.ts';
import { codeFields, readCode } from '../wire/code-fields.ts';

export interface Terms {
  /** What the first party lends to the second, in bytes on its disk; 0 in a one-sided agreement. */
  readonly firstLendsBytes: number;
  readonly secondLendsBytes: number;
  /** When both promise to be on line: one bit for each hour of the week, Monday 00:00 UTC first. Absent: no promise. */
  readonly schedule?: Bytes;
  /** Average bytes a second, each way, that both promise; 0: no promise (C26). */
  readonly bandwidth: number;
  readonly auditIntervalMs: number;
  /** G: how long a partner may fail to answer or to prove before it has reneged (C30). */
  readonly graceMs: number;
  /** C: how long restore requests are neither made nor honoured at first (C30). */
  readonly commitmentMs: number;
  /** L: how long what an owner deletes stays in the partner's trash. */
  readonly deleteLockMs: number;
  /** Bytes that an owner may read back, as a multiple of its daily need. */
  readonly readQuota: number;
  readonly suite: Suite;
  /** The code that the parties prefer for what they send each other. Absent: each chooses for itself. */
  readonly code?: Code;
  /** How long the agreement runs; 0: until it is ended. */
  readonly termMs: number;
  /** How long before leaving it must be said. */
  readonly noticeMs: number;
  /** The parties know each other: C may be waived. */
  readonly trusted: boolean;
}

export const scheduleBytes = 21;

interface Bound {
  readonly least: number;
  readonly most: number;
}

export type BoundedTerm =
  | 'firstLendsBytes'
  | 'secondLendsBytes'
  | 'bandwidth'
  | 'auditIntervalMs'
  | 'graceMs'
  | 'commitmentMs'
  | 'deleteLockMs'
  | 'readQuota'
  | 'termMs'
  | 'noticeMs';

/** Terms outside these are refused whoever offers them. */
export const termBounds: Readonly<Record<BoundedTerm, Bound>> = {
  firstLendsBytes: { least: 0, most: 2 ** 50 },
  secondLendsBytes: { least: 0, most: 2 ** 50 },
  bandwidth: { least: 0, most: 2 ** 40 },
  auditIntervalMs: { least: secondMs, most: 30 * dayMs },
  graceMs: { least: secondMs, most: 365 * dayMs },
  commitmentMs: { least: 0, most: 730 * dayMs },
  deleteLockMs: { least: 0, most: 365 * dayMs },
  readQuota: { least: 1, most: 1_000 },
  termMs: { least: 0, most: 36_500 * dayMs },
  noticeMs: { least: 0, most: 365 * dayMs },
};

export type TermsFailure =
  | { readonly code: 'terms.out-of-bounds'; readonly term: BoundedTerm | 'schedule' }
  | { readonly code: 'terms.commitment-not-longer-than-grace' }
  | { readonly code: 'terms.nobody-lends' };

const boundedTerms = Object.keys(termBounds) as readonly BoundedTerm[];

/** Whether the terms make sense together; checked before signing and on every agreement that is read. */
export function validTerms(terms: Terms): Outcome<Terms, TermsFailure> {
  for (const term of boundedTerms) {
    const { least, most } = termBounds[term];
    const value = terms[term];
    if (!Number.isSafeInteger(value) || value < least || value > most)
      return failed({ code: 'terms.out-of-bounds', term });
  }
  if (terms.schedule !== undefined && terms.schedule.length !== scheduleBytes)
    return failed({ code: 'terms.out-of-bounds', term: 'schedule' });
  if (!terms.trusted && terms.commitmentMs <= terms.graceMs)
    return failed({ code: 'terms.commitment-not-longer-than-grace' });
  if (terms.firstLendsBytes === 0 && terms.secondLendsBytes === 0)
    return failed({ code: 'terms.nobody-lends' });
  return succeeded(terms);
}

/** What each party lends. */
export type Lending = Pick<Terms, 'firstLendsBytes' | 'secondLendsBytes'>;

/** The preset for people who know each other (DESIGN §8): C is waived. */
export function circleTerms(lending: Lending): Terms {
  return {
    ...lending,
    bandwidth: 0,
    auditIntervalMs: 6 * hourMs,
    graceMs: 30 * dayMs,
    commitmentMs: 0,
    deleteLockMs: 14 * dayMs,
    readQuota: 3,
    suite: suiteAesGcm,
    termMs: 0,
    noticeMs: 14 * dayMs,
    trusted: true,
  };
}

/** The preset for strangers. */
export function openTerms(lending: Lending): Terms {
  return {
    ...circleTerms(lending),
    auditIntervalMs: 3 * hourMs,
    commitmentMs: 31 * dayMs,
    deleteLockMs: 30 * dayMs,
    trusted: false,
  };
}

export function termsFields(terms: Terms): CborValue {
  return [
    terms.firstLendsBytes,
    terms.secondLendsBytes,
    orNull(terms.schedule),
    terms.bandwidth,
    terms.auditIntervalMs,
    terms.graceMs,
    terms.commitmentMs,
    terms.deleteLockMs,
    terms.readQuota,
    terms.suite,
    terms.code === undefined ? null : codeFields(terms.code),
    terms.termMs,
    terms.noticeMs,
    terms.trusted,
  ];
}

/** Terms in their form; whether they make sense is `validTerms`'s question. */
export function readTerms(fields: FieldReader): Terms {
  return fields.record((record) => {
    const lending = { firstLendsBytes: record.uint(), secondLendsBytes: record.uint() };
    const schedule = record.optional((field) => field.fixed(scheduleBytes));
    const periods = {
      bandwidth: record.uint(),
      auditIntervalMs: record.uint(),
      graceMs: record.uint(),
      commitmentMs: record.uint(),
      deleteLockMs: record.uint(),
      readQuota: record.uint(),
    };
    const suite = readSuite(record);
    const code = record.optional(readCode);
    return {
      ...lending,
      ...(schedule === undefined ? {} : { schedule }),
      ...periods,
      suite,
      ...(code === undefined ? {} : { code }),
      termMs: record.uint(),
      noticeMs: record.uint(),
      trusted: record.flag(),
    };
  });
}

function readSuite(fields: FieldReader): Suite {
  const suite = parseSuite(fields.uint(255));
  if (suite === undefined) fields.refuse('a known suite');
  return suite;
}
