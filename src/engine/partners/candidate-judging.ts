/** Candidates as they are judged and ranked (C2, C21–C27): what is known of each, put together from the book, the watch, and those that were asked about it. */
import { assert } from '../../base/assert.ts';
import { type Circumstances, nothingKnown } from '../../core/agreements/policy.ts';
import {
  bandwidthWith,
  type Candidate,
  type CheckedRecord,
  type Criteria,
  type JudgingView,
  judgeCandidate,
  renegedBy,
  type Seeker,
  sharedHours,
} from '../../core/partners/criteria.ts';
import { domainsOf, type Traits, traitsOf } from '../../core/partners/failure-domain.ts';
import { availabilityOf, scheduleOf } from '../../core/partners/observation.ts';
import { rankCandidates } from '../../core/partners/ranking.ts';
import { rankWords, refusalWords, sufficiencyWords } from '../../core/partners/selection-words.ts';
import {
  enoughPartners,
  type PresentPartner,
  type Sufficiency,
  type WantedPartners,
} from '../../core/partners/sufficiency.ts';
import { chooseCode } from '../../core/placement/code-choice.ts';
import { domainMaximum } from '../../core/placement/failure-domains.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import { spokenProtocols } from '../../core/wire/protocol.ts';
import type { Clock } from '../../ports/clock.ts';
import type { CandidateRow } from '../../ports/peer-stores.ts';
import type { AgreementRow, Stores } from '../../ports/stores.ts';
import type { ComputerSettings } from '../computer.ts';
import type { CandidateBook } from './candidate-book.ts';
import type { LifecycleKeeper } from './lifecycle-keeper.ts';
import type { PartnerBook } from './partner-book.ts';
import type { PartnerPlanning } from './partner-planning.ts';
import { spaceAccount } from './partner-space.ts';
import type { PartnerStance } from './partner-stance.ts';
import type { PartnerWatch } from './partner-watch.ts';
import type { PartnershipSettings } from './partnership-settings.ts';
import type { CandidateView, NegotiationResult, Reason } from './partnerships.ts';

export interface CandidateJudgingParts {
  readonly self: PeerId;
  readonly stores: Stores;
  readonly clock: Clock;
  readonly settings: ComputerSettings;
  readonly partnership: PartnershipSettings;
  readonly book: PartnerBook;
  readonly candidates: CandidateBook;
  readonly watch: PartnerWatch;
  readonly stance: PartnerStance;
  readonly keeper: LifecycleKeeper;
  readonly planning: Pick<PartnerPlanning, 'shardsInUse'>;
}

/** A candidate that may be asked, and whether it stands apart from all partners and those before it. */
export interface RankedPeer {
  readonly row: CandidateRow;
  readonly separate: boolean;
  readonly view: CandidateView;
}

/** A partner that is there less often than this does not count as one. */
const availabilityMinimum = 0.2;
const recordsMaximum = 256;

export class CandidateJudging {
  readonly #parts: CandidateJudgingParts;
  /** What was found out by asking others, until it is found out anew. */
  readonly #records = new Map<PeerId, CheckedRecord>();

  constructor(parts: CandidateJudgingParts) {
    this.#parts = parts;
  }

  /** Whether there are enough good partners (C20–C22). */
  sufficiency(): Sufficiency {
    return enoughPartners(
      this.#parts.book.all().map((row) => this.#present(row)),
      this.#wanted(),
    );
  }

