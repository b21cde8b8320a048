/**
 * Audits partners as often as was agreed (C16–C19, C47), and whenever a person asks.
 *
 * What is pending stays pending over restarts and reconnections: it is asked about again at every turn, and at once when a partner comes back.
 */
import { type LinkedAbort, linkedAbort } from '../../base/linked-abort.ts';
import { type Instant, minuteMs, secondMs } from '../../base/units.ts';
import { auditCadence } from '../../core/audits/audit-cadence.ts';
import type { AgreementId, PeerId } from '../../core/vocabulary/ids.ts';
import { type AgreementRow, StorageBroken, StorageFull } from '../../ports/stores.ts';
import { facts } from '../facts.ts';
import { agreementOf } from '../partners/partner-space.ts';
import { Lane } from '../sending/lane.ts';
import type { Notifier } from '../work/notifier.ts';
import { TaskPool } from '../work/task-pool.ts';
import { rememberedAudits } from './answered-audits.ts';
import type { AuditEvent } from './audit-event.ts';
import { auditorLane, isAudited } from './audit-keeping.ts';
import { AuditSession, type AuditSessionParts } from './audit-session.ts';
import { AuditSpace } from './audit-space.ts';

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

/** Turns that go on by themselves. */
interface Running {
  readonly turns: Map<AgreementId, Promise<void>>;
  failure: { readonly reason: unknown } | undefined;
}

/** Partners audited at the same time. */
const width = 8;
const longestRestMs: number = minuteMs;
/** While there are no partners. */
const idleMs: number = 5 * secondMs;
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
  /** When those were first seen in this life that were never audited. */
  readonly #seen = new Map<AgreementId, Instant>();
  /** How the last audit of each agreement ended. */
  readonly #outcomes = new Map<AgreementId, AuditEvent['outcome']>();
  #rest: LinkedAbort | undefined;

  constructor(parts: AuditDeskParts) {
    this.#parts = parts;
    this.#space = new AuditSpace(parts.stores, parts.clock);
  }

  /** Works until `signal` aborts. A disk that is full or failing is waited for. No partner waits for another: one that cannot be reached takes long to show that. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    const running: Running = { turns: new Map(), failure: undefined };
    while (!signal.aborted) {
      const rest = linkedAbort(signal);
      this.#rest = rest;
      let restMs = longestRestMs;
      await this.#guarded(async () => {
        this.#startDue(running, signal);
        restMs = this.#restMs(running);
      });
      await clock.sleep(restMs, rest.signal);
      rest.release();
      if (running.failure !== undefined) throw running.failure.reason;
    }
    await Promise.all(running.turns.values());
  }

  #startDue(running: Running, signal: AbortSignal): void {
    const { turns } = running;
    for (const row of this.#audited()) {
      if (turns.size >= width) return;
      if (turns.has(row.agreement) || this.#turnInMs(row) > 0) continue;
      const turn = this.#guarded(async () => {
        // Where storage fails, it is not tried again before a while.
        const at = this.#parts.clock.now();
        this.#tried.set(row.agreement, { at, isDone: false, restMs: longestRestMs });
        await this.#turn(row, signal);
      })
        .catch((reason: unknown) => {
          running.failure = { reason };
        })
        .finally(() => {
          turns.delete(row.agreement);
          this.#rest?.abort();
        });
      turns.set(row.agreement, turn);
    }
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (reason) {
      if (!(reason instanceof StorageFull || reason instanceof StorageBroken)) throw reason;
      const reported = { reason: reason.name, detail: reason.message };
      this.#parts.log.write('error', 'work.storage-failed', reported);
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
      if (this.#isNews(row, event)) changes.notify();
      return event;
    });
  }

  /** Whether others who work for this partner have to look again: most audits end as the one before did, and wake nobody. */
  #isNews({ agreement, partner }: AgreementRow, { outcome, findings }: AuditEvent): boolean {
    const before = this.#outcomes.get(agreement);
    this.#outcomes.set(agreement, outcome);
    if (outcome !== before || findings.length > 0) return true;
    // Deletions wait for audits that are under way.
    return this.#parts.stores.layouts.retired().some((left) => left.partner === partner);
  }

  #audited(): readonly AgreementRow[] {
    const { book, stores } = this.#parts;
    if (facts.recovering(stores)) return [];
    return book
      .all()
      .filter(
        (row) => stores.ledger.head(row.agreement, 'owner') !== undefined || this.#inherits(row),
      );
  }

  /** After a disaster: it holds something of ours, and what it signed for that is not known here yet. */
  #inherits({ partner }: AgreementRow): boolean {
    return this.#parts.stores.shards.ofPartner(partner).some(({ phase }) => phase === 'held');
  }

  #restMs({ turns }: Running): number {
    const audited = this.#audited().filter(({ agreement }) => !turns.has(agreement));
    const waits = turns.size >= width ? [] : audited.map((row) => this.#turnInMs(row));
    // Of those that hold nothing yet it is not told when they do.
    const others = this.#parts.book.all().filter((row) => !audited.includes(row));
    const intervals = others.map((row) => agreementOf(row).terms.auditIntervalMs);
    const soonest = Math.min(
      audited.length + others.length === 0 ? idleMs : longestRestMs,
      ...waits,
      ...intervals,
    );
    return Math.max(leastRestMs, soonest);
  }

  /** The same, but one that was never audited is left alone for a while: what it holds is still on its way. */
  #turnInMs(row: AgreementRow): number {
    const { agreement } = row;
    const isNew = !this.#tried.has(agreement) && !this.awaits(agreement);
    if (!isNew || this.#space.account(auditorLane(agreement)).lastAt !== undefined)
      return this.#dueInMs(row);
    const now = this.#parts.clock.now();
    const seenAt = this.#seen.get(agreement) ?? now;
    this.#seen.set(agreement, seenAt);
    const restMs = Math.min(longestRestMs, agreementOf(row).terms.auditIntervalMs);
    return Math.min(restMs, seenAt + restMs - now);
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
    const shardCount = this.#space.presentCount(auditorLane(row.agreement));
    return auditCadence(terms, { ageMs: now - row.since, shardCount }).intervalMs;
  }
}
