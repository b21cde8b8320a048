/**
 * Audits partners as often as was agreed (C16–C19, C47), and whenever a person asks.
 *
 * What is pending stays pending over restarts and reconnections: it is asked about again at every turn, and at once when a partner comes back.
 */
import { type LinkedAbort, linkedAbort } from '../base/linked-abort.ts';
import { type Instant, minuteMs } from '../base/units.ts';
import { auditCadence } from '../core/audits/audit-cadence.ts';
import type { AgreementId, PeerId } from '../core/vocabulary/ids.ts';
import { type AgreementRow, StorageBroken, StorageFull } from '../ports/stores.ts';
import { rememberedAudits } from './answered-audits.ts';
import { auditorLane, isAudited } from './audit-keeping.ts';
import { type AuditEvent, AuditSession, type AuditSessionParts } from './audit-session.ts';
import { AuditSpace } from './audit-space.ts';
import { facts } from './facts.ts';
import { Lane } from './lane.ts';
import type { Notifier } from './notifier.ts';
import { agreementOf } from './partner-space.ts';
import { TaskPool } from './task-pool.ts';

export interface AuditDeskParts extends AuditSessionParts {
  readonly changes: Notifier;
  /** Told of every turn, once its outcome is durable. */
  readonly onEvent: (event: AuditEvent) => void;
}

/** What there is to tell of the audits of one partner. */
export interface AuditStanding {
  readonly passed: number;
  readonly wrong: number;
  readonly pending: number;
  /** When a challenge was last opened. */
  readonly lastAt: Instant | undefined;
  /** When one was last passed. */
  readonly lastPassedAt: Instant | undefined;
}

/** Partners audited at the same time. */
const width = 4;
const longestRestMs: number = minuteMs;
/** Of the interval: how soon a turn that brought no proof is repeated. */
const repeatShare = 8;
const leastRestMs = 50;

export class AuditDesk {
  readonly #parts: AuditDeskParts;
  readonly #space: AuditSpace;
  readonly #lanes = new Map<AgreementId, Lane>();
  /** The last turn of each agreement in this life, and how long after it the next one is. */
  readonly #tried = new Map<
    AgreementId,
    { readonly at: Instant; readonly isDone: boolean; readonly restMs: number }
  >();
  #rest: LinkedAbort | undefined;

  constructor(parts: AuditDeskParts) {
    this.#parts = parts;
    this.#space = new AuditSpace(parts.stores, parts.clock);
  }

