/**
 * How much owners may read back (DESIGN §8; RESEARCH §2, bandwidth theft): so many times their daily need in a day, and all of it several times over while they
 * restore, which they say beforehand, at most twice in thirty days.
 *
 * What is read is charged before it is sent, ahead and in steps, so that the account is durable without a write for each request: a restart costs the owner
 * at most one step, and gives it nothing. Blocks that answered seals drew count as well; audits have an account of their own (audit-quota.ts) and are never
 * refused for what was read. A full disk refuses no read (read-accounts.ts).
 */
import { assert } from '../../base/assert.ts';
import { decodeCbor, encodeCbor } from '../../base/codec.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { dayMs, type Instant, instant, mebi, minuteMs } from '../../base/units.ts';
import { dailyNeedBytes } from '../../core/agreements/daily-need.ts';
import type { AgreementId, PeerId } from '../../core/vocabulary/ids.ts';
import { blockBytes } from '../../core/vocabulary/limits.ts';
import type { Refusal } from '../../core/wire/refusal.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { AgreementRow, Stores } from '../../ports/stores.ts';
import { answererLane } from '../audits/answered-audits.ts';
import { agreementOf } from '../partners/partner-space.ts';
import { ReadAccounts } from './read-accounts.ts';

export interface ReadQuotaParts {
  readonly stores: Stores;
  readonly clock: Clock;
  readonly log: EventLog;
}

/** What an owner may still read. */
export interface ReadAllowance {
  /** Of the present day. */
  readonly leftBytes: number;
  readonly quotaBytes: number;
  /** It restores until then at the latest, and may read so much for it. */
  readonly restoring: { readonly until: Instant; readonly leftBytes: number } | undefined;
}

/** A restore lifts the quota for so long at most, … */
export const restoreMs: number = 15 * dayMs;
/** … at most so often … */
export const restoresMaximum = 2;
/** … in so long a time, … */
export const restoreMonthMs: number = 30 * dayMs;
/** … and for so many times what is held, for shards are asked for twice where partners are slow, and what was cut off begins again. */
export const restoreFactor = 4;
/** … and this much more. */
const restoreLeastBytes: number = 256 * mebi;

/** The durable account is this part of a quota ahead of what was read. */
const stepShare = 1 / 16;
const countedMs: number = minuteMs;

interface Tally {
  readonly since: number;
  readonly bytes: number;
}

/** Of one owner. What is `paid` is durable; `used` is what was read of it. */
interface Account {
  day: { since: number; used: number; paid: number };
  restores: { since: number; used: number; paid: number }[];
}

export class ReadQuota {
  readonly #parts: ReadQuotaParts;
  readonly #kept: ReadAccounts;
  readonly #accounts = new Map<AgreementId, Account>();
  readonly #held = new Map<PeerId, { readonly bytes: number; readonly at: Instant }>();

  constructor(parts: ReadQuotaParts) {
    this.#parts = parts;
    this.#kept = new ReadAccounts(parts.stores.facts);
  }

  /** Makes durable what the disk had no room for. */
  settle(): void {
    this.#kept.settle();
  }

  /** Charges what is about to be read, or refuses it. */
  take(agreement: AgreementRow, bytes: number): Outcome<undefined, Refusal> {
    const account = this.#account(agreement);
    const restore = this.#running(account);
    if (restore !== undefined) {
      const cap = this.#restoreBytes(agreement);
      if (restore.used + bytes <= cap) {
        this.#charge(agreement, restore, { bytes, stepBytes: cap * stepShare });
        return succeeded(undefined);
      }
    }
    const { leftBytes, quotaBytes } = this.#day(agreement, account);
    if (bytes > leftBytes) return this.#refused(agreement, quotaBytes);
    this.#charge(agreement, account.day, { bytes, stepBytes: quotaBytes * stepShare });
    return succeeded(undefined);
  }

  /** The owner says that it restores. Said again while that lasts, nothing changes. */
  restoring(agreement: AgreementRow): Outcome<undefined, Refusal> {
    const account = this.#account(agreement);
    const running = this.#running(account);
    // One that is nearly used up makes way for the next.
    const cap = this.#restoreBytes(agreement);
    if (running !== undefined && running.used < cap * (1 - stepShare)) return succeeded(undefined);
    const now = this.#parts.clock.now();
    const recent = account.restores.filter(({ since }) => Math.abs(now - since) < restoreMonthMs);
    if (recent.length >= restoresMaximum)
      return failed({
        code: 'request.quota',
        detail: `${restoresMaximum} restores began in the last 30 days`,
      });
    account.restores = [...recent, { since: now, used: 0, paid: 0 }];
    this.#write(agreement, account);
    this.#parts.log.write('info', 'quota.lifted', { owner: agreement.partner });
    return succeeded(undefined);
  }

