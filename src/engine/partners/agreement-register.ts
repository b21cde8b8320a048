/**
 * Agreements and proposals as negotiating sees them in the catalogue: what is in force with a peer, what was proposed to it, what has ended.
 *
 * A proposal of ours is a row of its own, under the id of its own document; it goes in the same step in which the agreement comes into force.
 */
import { present } from '../../base/assert.ts';
import { ledgerStart } from '../../core/agreements/acknowledgement.ts';
import {
  bytesLentBy,
  bytesLentTo,
  decodeSignedAgreement,
} from '../../core/agreements/agreement.ts';
import type { Deed } from '../../core/agreements/negotiation.ts';
import type { AnswererEffect, Relation } from '../../core/agreements/negotiation-answerer.ts';
import type { AskerEffect } from '../../core/agreements/negotiation-asker.ts';
import { linkOfBody } from '../../core/agreements/replacement.ts';
import { isInForce } from '../../core/partners/lifecycle-phase.ts';
import { neverReached } from '../../core/partners/lifecycle-state.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import { blockBytes } from '../../core/vocabulary/limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { AgreementRow, Stores } from '../../ports/stores.ts';
import { holderHead } from '../holding/held-ledger.ts';
import type { Notifier } from '../work/notifier.ts';
import type { CandidateBook } from './candidate-book.ts';
import type { LifecycleKeeper } from './lifecycle-keeper.ts';
import type { PartnerBook } from './partner-book.ts';
import { agreementOf } from './partner-space.ts';

export interface AgreementRegisterParts {
  readonly stores: Stores;
  readonly clock: Clock;
  readonly log: EventLog;
  readonly book: PartnerBook;
  readonly keeper: LifecycleKeeper;
  readonly candidates: CandidateBook;
  readonly changes: Notifier;
  /** Told of every agreement that comes into force or changes. */
  readonly onAgreement: (row: AgreementRow) => void;
}

export type NewAgreement = Extract<
  AskerEffect | AnswererEffect,
  { readonly type: 'store-agreement' }
>;

export class AgreementRegister {
  readonly #parts: AgreementRegisterParts;

  constructor(parts: AgreementRegisterParts) {
    this.#parts = parts;
  }

  /** Puts an agreement into force, in one durable step. A change keeps the partnership's lifecycle. */
  adopt(partner: PeerId, { deed, partnerName, addresses }: NewAgreement): AgreementRow {
    const { stores, keeper, clock, changes, log, onAgreement } = this.#parts;
    const { root, id, number } = deed.link;
    const inForce = this.#parts.book.get(partner);
    if (inForce !== undefined && inForce.agreement !== root) {
      // An invite was accepted while this was on its way: whoever signed this drops it for the invite as well.
      stores.agreements.remove(id);
      return inForce;
    }
    const before = number === 0 ? undefined : stores.agreements.get(root);
    const found =
      addresses.length > 0 ? addresses : this.#parts.candidates.addressOf(partner).addresses;
    const next: AgreementRow =
      before === undefined
        ? keeper.begun({
            agreement: root,
            partner,
            document: deed.document,
            phase: 'standing',
            paused: false,
            lifecycle: undefined,
            partnerName,
            addresses: found,
            since: clock.now(),
            lastSeenAt: clock.now(),
          })
        : { ...before, document: deed.document };
    const row = stores.transact(() => {
      // A half-signed proposal of the same document makes way for the whole one.
      stores.agreements.remove(id);
      stores.agreements.put(next);
      return before === undefined ? next : this.#grown(before, next);
    });
    log.write('info', before === undefined ? 'agreement.signed' : 'agreement.changed', {
      partner,
      number,
    });
    onAgreement(row);
    changes.notify();
    return row;
  }

  /** Each direction for itself, and both on both sides: what we take in from now on the partner must not be drilled for, and what it takes in not by us. */
  #grown(before: AgreementRow, after: AgreementRow): AgreementRow {
    const { stores, keeper } = this.#parts;
    const [was, is] = [agreementOf(before), agreementOf(after)];
    const { partner, agreement } = after;
    const theirs = bytesLentTo(is, partner) > bytesLentTo(was, partner);
    const ours = bytesLentBy(is, partner) > bytesLentBy(was, partner);
    if (is.terms.trusted || !(theirs || ours)) return after;
    const grown = keeper.happened(partner, {
      type: 'grown',
      theirs: theirs ? holderHead(stores, agreement) : neverReached,
      ours: ours
        ? (stores.ledger.head(agreement, 'owner') ?? ledgerStart(agreement, 0))
        : neverReached,
      readableBytes: this.#readableBytes(before),
    });
    return grown ?? after;
  }

  /**
   * Of what the partner stores from now on: what it was lent before and did not use, and in any case enough for an index. What was lent so late that its commitment
   * runs was not used for long enough either.
   */
  #readableBytes(before: AgreementRow): number {
    const { stores, keeper } = this.#parts;
    const lentBytes = bytesLentTo(agreementOf(before), before.partner);
    const usedBytes = stores.held.blockCount(before.partner) * blockBytes;
    const open = keeper.stateOf(before).steps.map(({ readableBytes }) => readableBytes);
    return Math.max(Math.floor(lentBytes / 8), Math.min(lentBytes - usedBytes, ...open));
  }

  /** Our half of an agreement, durable before it is sent. */
  propose(peer: PeerId, proposal: Deed): void {
    const { candidates, clock, stores } = this.#parts;
    stores.agreements.put({
      agreement: proposal.link.id,
      partner: peer,
      document: proposal.document,
      phase: 'proposed',
      paused: false,
      lifecycle: undefined,
      partnerName: candidates.profileOf(peer)?.name ?? '',
      addresses: candidates.addressOf(peer).addresses,
      since: clock.now(),
      lastSeenAt: undefined,
    });
  }

  relation(peer: PeerId): Relation {
    const rows = this.#parts.stores.agreements.all().filter(({ partner }) => partner === peer);
    const proposal = this.proposalTo(peer);
    return {
      current: this.current(peer),
      ended: rows
        .filter(({ phase }) => phase === 'ended' || phase === 'reneged')
        .map((row) => deedIn(row).link),
      proposed: proposal === undefined ? undefined : deedIn(proposal),
    };
  }

  current(peer: PeerId): Deed | undefined {
    const row = this.#parts.book.get(peer);
    return row !== undefined && isInForce(row.phase) ? deedIn(row) : undefined;
  }

  proposalTo(peer: PeerId): AgreementRow | undefined {
    return this.proposals().find(({ partner }) => partner === peer);
  }

  /** Ours that wait for an answer; those for an invite are redeemed, not negotiated. */
  proposals(): readonly AgreementRow[] {
    return this.#parts.stores.agreements.all().filter((row) => {
      if (row.phase !== 'proposed') return false;
      const { terms, replaces } = agreementOf(row);
      return !terms.trusted || replaces !== undefined;
    });
  }
}

/** The agreement in a row, which was checked when it was stored. */
export function deedIn(row: AgreementRow): Deed {
  const signed = decodeSignedAgreement(row.document);
  const value = present(signed.ok ? signed.value : undefined, 'a stored agreement is well formed');
  const link = present(linkOfBody(value.body), 'a stored agreement has valid terms');
  return { link, signed: value, document: row.document };
}
