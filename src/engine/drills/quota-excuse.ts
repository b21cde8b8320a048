/**
 * Whether a partner that gives nothing, for the read quota is used up, may be right (C17, docs/protocol.md#read-quota).
 *
 * The quota of the day is lifted for whoever says that it restores, which a partner refuses only when two restores began in thirty days. So it may be right when all
 * of this holds: it has just refused to hear of a restore, for its quota; two were announced there within that time; and it gave something of late that
 * a day's quota could have been used up with. What is not known after a recovery, because an earlier life of this identity may have read there, is taken for granted
 * once, for as long as that life could matter.
 */
import { assert } from '../../base/assert.ts';
import { decodeCbor, encodeCbor } from '../../base/codec.ts';
import { dayMs, hourMs, type Instant } from '../../base/units.ts';
import { drillLeastBytes } from '../../core/agreements/daily-need.ts';
import type { AgreementId, PeerId } from '../../core/vocabulary/ids.ts';
import { readNotice } from '../../core/wire/notice.ts';
import type { Clock } from '../../ports/clock.ts';
import { StorageBroken, StorageFull, type Stores } from '../../ports/stores.ts';
import { facts } from '../facts.ts';
import { restoreMonthMs, restoresMaximum } from '../holding/read-quota.ts';
import type { PartnerBook } from '../partners/partner-book.ts';
import type { Notified } from '../partners/partner-client.ts';

export interface QuotaExcuseParts {
  /** Of this computer: it signs the notices. */
  readonly self: PeerId;
  readonly stores: Stores;
  readonly clock: Clock;
  readonly book: Pick<PartnerBook, 'get'>;
}

/** Two clocks that count thirty days do not come to their end at once. */
const monthMs: number = restoreMonthMs + dayMs;
/** Of a day's quota, which is three drills or so: a holder that is restarted often counts more than it gave. */
const noticeableBytes: number = drillLeastBytes / 4;
/** Days begin when it suits the holder. */
const recentMs: number = 2 * dayMs;

/** Durable, of one agreement. */
interface Account {
  /** When the newest restores were announced, which may have begun then. */
  readonly announced: readonly number[];
  /** When it last had given noticeably much within a day; 0: never. */
  readonly gaveAt: number;
  /** When it was first excused for what an earlier life may have read; 0: never. */
  readonly unsureSince: number;
}

export class QuotaExcuse {
  readonly #parts: QuotaExcuseParts;
  /** Partners that refused the last notice of a restore for their quota. */
  readonly #refused = new Set<PeerId>();
  readonly #given = new Map<AgreementId, { readonly since: number; readonly bytes: number }>();
  /** What there was no room for, too. */
  readonly #accounts = new Map<AgreementId, Account>();

  constructor(parts: QuotaExcuseParts) {
    this.#parts = parts;
  }

  /** A notice was sent; heeded when it says that this computer restores. One of which nobody knows whether it arrived may have. */
  notified({ peer, notice, failure }: Notified): void {
    const read = readNotice(notice, this.#parts.self);
    if (!read.ok || read.value.subject.type !== 'restoring') return;
    const isRefused = failure?.code === 'peer.refused';
    if (isRefused && failure.refusal === 'request.quota') this.#refused.add(peer);
    else this.#refused.delete(peer);
    if (isRefused || failure?.code === 'peer.unreachable') return;
    this.#change(read.value.agreement, (account) => ({
      ...account,
      announced: [...account.announced, this.#now()].slice(-restoresMaximum),
    }));
  }

  /** The partner gave so many bytes of shards. */
  gave(partner: PeerId, bytes: number): void {
    const agreement = this.#parts.book.get(partner)?.agreement;
    if (agreement === undefined) return;
    const now = this.#now();
    const before = this.#given.get(agreement);
    const goesOn = before !== undefined && Math.abs(now - before.since) < dayMs;
    const given = goesOn ? { ...before, bytes: before.bytes + bytes } : { since: now, bytes };
    this.#given.set(agreement, given);
    if (given.bytes < noticeableBytes) return;
    if (Math.abs(now - this.#account(agreement).gaveAt) < hourMs) return;
    this.#change(agreement, (account) => ({ ...account, gaveAt: now }));
  }

  /** The partner gives nothing for its read quota, and has been told that this computer restores. */
  mayBeUsedUp(partner: PeerId): boolean {
    const row = this.#parts.book.get(partner);
    if (row === undefined || !this.#refused.has(partner)) return false;
    const { announced, gaveAt } = this.#account(row.agreement);
    const began = announced.filter((at) => this.#isWithin(at, monthMs));
    if (began.length >= restoresMaximum && this.#isWithin(gaveAt, recentMs)) return true;
    return this.#isUnsure(row.agreement);
  }

  #isUnsure(agreement: AgreementId): boolean {
    if (facts.incarnation(this.#parts.stores) === 0) return false;
    const { unsureSince } = this.#account(agreement);
    if (unsureSince > 0) return this.#isWithin(unsureSince, monthMs);
    this.#change(agreement, (account) => ({ ...account, unsureSince: this.#now() }));
    return true;
  }

  #isWithin(at: number, ms: number): boolean {
    return at > 0 && Math.abs(this.#now() - at) < ms;
  }

  #account(agreement: AgreementId): Account {
    return this.#accounts.get(agreement) ?? read(this.#parts.stores, agreement);
  }

  /** In memory alone while the disk has no room for it. */
  #change(agreement: AgreementId, change: (account: Account) => Account): void {
    const account = change(this.#account(agreement));
    this.#accounts.set(agreement, account);
    const { announced, gaveAt, unsureSince } = account;
    try {
      this.#parts.stores.facts.put(
        nameOf(agreement),
        encodeCbor([[...announced], gaveAt, unsureSince]),
      );
    } catch (reason) {
      if (!(reason instanceof StorageFull || reason instanceof StorageBroken)) throw reason;
    }
  }

  #now(): Instant {
    return this.#parts.clock.now();
  }
}

function read({ facts: store }: Pick<Stores, 'facts'>, agreement: AgreementId): Account {
  const value = store.get(nameOf(agreement));
  if (value === undefined) return { announced: [], gaveAt: 0, unsureSince: 0 };
  const decoded = decodeCbor(value, 128);
  assert(decoded.ok && Array.isArray(decoded.value), 'what is known of a quota is a list');
  const [announced, gaveAt, unsureSince] = decoded.value as [number[], number, number];
  return { announced, gaveAt, unsureSince };
}

function nameOf(agreement: AgreementId): string {
  return `quota-known ${agreement}`;
}