  allowance(agreement: AgreementRow): ReadAllowance {
    const account = this.#account(agreement);
    const restore = this.#running(account);
    const { leftBytes, quotaBytes } = this.#day(agreement, account);
    return {
      leftBytes,
      quotaBytes,
      restoring: restore && {
        until: instant(restore.since + restoreMs),
        leftBytes: Math.max(0, this.#restoreBytes(agreement) - restore.used),
      },
    };
  }

  #day(
    agreement: AgreementRow,
    account: Account,
  ): { readonly leftBytes: number; readonly quotaBytes: number } {
    const now = this.#parts.clock.now();
    const age = now - account.day.since;
    // A clock that was set back begins a day as well.
    if (age < 0 || age >= dayMs) account.day = { since: now, used: 0, paid: 0 };
    const { terms } = agreementOf(agreement);
    const ageMs = Math.max(0, now - agreement.since);
    const heldBytes = this.#heldBytes(agreement.partner);
    const quotaBytes = terms.readQuota * dailyNeedBytes(terms, { ageMs, heldBytes });
    const used = account.day.used + this.#drawnBytes(agreement, now);
    return { leftBytes: Math.max(0, quotaBytes - used), quotaBytes };
  }

  /** Blocks that answered seals drew today. */
  #drawnBytes(agreement: AgreementRow, now: Instant): number {
    const drawn = this.#parts.stores.audits.account(answererLane(agreement));
    if (drawn === undefined) return 0;
    const age = now - drawn.dayStart;
    return age >= 0 && age < dayMs ? drawn.drawnBlocks * blockBytes : 0;
  }

  #restoreBytes({ partner }: AgreementRow): number {
    return restoreFactor * this.#heldBytes(partner) + restoreLeastBytes;
  }

  /** The latest restore, as long as it lasts. */
  #running(account: Account): Account['restores'][number] | undefined {
    const now = this.#parts.clock.now();
    const latest = account.restores.at(-1);
    return latest !== undefined && Math.abs(now - latest.since) < restoreMs ? latest : undefined;
  }

  #charge(
    agreement: AgreementRow,
    of: { used: number; paid: number },
    { bytes, stepBytes }: { readonly bytes: number; readonly stepBytes: number },
  ): void {
    of.used += bytes;
    if (of.used <= of.paid) return;
    of.paid = of.used + Math.floor(stepBytes);
    this.#write(agreement, this.#account(agreement));
  }

  #heldBytes(owner: PeerId): number {
    const { stores, clock } = this.#parts;
    const now = clock.now();
    const known = this.#held.get(owner);
    if (known !== undefined && Math.abs(now - known.at) < countedMs) return known.bytes;
    const bytes = stores.held.blockCount(owner) * blockBytes;
    this.#held.set(owner, { bytes, at: now });
    return bytes;
  }

  #refused(agreement: AgreementRow, quotaBytes: number): Outcome<never, Refusal> {
    this.#parts.log.write('warn', 'quota.used-up', { owner: agreement.partner });
    return failed({
      code: 'request.quota',
      detail: `${quotaBytes} bytes a day may be read unless a restore was announced`,
    });
  }

  #account(agreement: AgreementRow): Account {
    const known = this.#accounts.get(agreement.agreement);
    if (known !== undefined) return known;
    const stored = this.#read(agreement) ?? { day: { since: 0, bytes: 0 }, restores: [] };
    const open = ({ since, bytes }: Tally) => ({ since, used: bytes, paid: bytes });
    const account = { day: open(stored.day), restores: stored.restores.map(open) };
    this.#accounts.set(agreement.agreement, account);
    return account;
  }

  #write(agreement: AgreementRow, { day, restores }: Account): void {
    const closed = restores.map(({ since, paid }) => [since, paid]);
    this.#kept.put(nameOf(agreement), encodeCbor([day.since, day.paid, closed]));
  }

  #read(
    agreement: AgreementRow,
  ): { readonly day: Tally; readonly restores: readonly Tally[] } | undefined {
    const value = this.#kept.get(nameOf(agreement));
    if (value === undefined) return undefined;
    const decoded = decodeCbor(value, 256);
    assert(decoded.ok && Array.isArray(decoded.value), 'an account of reads is a list');
    const [since, bytes, restores] = decoded.value as [number, number, [number, number][]];
    return {
      day: { since, bytes },
      restores: restores.map(([at, paid]) => ({ since: at, bytes: paid })),
    };
  }
}

function nameOf({ agreement }: AgreementRow): string {
  return `read-quota ${agreement}`;
}
