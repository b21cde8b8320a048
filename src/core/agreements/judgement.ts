/**
 * Judging offered terms by one side's policy (C3, C24–C27): sign them, answer with others, or refuse and say why.
 *
 * A counter-offer moves each term just as far as this side's bounds ask for. Where the bounds of the two overlap, that is where it ends, mostly in one round.
 */
import { assert } from '../../base/assert.ts';
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import { encodeCbor } from '../../base/codec.ts';
import type { NegotiationCode } from '../wire/negotiation.ts';
import type { Party } from './agreement.ts';
import {
  type Circumstances,
  longerThanGrace,
  type Policy,
  type Range,
  rangedTerms,
  termsWithLending,
} from './policy.ts';
import { type Terms, termsFields, validTerms } from './terms.ts';

export type Judgement =
  | { readonly verdict: 'acceptable' }
  /** These would be signed; `because` names the first term that had to move. */
  | { readonly verdict: 'counter'; readonly terms: Terms; readonly because: NegotiationCode }
  | { readonly verdict: 'refused'; readonly code: NegotiationCode; readonly detail: string };

/** Terms and what the judge has in hand: its own part in the agreement is `own`. */
export interface Offered {
  readonly terms: Terms;
  readonly own: Party;
}

/** What this side says to the terms. Acceptable terms always make sense by themselves (`validTerms`). */
export function judgeTerms(
  policy: Policy,
  circumstances: Circumstances,
  { terms, own }: Offered,
): Judgement {
  const unsuited = judgeCircumstances(policy, circumstances);
  if (unsuited !== undefined) return unsuited;
  const moved = movedTerms(policy, terms, own);
  if ('verdict' in moved) return moved;
  assert(withinBounds(policy, moved.terms, own), 'terms that this side asks for are within bounds');
  return moved.because === undefined
    ? { verdict: 'acceptable' }
    : { verdict: 'counter', terms: moved.terms, because: moved.because };
}

type Refused = Extract<Judgement, { readonly verdict: 'refused' }>;

function refused(code: NegotiationCode, detail: string): Refused {
  return { verdict: 'refused', code, detail };
}

/** What no terms can mend. */
export function judgeCircumstances(
  policy: Policy,
  { overlapHours, bandwidth, renegedCount, renegedHere = false, liar = false }: Circumstances,
): Refused | undefined {
  const { leastOverlapHours } = policy.schedule;
  if (overlapHours !== undefined && overlapHours < leastOverlapHours)
    return refused(
      'negotiation.schedule',
      `on line together ${Math.floor(overlapHours)} h a week, ${leastOverlapHours} are wanted`,
    );
  if (bandwidth !== undefined && bandwidth < policy.leastBandwidth)
    return refused(
      'negotiation.bandwidth',
      `${Math.floor(bandwidth)} bytes a second on average, ${policy.leastBandwidth} are wanted`,
    );
  if (liar) return refused('negotiation.record', 'those that are named tell otherwise');
  if (renegedHere)
    return refused('negotiation.record', 'reneged on the one asked, who has not forgiven it');
  if (renegedCount > policy.mostReneged)
    return refused(
      'negotiation.record',
      `reneged on ${renegedCount}, ${policy.mostReneged} are forgiven`,
    );
  return undefined;
}

interface Moved {
  readonly terms: Terms;
  readonly because: NegotiationCode | undefined;
}

/** The terms moved into this side's bounds, and the code of the first that had to move. */
function movedTerms(policy: Policy, offered: Terms, own: Party): Moved | Refused {
  const steps: readonly [NegotiationCode, (terms: Terms) => Terms | undefined][] = [
    ['negotiation.space', (terms) => movedLending(policy, terms, own)],
    ['negotiation.schedule', (terms) => movedSchedule(policy, terms)],
    ['negotiation.bandwidth', (terms) => movedRange(terms, 'bandwidth', policy.ranges.bandwidth)],
    ['negotiation.terms', (terms) => movedPeriods(policy, terms)],
  ];
  let [terms, because]: [Terms, NegotiationCode | undefined] = [offered, undefined];
  for (const [code, move] of steps) {
    const next = move(terms);
    if (next === undefined) return refused(code, 'no terms of this kind would be signed');
    if (!sameTerms(terms, next)) because ??= code;
    terms = next;
  }
  return { terms, because };
}

export function sameTerms(left: Terms, right: Terms): boolean {
  return equalBytes(encodeCbor(termsFields(left)), encodeCbor(termsFields(right)));
}

function movedLending(policy: Policy, terms: Terms, own: Party): Terms | undefined {
  const { firstLendsBytes, secondLendsBytes } = terms;
  const [lent, returned] =
    own === 'first' ? [firstLendsBytes, secondLendsBytes] : [secondLendsBytes, firstLendsBytes];
  const { mostBytes, leastInReturnBytes, timesReturn } = policy.lending;
  const theirs = Math.max(returned, leastInReturnBytes);
  const fair = timesReturn === undefined ? lent : Math.floor(timesReturn * theirs);
  const ours = Math.min(lent, mostBytes, fair);
  if (ours === 0 && theirs === 0) return undefined;
  return termsWithLending(terms, own, { ours, theirs });
}