  /** Works until `signal` aborts. A disk that is full or failing is waited for. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#parts;
    while (!signal.aborted) {
      let restMs = longestRestMs;
      try {
        await this.round(signal);
        restMs = this.#restMs();
      } catch (reason) {
        if (!(reason instanceof StorageFull || reason instanceof StorageBroken)) throw reason;
        log.write('error', 'work.storage-failed', { reason: reason.name, detail: reason.message });
      }
      const rest = linkedAbort(signal);
      this.#rest = rest;
      await clock.sleep(restMs, rest.signal);
      rest.release();
    }
  }

  /** Audits every partner whose turn it is. */
  async round(signal: AbortSignal): Promise<void> {
    const pool = new TaskPool(width);
    for (const row of this.#audited())
      if (this.#dueInMs(row) <= 0 && !signal.aborted)
        await pool.start(async () => {
          await this.#turn(row, signal);
        });
    await pool.drain();
  }

  /** Audits a partner now; undefined when it is no partner, holds nothing, or `signal` aborted. */
  audit(
    partner: PeerId,
    options: { readonly blocks?: number; readonly signal: AbortSignal },
  ): Promise<AuditEvent | undefined> {
    const row = this.#parts.book.get(partner);
    return row === undefined
      ? Promise.resolve(undefined)
      : this.#turn(row, options.signal, options.blocks);
  }

  /** A partner that was away answered: what waits for it is asked about soon. */
  cameBack(partner: PeerId): void {
    const row = this.#parts.book.get(partner);
    if (row === undefined || this.#tried.get(row.agreement)?.isDone !== false) return;
    this.#tried.delete(row.agreement);
    this.#rest?.abort();
  }

  /** Audits the partner as soon as can be: a proof is owed. */
  soon(partner: PeerId): void {
    const row = this.#parts.book.get(partner);
    if (row === undefined) return;
    const at = this.#parts.clock.now();
    this.#tried.set(row.agreement, { at, isDone: false, restMs: 0 });
    this.#rest?.abort();
  }

  /** A challenge is under way: deletions at this partner wait. */
  awaits(agreement: AgreementId): boolean {
    return isAudited(this.#parts.stores, agreement);
  }

  standing(agreement: AgreementId): AuditStanding {
    const { audits } = this.#parts.stores;
    const lane = auditorLane(agreement);
    const { passed, wrong, lastAt } = this.#space.account(lane);
    const pending = audits.open(lane).filter(({ phase }) => phase === 'opened').length;
    const lastPassedAt = audits.settled(lane, 'passed', 1)[0]?.since;
    return { passed, wrong, pending, lastAt, lastPassedAt };
  }

  /** Signed transcripts of the latest audits, newest first, for the track record (src/core/audits/transcript.ts). */
  transcripts(agreement: AgreementId, outcome: 'passed' | 'wrong'): readonly Uint8Array[] {
    return this.#parts.stores.audits
      .settled(auditorLane(agreement), outcome, rememberedAudits)
      .map(({ document }) => document);
  }

  #turn(row: AgreementRow, signal: AbortSignal, blocks?: number): Promise<AuditEvent | undefined> {
    const lane = this.#lanes.get(row.agreement) ?? new Lane();
    this.#lanes.set(row.agreement, lane);
    return lane.run(async () => {
      const { clock, log, onEvent, changes } = this.#parts;
      const event = await new AuditSession(this.#parts, row, signal).run(blocks);
      const at = clock.now();
      const isDone = event === undefined || event.outcome === 'passed';
      const share = isDone && !this.awaits(row.agreement) ? 1 : repeatShare;
      this.#tried.set(row.agreement, { at, isDone, restMs: this.#intervalMs(row, at) / share });
      if (event === undefined) return undefined;
      const { partner, outcome, reason } = event;
      log.write(outcome === 'passed' ? 'debug' : 'warn', `audit.${outcome}`, { partner, reason });
      onEvent(event);
      changes.notify();
      return event;
    });
  }

  #audited(): readonly AgreementRow[] {
    const { book, stores } = this.#parts;
    if (facts.recovering(stores)) return [];
    return book.all().filter((row) => stores.ledger.head(row.agreement, 'owner') !== undefined);
  }

  #restMs(): number {
    const waits = this.#audited().map((row) => this.#dueInMs(row));
    return Math.min(longestRestMs, Math.max(leastRestMs, ...[Math.min(longestRestMs, ...waits)]));
  }

  /** Milliseconds until this partner's turn; a clock that was set back does not make it last. */
  #dueInMs(row: AgreementRow): number {
    const now = this.#parts.clock.now();
    const tried = this.#tried.get(row.agreement);
    if (tried === undefined && this.awaits(row.agreement)) return 0;
    const last = tried?.at ?? this.#space.account(auditorLane(row.agreement)).lastAt;
    if (last === undefined || last > now) return 0;
    const restMs = tried?.restMs ?? agreementOf(row).terms.auditIntervalMs;
    return last + restMs - now;
  }

  #intervalMs(row: AgreementRow, now: Instant): number {
    const { terms } = agreementOf(row);
    const shardCount = this.#parts.stores.audits
      .shards(auditorLane(row.agreement))
      .filter(({ deletedBy }) => deletedBy === undefined).length;
    return auditCadence(terms, { ageMs: now - row.since, shardCount }).intervalMs;
  }
}
