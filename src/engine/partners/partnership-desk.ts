/** Partnerships as people see and steer them: what there is, what is looked for, and what ends. */
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { instant } from '../../base/units.ts';
import { bytesLentBy, bytesLentTo } from '../../core/agreements/agreement.ts';
import { termsWithLending } from '../../core/agreements/policy.ts';
import { domainsOf, traitsOf } from '../../core/partners/failure-domain.ts';
import { isInForce, type LifecyclePhase } from '../../core/partners/lifecycle-phase.ts';
import { availabilityOf, bandwidthOf } from '../../core/partners/observation.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import { blockBytes } from '../../core/vocabulary/limits.ts';
import { spokenProtocols } from '../../core/wire/protocol.ts';
import type { AgreementRow } from '../../ports/stores.ts';
import type { AuditEvent } from '../audits/audit-event.ts';
import { auditCoverage, auditedConduct, type PartnerAudits } from '../audits/audit-views.ts';
import type { ComputerParts } from '../computer-parts.ts';
import { TaskPool } from '../work/task-pool.ts';
import { deedIn } from './agreement-register.ts';
import { lackingAt, suspensionCause } from './partner-failings.ts';
import { agreementOf, spaceAccount } from './partner-space.ts';
import type {
  AgreementView,
  AuditOptions,
  CandidateView,
  PartnerFailure,
  Partnerships,
  PartnerView,
  SearchOptions,
  SearchReport,
  TermsChange,
} from './partnerships.ts';

type Answer = Outcome<AgreementView, PartnerFailure>;

/** Audited at the same time when a person asks. */
const auditedAtOnce = 4;

export class PartnershipDesk implements Partnerships {
  readonly #parts: ComputerParts;
  readonly #stopped: AbortSignal;

  constructor(parts: ComputerParts, stopped: AbortSignal) {
    this.#parts = parts;
    this.#stopped = stopped;
  }

  partners(): readonly PartnerView[] {
    return this.#parts.book.all().map((row) => this.#partnerView(row));
  }

  async probePartners(): Promise<void> {
    await this.#parts.partners.watch.probeAll(this.#stopped);
  }

  agreements(): readonly AgreementView[] {
    return this.#parts.ports.stores.agreements.all().map((row) => this.#view(row));
  }

  shareBytes(): number {
    const { stance } = this.#parts.partners;
    return Math.min(stance.shareBytes(), stance.freeBytes());
  }

  candidates(): readonly CandidateView[] {
    const { accepted, refused } = this.#parts.partners.judging.ranked();
    return [...accepted.map(({ view }) => view), ...refused];
  }

  search(options: SearchOptions): Promise<SearchReport> {
    return this.#parts.partners.search.search(options);
  }

  async audit({
    partners,
    blocks,
    signal,
    progress,
  }: AuditOptions): Promise<readonly AuditEvent[]> {
    const { audits } = this.#parts.partners;
    const events: AuditEvent[] = [];
    const pool = new TaskPool(auditedAtOnce);
    for (const partner of partners)
      await pool.start(async () => {
        const event = await audits.audit(partner, {
          signal,
          ...(blocks === undefined ? {} : { blocks }),
        });
        if (event === undefined) return;
        events.push(event);
        progress(event);
      });
    await pool.drain();
    return events;
  }

  auditsOf(partner: PeerId): PartnerAudits | undefined {
    const { ports, book, keys, partners } = this.#parts;
    const row = book.get(partner);
    if (row === undefined) return undefined;
    const standing = partners.audits.standing(row.agreement);
    return {
      ofPartner: auditCoverage(ports.stores, row, { standing, self: keys.peerId }),
      ofUs: auditedConduct(ports.stores, row, partners.answers),
    };
  }

  /**
   * The notice and what it says are durable together; it is sent until the partner knows. It runs from when what lies there, or here, can be read
   * back: what is nowhere else could not be moved before.
   */
  async leave(partner: PeerId): Promise<Answer> {
    const row = this.#inForce(partner);
    if (row === undefined) return unknown(partner);
    const { keeper, notices } = this.#parts.partners;
    if (row.phase === 'leaving') return succeeded(this.#view(row));
    const { stores, clock } = this.#parts.ports;
    const from = this.#mustBeMoved(partner) ? keeper.datesOf(row).commitmentEndsAt : undefined;
    const until = instant((from ?? clock.now()) + agreementOf(row).terms.noticeMs);
    const left = stores.transact(() => {
      notices.give(row, { type: 'leaving', until });
      return keeper.happened(partner, { type: 'notice-given', until });
    });
    this.#parts.changes.notify();
    return succeeded(this.#view(left ?? row));
  }

  /** It holds shards of packs that do not lie here, or is about to; or we hold something for it, of which we know no more. */
  #mustBeMoved(partner: PeerId): boolean {
    const { shards, packs, held } = this.#parts.ports.stores;
    const isThere = shards
      .ofPartner(partner)
      .some(({ pack, phase }) => phase !== 'held' || packs.get(pack)?.spooled === false);
    return isThere || held.blockCount(partner) > 0;
  }

  async stay(partner: PeerId): Promise<Answer> {
    const row = this.#inForce(partner);
    if (row === undefined) return unknown(partner);
    const { keeper, notices } = this.#parts.partners;
    if (keeper.stateOf(row).leaving?.by !== 'us')
      return wrongPhase(row.phase, 'this computer gave no notice to it');
    const stayed = this.#parts.ports.stores.transact(() => {
      notices.give(row, { type: 'back' });
      return keeper.happened(partner, { type: 'notice-withdrawn', by: 'us' });
    });
    this.#parts.changes.notify();
    return succeeded(this.#view(stayed ?? row));
  }