  #wanted(): WantedPartners {
    const { stance, partnership, planning } = this.#parts;
    const count = partnership.wantedBytes === 0 ? 0 : stance.wantedPartners();
    const code = chooseCode(Math.max(1, count), { preset: partnership.preset });
    const perPlaceMaximum = domainMaximum(code?.parityShards ?? 1);
    const shardsInUse = planning.shardsInUse();
    return { count, shardsInUse, bytes: 0, perPlaceMaximum, availabilityMinimum };
  }

  /** What is known of a peer that asks by itself; undefined: it would take one of the last seats, which are kept for those in places of their own. */
  ofAsker(peer: PeerId): Circumstances | undefined {
    const { book, stance, candidates } = this.#parts;
    const { place } = domainsOf(this.#traits(peer));
    const partners = book.all();
    const beside = partners.filter(
      ({ partner }) => place !== undefined && domainsOf(this.#traits(partner)).place === place,
    );
    const seats = stance.mostPartners() - partners.length;
    if (beside.length >= this.#wanted().perPlaceMaximum && seats <= this.sufficiency().missing)
      return undefined;
    const row = candidates.get(peer);
    return row === undefined ? nothingKnown : this.circumstances(row);
  }

  sufficiencyReasons({ reasons }: Sufficiency): readonly Reason[] {
    return reasons.map((reason) => ({ code: reason.code, detail: sufficiencyWords(reason) }));
  }

  /** What others said of a candidate; undefined: nothing was asked. */
  checked(peer: PeerId, record: CheckedRecord): void {
    // Strangers without end may come.
    if (this.#records.size >= recordsMaximum) this.#records.clear();
    this.#records.set(peer, record);
  }

  forgetChecks(): void {
    this.#records.clear();
  }

  isChecked(peer: PeerId): boolean {
    return this.#records.has(peer);
  }

  /** Those that may become partners, best first, and those that may not, with all reasons. */
  ranked(results: ReadonlyMap<PeerId, NegotiationResult> = new Map()): {
    readonly accepted: readonly RankedPeer[];
    readonly refused: readonly CandidateView[];
  } {
    const { book, candidates } = this.#parts;
    const rows = candidates.all().filter(({ peer }) => book.get(peer) === undefined);
    const view = this.#judgingView();
    const accepted: Candidate[] = [];
    const refused: CandidateView[] = [];
    for (const row of rows) {
      const candidate = this.candidate(row);
      const judged = judgeCandidate(candidate, view);
      if (judged.accepted) accepted.push(candidate);
      else
        refused.push({
          ...this.#view(row, results),
          reasons: judged.refusals.map((refusal) => ({
            code: refusal.code,
            detail: refusalWords(refusal),
          })),
        });
    }
    const partners = book.all().map(({ partner }) => this.#traits(partner));
    const byPeer = new Map(rows.map((row) => [row.peer, row]));
    const places = rankCandidates(accepted, { seeker: view.seeker, partners });
    return {
      accepted: places.map(({ peer, place, separate, reasons }) => {
        const row = byPeer.get(peer);
        assert(row !== undefined, 'whoever is ranked is in the book');
        const words = reasons.map((reason) => ({ code: reason.code, detail: rankWords(reason) }));
        return {
          row,
          separate,
          view: { ...this.#view(row, results), rank: place, reasons: words },
        };
      }),
      refused,
    };
  }

  /** How many may become partners. */
  acceptable(): number {
    const { book, candidates } = this.#parts;
    const view = this.#judgingView();
    return candidates
      .all()
      .filter(({ peer }) => book.get(peer) === undefined)
      .filter((row) => judgeCandidate(this.candidate(row), view).accepted).length;
  }

  /** Whether this one may become a partner, as far as is known. */
  isAcceptable(peer: PeerId): boolean {
    const row = this.#parts.candidates.get(peer);
    if (row === undefined || this.#parts.book.get(peer) !== undefined) return false;
    return judgeCandidate(this.candidate(row), this.#judgingView()).accepted;
  }

  #judgingView(): JudgingView {
    return { seeker: this.#seeker(), criteria: this.#criteria(), now: this.#parts.clock.now() };
  }

  candidate(row: CandidateRow): Candidate {
    const { watch, book, clock, candidates } = this.#parts;
    const { peer, refusal, nextAskAt } = row;
    return {
      peer,
      profile: candidates.profileOf(peer),
      traits: this.#traits(peer),
      observation: watch.observationOf(peer),
      record: this.#records.get(peer),
      isPartner: book.get(peer) !== undefined,
      renegedHere: book.renegedHere(peer),
      wrongIdentity: refusal === 'candidate.wrong-identity',
      invited: row.source === 'invite',
      refused:
        refusal === undefined || nextAskAt <= clock.now()
          ? undefined
          : { code: refusal, until: nextAskAt },
    };
  }

  /** What is known of a candidate, as terms are judged by it. */
  circumstances(row: CandidateRow): Circumstances {
    const candidate = this.candidate(row);
    const known = [bandwidthWith(candidate, 'up'), bandwidthWith(candidate, 'down')].filter(
      (average) => average !== undefined,
    );
    return {
      overlapHours: sharedHours(this.#seeker(), candidate),
      bandwidth: known.length === 0 ? undefined : Math.min(...known),
      renegedCount: renegedBy(candidate),
      liar: candidate.record?.liar === true,
    };
  }

  #present(row: AgreementRow): PresentPartner {
    const { stores, keeper, watch } = this.#parts;
    const { lendsUsBytes, holdsBytes } = spaceAccount(stores, row);
    const observation = watch.observationOf(row.partner);
    return {
      peer: row.partner,
      phase: row.phase,
      paused: row.paused,
      spareWanted: keeper.spareWanted(row),
      availability: observation && availabilityOf(observation),
      domains: domainsOf(this.#traits(row.partner)),
      lentBytes: lendsUsBytes,
      freeBytes: Math.max(0, lendsUsBytes - holdsBytes),
    };
  }

  #traits(peer: PeerId): Traits {
    return traitsOf(this.#parts.candidates.profileOf(peer));
  }

  #seeker(): Seeker {
    const { self, settings, partnership, watch } = this.#parts;
    const { systemVersion, networkPrefix, place } = partnership;
    const own = watch.own();
    return {
      peer: self,
      traits: {
        ...place,
        ...(networkPrefix === undefined ? {} : { networkPrefix }),
        system: settings.system,
        ...(systemVersion === '' ? {} : { osVersion: systemVersion }),
        architecture: settings.architecture,
        program: settings.programVersion,
      },
      schedule: own && scheduleOf(own),
    };
  }

  #criteria(): Criteria {
    const { partnership } = this.#parts;
    return {
      protocols: spokenProtocols,
      presets: [partnership.preset],
      overlapHoursMinimum: partnership.overlapHours,
      bandwidthMinimum: partnership.bandwidth,
      spaceMinimumBytes: partnership.wantedBytes === 0 ? 0 : 1,
      renegedMaximum: partnership.renegesAllowed,
      householdAllowed: partnership.preset === 'circle',
    };
  }

  #view(row: CandidateRow, results: ReadonlyMap<PeerId, NegotiationResult>): CandidateView {
    const { peer, addresses, source } = row;
    return {
      peer,
      name: this.#parts.candidates.profileOf(peer)?.name ?? '',
      addresses,
      source,
      rank: undefined,
      reasons: [],
      result: results.get(peer),
    };
  }
}
