/** The ledgers that this computer signs as a holder, each going on in its present life (docs/protocol.md#ledger). */
import type { Bytes } from '../../base/bytes.ts';
import {
  type LedgerHead,
  type LedgerPlace,
  type LedgerSubject,
  ledgerStart,
  nextAcknowledgement,
} from '../../core/agreements/acknowledgement.ts';
import type { AgreementId } from '../../core/vocabulary/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { LedgerRow, Stores } from '../../ports/stores.ts';
import { facts } from '../facts.ts';

export interface LedgerHand {
  readonly identitySeed: Bytes;
  readonly stores: Stores;
  readonly clock: Clock;
}

/** Where the next entry goes. What was signed before a loss of everything is not here any more, so it cannot be gone on with. */
export function holderHead(stores: Stores, agreement: AgreementId): LedgerHead {
  const epoch = facts.incarnation(stores);
  const head = stores.ledger.head(agreement, 'holder');
  return head !== undefined && head.epoch >= epoch ? head : ledgerStart(agreement, epoch);
}

/** Signs and appends the next entry. Inside the transaction that makes true what it says. */
export function appendHolderEntry(
  { identitySeed, stores, clock }: LedgerHand,
  agreement: AgreementId,
  subject: LedgerSubject,
): LedgerRow {
  const next = nextAcknowledgement(
    holderHead(stores, agreement),
    { ...subject, agreement, time: clock.now() },
    identitySeed,
  );
  const row: LedgerRow = { agreement, side: 'holder', ...next.head, document: next.document };
  stores.ledger.append(row);
  return row;
}

/** The entry in a place, unless it was signed in an earlier life: an owner does not take such a one any more. */
export function presentEntry(
  stores: Stores,
  agreement: AgreementId,
  place: LedgerPlace,
): LedgerRow | undefined {
  if (place.epoch !== holderHead(stores, agreement).epoch) return undefined;
  return stores.ledger.get(agreement, 'holder', place);
}
