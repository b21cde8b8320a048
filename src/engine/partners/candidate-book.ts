/**
 * Peers that may become partners, as far as they were heard of: kept few, and written seldom, for there is no end to strangers (C2).
 *
 * The book is read once and kept in memory. What changes is written together, every few seconds at most: a crash loses what was only heard, and that is heard again.
 */
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import { dayMs, hourMs, type Instant, instant, minuteMs, secondMs } from '../../base/units.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import { addressesMaximum } from '../../core/wire/contact.ts';
import { type Profile, readProfile } from '../../core/wire/profile.ts';
import type { Clock } from '../../ports/clock.ts';
import type { CandidateRow, CandidateSource } from '../../ports/peer-stores.ts';
import { StorageFull, type Stores } from '../../ports/stores.ts';
import type { PeerAddress } from '../../ports/transport.ts';
import { Allowance } from '../work/allowance.ts';
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
/** Names and addresses that are taken from others of one kind in an hour: names cost nothing, and each may cost a write here. */
const namesPerHour = 512;
/** A candidate that nobody heard of for so long is forgotten. */
const forgottenMs: number = 30 * dayMs;
const savePauseMs: number = 10 * secondMs;

export class CandidateBook {
  readonly #parts: CandidateBookParts;
  /** The whole book; undefined until it is asked for. */
  #rows: Map<PeerId, CandidateRow> | undefined;
  /** Those seen last come first; undefined after a change. */
  #inOrder: readonly CandidateRow[] | undefined;
  /** What differs from the catalogue. */
  readonly #unsaved = new Set<PeerId>();
  #savedAt: Instant | undefined;
  /** Profiles as they were read last: checking a signature each time would take longer than all else. */
  readonly #read = new Map<
    PeerId,
    { readonly document: Bytes; readonly profile: Profile | undefined }
  >();
  readonly #askers = new Allowance({ count: askersPerMinute, periodMs: minuteMs });
  readonly #names = new Map<CandidateSource, Allowance>();

  constructor(parts: CandidateBookParts) {
    this.#parts = parts;
  }

  all(): readonly CandidateRow[] {
    this.#inOrder ??= [...this.#known().values()].sort(
      (left, right) => right.seenAt - left.seenAt || (left.peer < right.peer ? -1 : 1),
    );
    return this.#inOrder;
  }

  get(peer: PeerId): CandidateRow | undefined {
    return this.#known().get(peer);
  }

  #known(): Map<PeerId, CandidateRow> {
    const { stores, self } = this.#parts;
    this.#rows ??= new Map(
      stores.candidates
        .all()
        .filter(({ peer }) => peer !== self)
        .map((row) => [row.peer, row]),
    );
    return this.#rows;
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
    const { self, clock } = this.#parts;
    if (peer === self) return;
    const row = this.get(peer);
    const now = clock.now();
    const fresh = addresses.filter((address) => row?.addresses.includes(address) !== true);
    if (row !== undefined && fresh.length === 0) return;
    if (!this.#takesName(source, now)) return;
    if (row === undefined) {
      this.#add({
        ...{ peer, addresses: addresses.slice(0, addressesMaximum), source, profile: undefined },
        ...{ seenAt: now, nextAskAt: now, refusal: undefined },
      });
      return;
    }
    this.#put({ ...row, addresses: [...fresh, ...row.addresses].slice(0, addressesMaximum) });
  }

  /** What a person configured is taken always. */
  #takesName(source: CandidateSource, now: Instant): boolean {
    if (source === 'configured' || source === 'invite') return true;
    const known = this.#names.get(source);
    const allowance = known ?? new Allowance({ count: namesPerHour, periodMs: hourMs });
    if (known === undefined) this.#names.set(source, allowance);
    return allowance.takes(now);
  }

  /** The peer showed its profile, signed; false when it is not its own. `asked`: it came by itself. */
  showed(
    { peer, addresses }: PeerAddress,
    profile: Uint8Array,
    options: { readonly asked: boolean },
  ): boolean {
    const { self, clock } = this.#parts;
    if (peer === self) return false;
    const row = this.get(peer);
    const now = clock.now();
    if (row === undefined && options.asked && !this.#askers.takes(now)) return false;
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
    else this.#put(next);
    return true;
  }

  /** No agreement came of it, for this reason; it is not asked again for so long. */
  refused(peer: PeerId, refusal: string | undefined, againInMs: number): void {
    const row = this.get(peer);
    if (row === undefined) return;
    const nextAskAt = instant(this.#parts.clock.now() + againInMs);
    this.#put({ ...row, refusal, nextAskAt });
  }

  /** Writes down what changed, all at once. A catalogue without room is tried again later: nothing of this is worth more than what others asked for meanwhile. */
  save(): void {
    const { stores, clock } = this.#parts;
    this.#savedAt = clock.now();
    if (this.#unsaved.size === 0) return;
    try {
      stores.transact(() => {
        for (const peer of this.#unsaved) {
          const row = this.get(peer);
          if (row === undefined) stores.candidates.remove(peer);
          else stores.candidates.put(row);
        }
      });
      this.#unsaved.clear();
    } catch (reason) {
      if (!(reason instanceof StorageFull)) throw reason;
    }
  }

  #put(row: CandidateRow): void {
    this.#known().set(row.peer, row);
    this.#changed(row.peer);
  }

  #changed(...peers: readonly PeerId[]): void {
    this.#inOrder = undefined;
    for (const peer of peers) this.#unsaved.add(peer);
    const now = this.#parts.clock.now();
    const isDue = this.#savedAt === undefined || Math.abs(now - this.#savedAt) >= savePauseMs;
    if (isDue) this.save();
  }

  /** Makes room first: for those that asked among themselves, then for all, those heard of last stay. */
  #add(row: CandidateRow): void {
    const { book, clock } = this.#parts;
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
    const rows = this.#known();
    for (const { peer } of surplus) rows.delete(peer);
    rows.set(row.peer, row);
    this.#changed(row.peer, ...surplus.map(({ peer }) => peer));
  }
}

function profileOrNothing(document: Bytes, peer: PeerId): Profile | undefined {
  const read = readProfile(document, peer);
  return read.ok ? read.value : undefined;
}

/** A peer that asks often is not noted each time. */
function isClose(before: Instant, now: Instant): boolean {
  return Math.abs(now - before) < minuteMs / 12;
}
