/** What can be asked of a computer about its partners, and what it tells about them. */
import type { Outcome } from '../../base/outcome.ts';
import type { Instant } from '../../base/units.ts';
import type { Agreement } from '../../core/agreements/agreement.ts';
import type { LifecyclePhase } from '../../core/partners/lifecycle-phase.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import type { CandidateSource } from '../../ports/peer-stores.ts';
import type { AgreementPhase, AgreementRow } from '../../ports/stores.ts';
import type { Route } from '../../ports/transport.ts';
import type { AuditEvent } from '../audits/audit-event.ts';
import type { PartnerAudits } from '../audits/audit-views.ts';
import type { Failing } from './partner-failings.ts';

/** Why something is as it is: a code that stays, and a sentence for people. */
export interface Reason {
  readonly code: string;
  readonly detail: string;
}

export interface PartnerView {
  readonly agreement: AgreementRow;
  readonly phase: AgreementPhase;
  readonly reachable: boolean | undefined;
  /** What it holds for us and what it promised to. */
  readonly holdsBytes: number;
  readonly lendsUsBytes: number;
  /** What we hold for it and what we promised. */
  readonly weHoldBytes: number;
  readonly weLendBytes: number;
  /** Shards of ours that it lost, or has wrong, and that were not made up for yet. */
  readonly lacks: { readonly lost: number; readonly wrong: number };
  /** Why it is suspended; undefined when it is not. */
  readonly failing: Failing | undefined;
  /** Share of the time in which it could be reached, measured, 0 … 1; undefined: not measured yet. */
  readonly availability: number | undefined;
  /** Average bytes a second of real transfers, to it and from it; undefined: not measured yet. */
  readonly bandwidthTo: number | undefined;
  readonly bandwidthFrom: number | undefined;
  /** How it is connected now; undefined: not at present. */
  readonly route: Route | undefined;
  /** Place and system that it may fail together with, as far as its profile says. */
  readonly place: string | undefined;
  readonly system: string | undefined;
  /** No restore reads before; undefined when there are no such reads to wait for. */
  readonly commitmentEndsAt: Instant | undefined;
  /** When the grace period that runs now ends; undefined when none runs. */
  readonly graceEndsAt: Instant | undefined;
  /** When a notice to leave ends; undefined when none was given. */
  readonly leavesAt: Instant | undefined;
  /** How long it has proven itself, in days with signs of life. */
  readonly provenDays: number;
}

/** An agreement as it stands, ended ones included. */
export interface AgreementView {
  readonly row: AgreementRow;
  readonly agreement: Agreement;
  readonly weLendBytes: number;
  readonly lendsUsBytes: number;
  /** What the partner has here, under this agreement or others. */
  readonly weHoldBytes: number;
  readonly commitmentEndsAt: Instant | undefined;
  readonly graceEndsAt: Instant | undefined;
  readonly leavesAt: Instant | undefined;
}

/** A peer that was considered, and what came of it. */
export interface CandidateView {
  readonly peer: PeerId;
  /** As it calls itself; empty when its profile was not read. */
  readonly name: string;
  readonly addresses: readonly string[];
  readonly source: CandidateSource;
  /** From 1, best first; undefined when it was refused. */
  readonly rank: number | undefined;
  /** Why it has this rank, or was refused. */
  readonly reasons: readonly Reason[];
  /** What negotiating with it came to; undefined when it was not tried. */
  readonly result: NegotiationResult | undefined;
}

export type NegotiationResult =
  | { readonly outcome: 'signed'; readonly weLendBytes: number; readonly lendsUsBytes: number }
  /** `by`: who said no. */
  | { readonly outcome: 'refused'; readonly by: 'us' | 'peer'; readonly reason: Reason }
  | { readonly outcome: 'unreachable'; readonly reason: Reason };

export interface SearchReport {
  readonly enough: boolean;
  readonly wantedPartners: number;
  readonly presentPartners: number;
  readonly reasons: readonly Reason[];
  /** Best first; then the refused ones. */
  readonly candidates: readonly CandidateView[];
}

export interface SearchOptions {
  /** Only looks, asks and ranks; negotiates with nobody. */
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  readonly progress?: (progress: SearchProgress) => void;
}

export interface SearchProgress {
  readonly phase: 'looking' | 'asking' | 'negotiating';
  readonly candidates: number;
  readonly done: number;
}

export type PartnerFailure = {
  readonly code:
    | 'partner.unknown'
    /** The phase that the partnership is in does not allow it. */
    | 'partner.wrong-phase'
    | 'partner.unreachable'
    /** The partner did not agree. */
    | 'partner.refused';
  readonly phase?: LifecyclePhase | 'proposed';
  readonly detail: string;
};

/** What is to be different. What is left out stays as it is. */
export interface TermsChange {
  readonly weLendBytes?: number;
  readonly lendsUsBytes?: number;
}

export interface AuditOptions {
  /** Those to audit. */
  readonly partners: readonly PeerId[];
  /** Blocks asked of each, when that is more than its turn would have: at most 64. */
  readonly blocks?: number | undefined;
  readonly signal: AbortSignal;
  /** Told of each partner as its outcome is durable. */
  readonly progress: (event: AuditEvent) => void;
}

/** The part of a computer that makes, keeps and ends partnerships. */
export interface Partnerships {
  partners(): readonly PartnerView[];
  /** Asks every partner for a sign of life. */
  probePartners(): Promise<void>;
  /** All agreements, those that ended or were only proposed too; oldest first. */
  agreements(): readonly AgreementView[];
  /** What one more partner is lent when nobody says otherwise, in bytes: an equal share, as far as that was not promised to others. */
  shareBytes(): number;
  /** Peers that were heard of, as the last search ranked or refused them. */
  candidates(): readonly CandidateView[];
  /** One search now, whatever the loop is doing. Signs agreements unless `dryRun`. */
  search(options: SearchOptions): Promise<SearchReport>;
  /** Audits partners now, in turn; gives what came of it. Whoever holds nothing of ours is left out. */
  audit(options: AuditOptions): Promise<readonly AuditEvent[]>;
  /** What is known of the audits of a partner and by it; undefined when there is no such partner. */
  auditsOf(partner: PeerId): PartnerAudits | undefined;
  /** Gives notice: our shards are moved away, the partner moves its own, and the agreement ends with the notice. */
  leave(partner: PeerId): Promise<Outcome<AgreementView, PartnerFailure>>;
  /** Takes a notice back while it runs. */
  stay(partner: PeerId): Promise<Outcome<AgreementView, PartnerFailure>>;
  /** Ends it at once, by hand: what lies there is counted lost, and what it stored here goes into the trash. */
  forget(partner: PeerId): Outcome<AgreementView, PartnerFailure>;
  /** Takes back, by hand, that the partner is suspended or has reneged. */
  forgive(partner: PeerId): Outcome<AgreementView, PartnerFailure>;
  /** Asks the partner for other terms; both sign again. */
  changeTerms(
    partner: PeerId,
    change: TermsChange,
    signal: AbortSignal,
  ): Promise<Outcome<AgreementView, PartnerFailure>>;
  /** No new shards are sent to it or taken from it. False when there is no such partner. */
  setPaused(partner: PeerId, paused: boolean): boolean;
}
