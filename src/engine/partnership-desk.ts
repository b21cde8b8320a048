/** Partnerships as people see and steer them: what there is, what is looked for, and what ends. */
import { failed, type Outcome } from '../base/outcome.ts';
import { bytesLentBy, bytesLentTo } from '../core/agreements/agreement.ts';
import type { PeerId } from '../core/vocabulary/ids.ts';
import { readProfile } from '../core/wire/profile.ts';
import type { CandidateRow } from '../ports/peer-stores.ts';
import type { AgreementRow } from '../ports/stores.ts';
import type { ComputerParts } from './computer-parts.ts';
import { agreementOf, spaceAccount } from './partner-space.ts';
import type {
  AgreementView,
  CandidateView,
  PartnerFailure,
  Partnerships,
  PartnerView,
  SearchOptions,
  SearchReport,
  TermsChange,
} from './partnerships.ts';

export class PartnershipDesk implements Partnerships {
  readonly #parts: ComputerParts;
  readonly #stopped: AbortSignal;

  constructor(parts: ComputerParts, stopped: AbortSignal) {
    this.#parts = parts;
    this.#stopped = stopped;
  }

  partners(): readonly PartnerView[] {
    return this.#parts.book.all().map((row) => this.#view(row));
  }

  async probePartners(): Promise<void> {
    const { book, client } = this.#parts;
    await Promise.all(
      book.all().map(({ partner }) => client.probe(book.addressOf(partner), this.#stopped)),
    );
  }

  agreements(): readonly AgreementView[] {
    return this.#parts.ports.stores.agreements.all().map((row) => agreementView(row));
  }

  candidates(): readonly CandidateView[] {
    return this.#parts.ports.stores.candidates.all().map(candidateView);
  }

  async search(_options: SearchOptions): Promise<SearchReport> {
    const presentPartners = this.#parts.book.all().length;
    return {
      enough: false,
      wantedPartners: presentPartners,
      presentPartners,
      reasons: [],
      candidates: this.candidates(),
    };
  }

  async leave(partner: PeerId): Promise<Outcome<AgreementView, PartnerFailure>> {
    return this.#unknown(partner);
  }

  async stay(partner: PeerId): Promise<Outcome<AgreementView, PartnerFailure>> {
    return this.#unknown(partner);
  }

  forget(partner: PeerId): Outcome<AgreementView, PartnerFailure> {
    return this.#unknown(partner);
  }

  forgive(partner: PeerId): Outcome<AgreementView, PartnerFailure> {
    return this.#unknown(partner);
  }

  async changeTerms(
    partner: PeerId,
    _change: TermsChange,
    _signal: AbortSignal,
  ): Promise<Outcome<AgreementView, PartnerFailure>> {
    return this.#unknown(partner);
  }

  setPaused(partner: PeerId, paused: boolean): boolean {
    const { book, ports, changes } = this.#parts;
    const row = book.get(partner);
    if (row === undefined) return false;
    ports.stores.agreements.put({ ...row, paused });
    changes.notify();
    return true;
  }

  #unknown(partner: PeerId): Outcome<AgreementView, PartnerFailure> {
    return failed({ code: 'partner.unknown', detail: partner });
  }

  #view(row: AgreementRow): PartnerView {
    const { ports, book, pace } = this.#parts;
    return {
      agreement: row,
      phase: row.phase,
      reachable: book.reachable(row.partner),
      ...spaceAccount(ports.stores, row),
      wrongBlocks: pace.wrongBlocks(row.partner),
      availability: undefined,
      bandwidthTo: undefined,
      bandwidthFrom: undefined,
      route: ports.transport.route(row.partner),
      place: undefined,
      system: undefined,
      commitmentEndsAt: undefined,
      graceEndsAt: undefined,
      leavesAt: undefined,
      provenDays: 0,
    };
  }
}

function agreementView(row: AgreementRow): AgreementView {
  const agreement = agreementOf(row);
  return {
    row,
    agreement,
    weLendBytes: bytesLentTo(agreement, row.partner),
    lendsUsBytes: bytesLentBy(agreement, row.partner),
    commitmentEndsAt: undefined,
    graceEndsAt: undefined,
    leavesAt: undefined,
  };
}

function candidateView(row: CandidateRow): CandidateView {
  const { peer, addresses, source, profile, refusal } = row;
  const read = profile === undefined ? undefined : readProfile(profile, peer);
  return {
    peer,
    name: read?.ok ? read.value.name : '',
    addresses,
    source,
    rank: undefined,
    reasons: refusal === undefined ? [] : [{ code: refusal, detail: refusal }],
    result: undefined,
  };
}