function movedSchedule(policy: Policy, terms: Terms): Terms | undefined {
  const { own, leastPromisedHours } = policy.schedule;
  const { schedule, ...rest } = terms;
  if (schedule === undefined && leastPromisedHours === 0) return terms;
  if (own === undefined) return leastPromisedHours === 0 ? rest : undefined;
  const both = schedule === undefined ? own : own.map((byte, at) => byte & (schedule[at] ?? 0));
  return hoursIn(both) < leastPromisedHours ? undefined : { ...rest, schedule: both };
}

/** Hours of the week that a schedule as in `Terms` holds. */
export function hoursIn(schedule: Bytes): number {
  let hours = 0;
  for (const byte of schedule) for (let bits = byte; bits > 0; bits &= bits - 1) hours += 1;
  return hours;
}

function movedRange(terms: Terms, term: (typeof rangedTerms)[number], range: Range): Terms {
  if (inRange(terms[term], range)) return terms;
  return { ...terms, [term]: terms[term] < range.least ? range.least : range.most };
}

function inRange(value: number, { least, most }: Range): boolean {
  return value >= least && value <= most;
}

function movedPeriods(policy: Policy, offered: Terms): Terms | undefined {
  let terms: Terms = { ...offered, trusted: offered.trusted && policy.trusted };
  for (const term of rangedTerms) terms = movedRange(terms, term, policy.ranges[term]);
  terms = { ...terms, termMs: movedTerm(policy, terms.termMs) };
  terms = longCommitment(policy, terms);
  if (!policy.suites.includes(terms.suite)) {
    const [suite] = policy.suites;
    if (suite === undefined) return undefined;
    terms = { ...terms, suite };
  }
  if (!codeSigned(policy, terms)) {
    const { code: _, ...without } = terms;
    terms = without;
  }
  return validTerms(terms).ok ? terms : undefined;
}

/** 0 is without end, and longer than any other. */
function movedTerm({ term }: Policy, termMs: number): number {
  const { leastMs, mostMs } = term;
  if (mostMs !== undefined && (termMs === 0 || termMs > mostMs)) return mostMs;
  return termMs !== 0 && termMs < leastMs ? leastMs : termMs;
}

/** C > G unless trusted: C is raised where this side's range allows, else G is lowered (C30). */
function longCommitment(policy: Policy, terms: Terms): Terms {
  if (terms.trusted || terms.commitmentMs > terms.graceMs) return terms;
  const { commitmentMs: commitment, graceMs: grace } = policy.ranges;
  const wanted = Math.min(commitment.most, longerThanGrace(terms.graceMs));
  const raised = { ...terms, commitmentMs: Math.max(wanted, terms.commitmentMs) };
  if (raised.commitmentMs > raised.graceMs) return raised;
  return { ...raised, graceMs: Math.max(grace.least, raised.commitmentMs - 1) };
}

function codeSigned(policy: Policy, { code }: Terms): boolean {
  if (code === undefined) return true;
  const { code: own } = policy;
  return (
    own?.id === code.id &&
    own.dataShards === code.dataShards &&
    own.parityShards === code.parityShards
  );
}

/** Whether every term lies within this side's bounds: the rule itself, kept apart from how terms are moved there. */
export function withinBounds(policy: Policy, terms: Terms, own: Party): boolean {
  const [ours, theirs] =
    own === 'first'
      ? [terms.firstLendsBytes, terms.secondLendsBytes]
      : [terms.secondLendsBytes, terms.firstLendsBytes];
  const { mostBytes, leastInReturnBytes, timesReturn } = policy.lending;
  const fair = timesReturn === undefined || ours <= timesReturn * theirs;
  const { leastMs, mostMs } = policy.term;
  const { termMs } = terms;
  const termFits = termMs === 0 ? mostMs === undefined : termMs >= leastMs;
  return (
    validTerms(terms).ok &&
    (policy.trusted || !terms.trusted) &&
    ours <= mostBytes &&
    theirs >= leastInReturnBytes &&
    fair &&
    rangedTerms.every((term) => inRange(terms[term], policy.ranges[term])) &&
    termFits &&
    (mostMs === undefined || termMs <= mostMs) &&
    policy.suites.includes(terms.suite) &&
    codeSigned(policy, terms) &&
    scheduleFits(policy, terms)
  );
}

function scheduleFits(policy: Policy, { schedule }: Terms): boolean {
  const { own, leastPromisedHours } = policy.schedule;
  if (schedule === undefined) return leastPromisedHours === 0;
  if (own === undefined || hoursIn(schedule) < leastPromisedHours) return false;
  return schedule.every((byte, at) => (byte & ~(own[at] ?? 0)) === 0);
}
