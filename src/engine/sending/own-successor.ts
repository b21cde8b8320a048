/**
 * Whether this identity lives on elsewhere (RESEARCH §2, two live machines with one identity): a later life of it, begun by a recovery, has left a manifest with a
 * partner. Then this home has had its time and stops: both would sign ledgers, manifests and agreements in one name.
 *
 * Only a manifest that our own key signed says so, and only one of a later incarnation. A home that was set back, or copied while it was running, shares its incarnation with
 * the other; which of the two is to go on, only a person can say (`identity.elsewhere`).
 */
import { equalBytes } from '../../base/bytes.ts';
import { type Manifest, openManifest } from '../../core/manifest/manifest.ts';
import { comparePlaces } from '../../core/manifest/ordering.ts';
import type { OwnerKeys } from '../../core/sealing/keys.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { Stores } from '../../ports/stores.ts';
import { facts } from '../facts.ts';
import type { PartnerBook } from '../partners/partner-book.ts';
import type { PartnerClient } from '../partners/partner-client.ts';
import type { Notifier } from '../work/notifier.ts';

export interface OwnSuccessorParts {
  readonly keys: OwnerKeys;
  readonly stores: Stores;
  readonly log: EventLog;
  readonly book: PartnerBook;
  readonly client: Pick<PartnerClient, 'manifest'>;
  readonly changes: Notifier;
  /** Told once, when it is durable that there is one. */
  readonly onFound: () => void;
}

export class OwnSuccessor {
  readonly #parts: OwnSuccessorParts;

  constructor(parts: OwnSuccessorParts) {
    this.#parts = parts;
  }

  /** Asks a partner for the newest manifest of ours that it holds; false when it did not answer. */
  async look(partner: PeerId, signal: AbortSignal): Promise<boolean> {
    const { keys, stores, log, book, client, onFound } = this.#parts;
    if (facts.successor(stores) !== undefined) return true;
    const answer = await client.manifest(book.addressOf(partner), keys.peerId, signal);
    const manifest = answer.ok ? openManifest(answer.value, keys) : answer;
    if (signal.aborted || facts.recovering(stores)) return false;
    if (!manifest.ok) return answer.ok || answer.error.code === 'peer.refused';
    const { incarnation } = manifest.value.header;
    if (incarnation <= facts.incarnation(stores)) {
      if (this.#isRival(manifest.value)) this.noteRival(partner, true);
      return true;
    }
    if (facts.successor(stores) !== undefined) return true;
    facts.setSuccessor(stores, incarnation);
    log.write('error', 'identity.superseded', { incarnation, seenBy: partner });
    onFound();
    return true;
  }

  /** Whether the partner has manifests of this identity that are not ours: another computer has its key, or this one was set back. */
  noteRival(partner: PeerId, has: boolean): void {
    const { stores, changes } = this.#parts;
    const known = facts.rivalsSeenBy(stores);
    if (known.includes(partner) === has) return;
    const others = known.filter((other) => other !== partner);
    facts.setRivalsSeenBy(stores, has ? [...others, partner] : others);
    changes.notify();
  }

  /** Of this life, and not written here: ours are durable before anybody gets them. Those of earlier lives count no more. */
  #isRival({ header, hash }: Manifest): boolean {
    const { stores, keys } = this.#parts;
    const own = stores.manifests.newest(keys.peerId);
    if (own === undefined || header.incarnation !== facts.incarnation(stores)) return false;
    const order = comparePlaces(header, own);
    return order > 0 || (order === 0 && !equalBytes(hash, own.hash));
  }
}
