/**
 * Asks candidates who they are: not all that there are, but as many as it takes to choose well among them (C2). What a search costs so does not grow with the
 * number of computers that could be found.
 */
import { hourMs, type Instant } from '../../base/units.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { CandidateRow } from '../../ports/peer-stores.ts';
import type { Random } from '../../ports/random.ts';
import { jittered } from '../work/jitter.ts';
import { TaskPool } from '../work/task-pool.ts';
import type { CandidateBook } from './candidate-book.ts';
import type { CandidateJudging } from './candidate-judging.ts';
import type { NegotiationDesk } from './negotiation-desk.ts';
import type { PartnerBook } from './partner-book.ts';
import type { PartnershipSettings } from './partnership-settings.ts';

export interface CandidateAskingParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly book: PartnerBook;
  readonly candidates: CandidateBook;
  readonly judging: CandidateJudging;
  readonly desk: NegotiationDesk;
  readonly settings: PartnershipSettings;
}

/** Candidates asked in one search; of these, such as were asked before; and how many at once. */
const askedMaximum = 64;
const askedAgainMaximum = 16;
const askedAtOnce = 8;
const profileFreshMs = hourMs;

export class CandidateAsking {
  readonly #parts: CandidateAskingParts;

  constructor(parts: CandidateAskingParts) {
    this.#parts = parts;
  }

  /** Asks until there is a choice, or enough were asked for one search. `tell` hears how many after each group. */
  async ask(signal: AbortSignal, tell: (asked: number) => void): Promise<void> {
    const asked = new Set<PeerId>();
    let again = 0;
    while (!signal.aborted && !this.#canChoose()) {
      const { strangers, known } = this.#due(asked);
      const due = [...strangers, ...known.slice(0, askedAgainMaximum - again)];
      const group = due.slice(0, Math.min(2 * askedAtOnce, askedMaximum - asked.size));
      if (group.length === 0) return;
      again += group.filter(({ profile }) => profile !== undefined).length;
      for (const { peer } of group) asked.add(peer);
      await this.#askGroup(group, signal);
      tell(asked.size);
    }
  }

  async #askGroup(group: readonly CandidateRow[], signal: AbortSignal): Promise<void> {
    const pool = new TaskPool(askedAtOnce);
    for (const row of group) await pool.start(() => this.#ask(row, signal));
    await pool.drain();
    this.#parts.candidates.save();
  }

  /** More than are needed: some will refuse, and those that stand apart are worth having. */
  #canChoose(): boolean {
    const { judging } = this.#parts;
    const { missing, wanted, onlySeparate } = judging.sufficiency();
    const choice = 8 + 2 * (missing === 0 ? wanted : missing);
    if (!onlySeparate) return judging.acceptable() >= choice;
    return judging.ranked().accepted.filter(({ separate }) => separate).length >= choice;
  }

  /** Those of whom too little is known, in an order of chance: otherwise all would ask the same few. */
  #due(asked: ReadonlySet<PeerId>): {
    readonly strangers: readonly CandidateRow[];
    readonly known: readonly CandidateRow[];
  } {
    const { candidates, clock } = this.#parts;
    const now = clock.now();
    const due = candidates.all().filter((row) => !asked.has(row.peer) && this.#isUnknown(row, now));
    return {
      strangers: this.#mixed(due.filter(({ profile }) => profile === undefined)),
      known: this.#mixed(due.filter(({ profile }) => profile !== undefined)),
    };
  }

  #mixed(rows: readonly CandidateRow[]): readonly CandidateRow[] {
    const draws = this.#parts.random.bytes(rows.length);
    return rows
      .map((row, index) => ({ row, draw: draws[index] ?? 0 }))
      .sort((left, right) => left.draw - right.draw)
      .map(({ row }) => row);
  }

  #isUnknown(row: CandidateRow, now: Instant): boolean {
    const { book, settings } = this.#parts;
    // Partners are asked again soon: they may have become partners of others meanwhile.
    const isPartner = book.get(row.peer) !== undefined;
    if (!isPartner && row.nextAskAt > now) return false;
    const freshMs = isPartner ? settings.searchIntervalMs : profileFreshMs;
    return row.profile === undefined || Math.abs(now - row.seenAt) >= freshMs;
  }

  async #ask({ peer }: CandidateRow, signal: AbortSignal): Promise<void> {
    const { candidates, desk, settings, random, book } = this.#parts;
    const failure = await desk.query(candidates.addressOf(peer), signal);
    if (signal.aborted) return;
    if (failure !== undefined) {
      if (book.get(peer) !== undefined) return;
      candidates.refused(peer, failure, jittered(settings.searchIntervalMs * 4, random));
      return;
    }
    for (const reference of candidates.profileOf(peer)?.references ?? [])
      candidates.named(reference, 'partner');
  }
}