  forget(partner: PeerId): Answer {
    const { keeper, notices } = this.#parts.partners;
    const { stores, clock } = this.#parts.ports;
    const row = this.#last(partner);
    if (row === undefined) return unknown(partner);
    if (row.phase === 'proposed') {
      stores.agreements.remove(row.agreement);
      return succeeded(this.#view(row));
    }
    if (row.phase === 'ended') return wrongPhase(row.phase, 'it has ended already');
    // In one step: a partner that heard of it takes nothing new in, so this side must know as well.
    const ended = stores.transact(() => {
      if (isInForce(row.phase)) notices.give(row, { type: 'leaving', until: clock.now() });
      return keeper.happened(partner, { type: 'dropped' });
    });
    this.#parts.changes.notify();
    return succeeded(this.#view(ended ?? row));
  }

  forgive(partner: PeerId): Answer {
    const row = this.#last(partner);
    if (row === undefined) return unknown(partner);
    if (row.phase === 'ended' || row.phase === 'proposed')
      return wrongPhase(row.phase, 'only a partnership that was kept can be forgiven');
    const forgiven = this.#parts.partners.keeper.happened(partner, { type: 'forgiven' });
    this.#parts.changes.notify();
    return succeeded(this.#view(forgiven ?? row));
  }

  async changeTerms(partner: PeerId, change: TermsChange, signal: AbortSignal): Promise<Answer> {
    const row = this.#inForce(partner);
    if (row === undefined) return unknown(partner);
    const { stance, negotiations } = this.#parts.partners;
    const agreement = agreementOf(row);
    const lent = {
      ours: change.weLendBytes ?? bytesLentTo(agreement, partner),
      theirs: change.lendsUsBytes ?? bytesLentBy(agreement, partner),
    };
    const own = agreement.first === partner ? 'second' : 'first';
    const concluded = await negotiations.ask(
      {
        to: this.#parts.book.addressOf(partner),
        current: deedIn(row).link,
        wish: termsWithLending(agreement.terms, own, lent),
        consider: async () => ({
          stance: stance.towardsPartner(row, lent),
          protocol: Math.max(...spokenProtocols),
        }),
      },
      signal,
    );
    switch (concluded.outcome) {
      case 'signed':
        return succeeded(this.#view(concluded.row));
      case 'refused':
        return failed({ code: 'partner.refused', detail: refusalText(concluded.refusal) });
      case 'silent':
        return failed({ code: 'partner.unreachable', detail: refusalText(concluded.refusal) });
      case 'open':
        return failed({
          code: 'partner.unreachable',
          detail: 'no definite answer came; it is asked again',
        });
    }
  }

  setPaused(partner: PeerId, paused: boolean): boolean {
    const { book, ports, changes } = this.#parts;
    const row = book.get(partner);
    if (row === undefined) return false;
    ports.stores.agreements.put({ ...row, paused });
    changes.notify();
    return true;
  }

  #inForce(partner: PeerId): AgreementRow | undefined {
    const row = this.#parts.book.get(partner);
    return row !== undefined && isInForce(row.phase) ? row : undefined;
  }

  /** In force, or else the last there was. */
  #last(partner: PeerId): AgreementRow | undefined {
    const rows = this.#parts.ports.stores.agreements.all();
    return this.#inForce(partner) ?? rows.findLast((row) => row.partner === partner);
  }

  #partnerView(row: AgreementRow): PartnerView {
    const { ports, book, partners } = this.#parts;
    const { watch, candidates, keeper } = partners;
    const observation = watch.observationOf(row.partner);
    const { place, system } = domainsOf(traitsOf(candidates.profileOf(row.partner)));
    return {
      agreement: row,
      phase: row.phase,
      reachable: book.reachable(row.partner),
      ...spaceAccount(ports.stores, row),
      lacks: lackingAt(ports.stores, row.partner),
      failing: suspensionCause(row),
      availability: observation && availabilityOf(observation),
      bandwidthTo: observation && bandwidthOf(observation, 'up'),
      bandwidthFrom: observation && bandwidthOf(observation, 'down'),
      route: ports.transport.route(row.partner),
      place,
      system,
      ...keeper.datesOf(row),
      provenDays: keeper.stateOf(row).provenDays,
    };
  }

  #view(row: AgreementRow): AgreementView {
    const { stores } = this.#parts.ports;
    const agreement = agreementOf(row);
    return {
      row,
      agreement,
      weLendBytes: bytesLentTo(agreement, row.partner),
      lendsUsBytes: bytesLentBy(agreement, row.partner),
      weHoldBytes: stores.held.blockCount(row.partner) * blockBytes,
      ...this.#parts.partners.keeper.datesOf(row),
    };
  }
}

function unknown(partner: PeerId): Answer {
  return failed({ code: 'partner.unknown', detail: partner });
}

function wrongPhase(phase: LifecyclePhase | 'proposed', detail: string): Answer {
  return failed({ code: 'partner.wrong-phase', phase, detail });
}

function refusalText({ code, detail }: { readonly code: string; readonly detail: string }): string {
  return detail === '' ? code : `${code}: ${detail}`;
}
