/**
 * Whether this identity lives on elsewhere (RESEARCH §2, two live machines with one identity): a later life of it, begun by a recovery, has left a manifest with a
 * partner. Then this home has had its time and stops: both would sign ledgers, manifests and agreements in one name.
 *
 * Only a manifest that our own key signed says so, and only one of a later incarnation. A home that was set back, or copied while it was running, shares its incarnation with
 * the other; which of the two is to go on, only a person can say (`identity.elsewhere`).
 */
import { openManifest } from '../../core/manifest/manifest.ts';
import type { OwnerKeys } from '../../core/sealing/keys.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { Stores } from '../../ports/stores.ts';
import { facts } from '../facts.ts';
import type { PartnerBook } from '../partners/partner-book.ts';
import type { PartnerClient } from '../partners/partner-client.ts';

export interface OwnSuccessorParts {
  readonly keys: OwnerKeys;
  readonly stores: Stores;
  readonly log: EventLog;
  readonly book: PartnerBook;
  readonly client: Pick<PartnerClient, 'manifest'>;
  /** Told once, when it is durable that there is one. */
  readonly onFound: () => void;
}

export class OwnSuccessor {
  readonly #parts: OwnSuccessorParts;

  constructor(parts: OwnSuccessorParts) {
    this.#parts = parts;
  }

  /** Asks a partner that holds a manifest of ours which we did not write. */
  async look(partner: PeerId, signal: AbortSignal): Promise<void> {
    const { keys, stores, log, book, client, onFound } = this.#parts;
    if (facts.successor(stores) !== undefined) return;
    const answer = await client.manifest(book.addressOf(partner), keys.peerId, signal);
    const manifest = answer.ok ? openManifest(answer.value, keys) : answer;
    if (signal.aborted || !manifest.ok) return;
    const { incarnation } = manifest.value.header;
    if (incarnation <= facts.incarnation(stores) || facts.recovering(stores)) return;
    facts.setSuccessor(stores, incarnation);
    log.write('error', 'identity.superseded', { incarnation, seenBy: partner });
    onFound();
  }
}
