/**
 * Peers that may become partners, as far as they were heard of: kept few, and written seldom, for there is no end to strangers (C2).
 */
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import { dayMs, type Instant, instant, minuteMs } from '../../base/units.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import { addressesMaximum } from '../../core/wire/contact.ts';
import { type Profile, readProfile } from '../../core/wire/profile.ts';
import type { Clock } from '../../ports/clock.ts';
import type { CandidateRow, CandidateSource } from '../../ports/peer-stores.ts';
import type { Stores } from '../../ports/stores.ts';
import type { PeerAddress } from '../../ports/transport.ts';
import type { PartnerBook } from './partner-book.ts';

export interface CandidateBookParts {
  readonly self: PeerId;
  readonly stores: Stores;
  readonly clock: Clock;
  readonly book: PartnerBook;
}

const candidatesMaximum = 256;
/** Of these, peers that only asked us: whoever makes many of itself gets no more places. */
const askersMaximum = 64;
/** New candidates that came by themselves, in a minute. */
const askersPerMinute = 32;
/** A candidate that nobody heard of for so long is forgotten. */
const forgottenMs: number = 30 * dayMs;

export class CandidateBook {
  readonly #parts: CandidateBookParts;
  /** Profiles as they were read last: checking a signature each time would take longer than all else. */
  readonly #read = new Map<
    PeerId,
    { readonly document: Bytes; readonly profile: Profile | undefined }
  >();
  #minute: { readonly since: Instant; readonly count: number } | undefined;

  constructor(parts: CandidateBookParts) {
    this.#parts = parts;
  }

  all(): readonly CandidateRow[] {
    const { stores, self } = this.#parts;
    return stores.candidates.all().filter(({ peer }) => peer !== self);
  }

  get(peer: PeerId): CandidateRow | undefined {
    return this.#parts.stores.candidates.get(peer);
  }

  profileOf(peer: PeerId): Profile | undefined {
    const document = this.get(peer)?.profile;
    if (document === undefined) return undefined;
    return this.#profileIn(peer, document);
  }

  #profileIn(peer: PeerId, document: Bytes): Profile | undefined {
    const known = this.#read.get(peer);
    if (known?.document === document) return known.profile;
    const isSame = known !== undefined && equalBytes(known.document, document);
    const profile = isSame ? known?.profile : profileOrNothing(document, peer);
    if (this.#read.size >= candidatesMaximum) this.#read.clear();
    this.#read.set(peer, { document, profile });
    return profile;
  }

  addressOf(peer: PeerId): PeerAddress {
    const known = this.get(peer)?.addresses ?? [];
    const partner = this.#parts.book.addressOf(peer).addresses;
    const addresses = [...new Set([...partner, ...known])].slice(0, addressesMaximum);
    return { peer, addresses };
  }

  /** Somebody named this peer. What is known of it already stays; addresses are added. */
  named({ peer, addresses }: PeerAddress, source: CandidateSource): void {
    const { self, clock, stores } = this.#parts;
    if (peer === self) return;
    const row = this.get(peer);
    const now = clock.now();
    if (row === undefined) {
      this.#add({
        ...{ peer, addresses: addresses.slice(0, addressesMaximum), source, profile: undefined },
        ...{ seenAt: now, nextAskAt: now, refusal: undefined },
      });
      return;
    }
    const fresh = addresses.filter((address) => !row.addresses.includes(address));
    if (fresh.length === 0) return;
    const all = [...fresh, ...row.addresses].slice(0, addressesMaximum);
    stores.candidates.put({ ...row, addresses: all });
  }

  /** The peer showed its profile, signed; false when it is not its own. `asked`: it came by itself. */
  showed(
    { peer, addresses }: PeerAddress,
    profile: Uint8Array,
    options: { readonly asked: boolean },
  ): boolean {
    const { self, clock, stores } = this.#parts;
    if (peer === self) return false;
    const row = this.get(peer);
    const now = clock.now();
    if (row === undefined && options.asked && !this.#admits(now)) return false;
    if (row !== undefined && options.asked && isClose(row.seenAt, now)) return true;
    const document = new Uint8Array(profile) as Bytes;
    if (this.#profileIn(peer, document) === undefined) return false;
    const known = row?.addresses ?? [];
    const all = [...new Set([...addresses, ...known])].slice(0, addressesMaximum);
    const next: CandidateRow = {
      peer,
      addresses: all,
      source: row?.source ?? 'asked-us',
      profile: document,
      seenAt: now,
      // Whoever comes by itself may be asked again at once.
      nextAskAt: options.asked ? now : (row?.nextAskAt ?? now),
      refusal: options.asked ? undefined : row?.refusal,
    };
    if (row === undefined) this.#add(next);
    else stores.candidates.put(next);
    return true;
  }

  /** No agreement came of it, for this reason; it is not asked again for so long. */
  refused(peer: PeerId, refusal: string | undefined, againInMs: number): void {
    const row = this.get(peer);
    if (row === undefined) return;
    const nextAskAt = instant(this.#parts.clock.now() + againInMs);
    this.#parts.stores.candidates.put({ ...row, refusal, nextAskAt });
  }

  #admits(now: Instant): boolean {
    const before = this.#minute;
    const begun = before === undefined || Math.abs(now - before.since) > minuteMs;
    const count = begun ? 1 : before.count + 1;
    if (count > askersPerMinute) return false;
    this.#minute = { since: begun ? now : before.since, count };
    return true;
  }

  /** Makes room first: for those that asked among themselves, then for all, those heard of last stay. */
  #add(row: CandidateRow): void {
    const { stores, book, clock } = this.#parts;
    // Names cost nothing: those that showed who they are stay before those that are only named.
    const others = this.all()
      .filter(({ peer }) => book.get(peer) === undefined)
      .toSorted(
        (left, right) => Number(right.profile !== undefined) - Number(left.profile !== undefined),
      );
    const now = clock.now();
    const askers = others.filter(({ source }) => source === 'asked-us');
    const surplus = [
      ...others.filter(({ seenAt }) => now - seenAt > forgottenMs),
      ...others.slice(candidatesMaximum - 1),
      ...(row.source === 'asked-us' ? askers.slice(askersMaximum - 1) : []),
    ];
    stores.transact(() => {
      for (const { peer } of surplus) stores.candidates.remove(peer);
      stores.candidates.put(row);
    });
  }
}

function profileOrNothing(document: Bytes, peer: PeerId): Profile | undefined {
  const read = readProfile(document, peer);
  return read.ok ? read.value : undefined;
}

/** A peer that asks often is written down once a minute. */
function isClose(before: Instant, now: Instant): boolean {
  return Math.abs(now - before) < minuteMs / 12;
}
