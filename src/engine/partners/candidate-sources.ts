/**
 * Where candidates come from (C2): configured addresses, those that announce themselves in the neighbourhood, partners' partners, and whoever is named as a
 * reference. Invites make partners by themselves, and those that asked us are in the book already.
 *
 * Nothing of it is believed: it only says whom to ask.
 */

import { utf8Bytes } from '../../base/bytes.ts';
import { linkedAbort } from '../../base/linked-abort.ts';
import { secondMs } from '../../base/units.ts';
import { readPublicManifest } from '../../core/manifest/manifest.ts';
import { domains } from '../../core/sealing/domains.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { Stores } from '../../ports/stores.ts';
import type { Discovery, PeerAddress, Transport } from '../../ports/transport.ts';
import { hashWithDomain } from '../../primitives/hash.ts';
import { TaskPool } from '../work/task-pool.ts';
import type { CandidateBook } from './candidate-book.ts';
import type { PartnerBook } from './partner-book.ts';

export interface CandidateSourcesParts {
  readonly stores: Stores;
  readonly clock: Clock;
  readonly log: EventLog;
  readonly transport: Transport;
  readonly discovery: Discovery | undefined;
  readonly book: PartnerBook;
  readonly candidates: CandidateBook;
  readonly bootstrap: readonly string[];
  readonly neighbourhood: string;
}

const lookupMs: number = 10 * secondMs;
const lookupMaximum = 64;
const identifiedAtOnce = 4;
/** Contacts taken from one partner's manifest. */
const contactsMaximum = 32;

/** What computers of one neighbourhood meet under: 32 bytes. */
export function meetingTopic(neighbourhood: string): ReturnType<typeof hashWithDomain> {
  return hashWithDomain(domains.meetingTopic, utf8Bytes(neighbourhood));
}

export class CandidateSources {
  readonly #parts: CandidateSourcesParts;
  /** Who answered at a configured address. */
  readonly #identified = new Map<string, PeerId>();
  #announced: (() => Promise<void>) | undefined;

  constructor(parts: CandidateSourcesParts) {
    this.#parts = parts;
  }

  /** Enters into the book whoever can be heard of now. */
  async gather(signal: AbortSignal): Promise<void> {
    this.#partnersOfPartners();
    this.#references();
    await Promise.all([this.#configured(signal), this.#met(signal)]);
    this.#parts.candidates.save();
  }

  /** Makes this computer one of those that are found, or not any more. */
  async announce(self: PeerAddress, wanted: boolean): Promise<void> {
    const { discovery, neighbourhood, log } = this.#parts;
    if (discovery === undefined || wanted === (this.#announced !== undefined)) return;
    if (!wanted) {
      const withdraw = this.#announced;
      this.#announced = undefined;
      await withdraw?.();
      return;
    }
    if (self.addresses.length === 0) return;
    this.#announced = await discovery.announce(meetingTopic(neighbourhood), self);
    log.write('info', 'search.announced', { neighbourhood });
  }

  async #configured(signal: AbortSignal): Promise<void> {
    const pool = new TaskPool(identifiedAtOnce);
    for (const address of this.#parts.bootstrap)
      await pool.start(() => this.#identify(address, signal));
    await pool.drain();
  }

  async #identify(address: string, signal: AbortSignal): Promise<void> {
    const { transport, candidates, log } = this.#parts;
    const known = this.#identified.get(address);
    if (known !== undefined && candidates.get(known) !== undefined) return;
    const identified = await transport.identify(address, signal);
    if (identified.ok) {
      this.#identified.set(address, identified.value);
      candidates.named({ peer: identified.value, addresses: [address] }, 'configured');
    } else if (!signal.aborted)
      log.write('info', 'search.not-reached', { address, code: identified.error.code });
  }

  async #met(signal: AbortSignal): Promise<void> {
    const { discovery, neighbourhood, candidates, clock } = this.#parts;
    if (discovery === undefined) return;
    const limited = linkedAbort(signal);
    const ended = new AbortController();
    void clock.sleep(lookupMs, ended.signal).then(() => limited.abort());
    try {
      const topic = meetingTopic(neighbourhood);
      const options = { limit: lookupMaximum, signal: limited.signal };
      for (const found of await discovery.lookup(topic, options)) candidates.named(found, 'dht');
    } finally {
      ended.abort();
      limited.release();
    }
  }

  /** The manifests that we hold for partners name theirs. */
  #partnersOfPartners(): void {
    const { stores, book, candidates } = this.#parts;
    for (const { partner } of book.all()) {
      const document = stores.manifests.newest(partner)?.document;
      const manifest = document && readPublicManifest(document, partner);
      if (!manifest?.ok) continue;
      for (const contact of manifest.value.header.partners.slice(0, contactsMaximum))
        candidates.named(contact, 'partner');
    }
  }

  /** Profiles name those that can bear out what they say. */
  #references(): void {
    const { candidates } = this.#parts;
    for (const { peer } of candidates.all())
      for (const reference of candidates.profileOf(peer)?.references ?? [])
        candidates.named(reference, 'partner');
  }
}
