/**
 * Keeps where each partnership stands (C30, C46): steps its lifecycle on answers, misses, proofs, notices and time, and writes what came of it.
 *
 * State and phase are written together, before anything is done about them. Everything that is done can be done again: after a crash the state alone says
 * what is still to do.
 */
import { assert } from '../../base/assert.ts';
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import { type Instant, instant, secondMs } from '../../base/units.ts';
import type { LedgerPlace } from '../../core/agreements/acknowledgement.ts';
import { endOf } from '../../core/agreements/replacement.ts';
import { lossNoticeGraces, stepLifecycle } from '../../core/partners/lifecycle.ts';
import { decodeLifecycle, encodeLifecycle } from '../../core/partners/lifecycle-codec.ts';
import type { LifecycleEffect, LifecycleEvent } from '../../core/partners/lifecycle-event.ts';
import { isInForce } from '../../core/partners/lifecycle-phase.ts';
import {
  type CommitmentStep,
  cleanMs,
  earlierPlace,
  hasOpenCommitment,
  inCommitment,
  isRenewable,
  keptUntil,
  type LifecyclePeriods,
  type LifecycleState,
  lifecyclePeriods,
  lifecycleStart,
  openStepOf,
  restorableFrom,
  restoresAllowed,
} from '../../core/partners/lifecycle-state.ts';
import { excusedCommitments } from '../../core/partners/lifecycle-time.ts';
import type { AgreementId, PeerId } from '../../core/vocabulary/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { AgreementRow, Stores } from '../../ports/stores.ts';
import type { Notifier } from '../work/notifier.ts';
import { agreementOf } from './partner-space.ts';

export interface LifecycleKeeperParts {
  readonly stores: Stores;
  readonly clock: Clock;
  readonly log: EventLog;
  readonly changes: Notifier;
  /** T_r. */
  readonly spareAfterMs: number;
  /** Whether the partner can be asked for proof of what it holds; otherwise an answer is enough to come back. */
  readonly proves: (row: AgreementRow) => boolean;
  /** Whether the last that it was sent of late it did not take in; left out: all do. */
  readonly refusesRoom?: (row: AgreementRow) => boolean;
  /** Told of every effect once its state is durable; the row is the one after it. */
  readonly onEffect: (row: AgreementRow, effect: LifecycleEffect) => void;
}

/** What a partner may still hold to be in commitment: all that it has of ours, or what it took in after its terms grew. */
export type StillCommitted = 'everything' | 'what-came-later' | 'nothing';

/** `since`: where the oldest growth began whose commitment runs. */
export type OpenStep = CommitmentStep & { readonly since: LedgerPlace };

type Timeless<Event> = Event extends LifecycleEvent ? Omit<Event, 'now'> : never;

/** What happens to a partnership; when, the keeper knows. */
export type PartnerEvent = Timeless<LifecycleEvent>;

const readMaximum = 1_024;

export class LifecycleKeeper {
  readonly #parts: LifecycleKeeperParts;
  /** Asked for with every stretch that is read. */
  readonly #readable = new Map<PeerId, { readonly at: Instant; readonly allowed: boolean }>();
  /** What stored lifecycles came to when they were last decoded: they are asked for with every answer, and seldom change. */
  readonly #read = new Map<
    AgreementId,
    { readonly bytes: Bytes; readonly state: LifecycleState }
  >();

  constructor(parts: LifecycleKeeperParts) {
    this.#parts = parts;
  }

  /** The row of an agreement that comes into force now. */
  begun(row: AgreementRow): AgreementRow {
    const state = lifecycleStart(this.periodsOf(row), this.#parts.clock.now());
    return { ...row, phase: state.phase, lifecycle: encodeLifecycle(state) };
  }

  stateOf(row: AgreementRow): LifecycleState {
    assert(row.phase !== 'proposed', 'a proposal has no lifecycle');
    if (row.lifecycle === undefined) return this.#firstState(row);
    const known = this.#read.get(row.agreement);
    if (known !== undefined && equalBytes(known.bytes, row.lifecycle)) return known.state;
    const state = decodeLifecycle(row.lifecycle);
    assert(state.ok, 'a stored lifecycle is well formed');
    if (this.#read.size >= readMaximum) this.#read.clear();
    this.#read.set(row.agreement, { bytes: row.lifecycle, state: state.value });
    return state.value;
  }

  periodsOf(row: AgreementRow): LifecyclePeriods {
    const agreement = agreementOf(row);
    return lifecyclePeriods(agreement.terms, {
      spareMs: this.#parts.spareAfterMs,
      proves: this.#parts.proves(row),
      refusesRoom: this.#parts.refusesRoom?.(row) ?? false,
      endsAt: endOf(agreement),
    });
  }

  /** An answer of a partner, which is most of what happens: nothing is written unless it had failed before. */
  answered(peer: PeerId): void {
    const row = this.#inForce(peer);
    if (row?.lifecycle === undefined) return;
    const { unanswered, unproved, cause, proofsOwed, failingMs } = this.stateOf(row);
    if (!unanswered && !unproved && cause === undefined && proofsOwed + failingMs === 0) return;
    this.#step(row, { type: 'answered', now: this.#now() });
  }

  /** Something happened to the partnership with this peer, if there is one; gives its row afterwards. */
  happened(peer: PeerId, event: PartnerEvent): AgreementRow | undefined {
    const row = this.#inForce(peer) ?? this.#former(peer);
    return row && this.#step(row, { ...event, now: this.#now() });
  }

  /** It says that it lost everything: forgiven once in three G, and whenever it had nothing (`hadAny`) to lose. */
  lostAll(peer: PeerId, hadAny: boolean): void {
    const row = this.#inForce(peer);
    if (row === undefined) return;
    const before = this.stateOf(row).lossNoticedAt;
    const restMs = lossNoticeGraces * agreementOf(row).terms.graceMs;
    const isForgiven = before === undefined || Math.abs(this.#now() - before) >= restMs;
    this.happened(peer, { type: 'loss-noticed' });
    if (hadAny && !isForgiven) this.happened(peer, { type: 'lost-again' });
  }

  /** `ranMs`: how long this computer ran, on line, since the last tick; `rate` as in counted-time.ts. All partnerships are written in one step. */
  tick(ranMs: number, rate: number): void {
    const { stores } = this.#parts;
    const rows = stores.agreements.all().filter((row) => this.#lives(row));
    if (rows.length === 0) return;
    const event: LifecycleEvent = { type: 'tick', now: this.#now(), ranMs, rate };
    const told = stores.transact(() => rows.map((row) => this.#write(row, event)));
    for (const { row, effects } of told) this.#tell(row, effects);
  }

  /** What a crash may have left undone: what former partners stored here and nobody serves any more. */
  resume(): void {
    for (const row of this.former())
      if (!this.#isKept(row)) this.#parts.onEffect(row, { type: 'discard' });
  }

  /** Agreements that reneging or an end took out of force. */
  former(): readonly AgreementRow[] {
    return this.#parts.stores.agreements
      .all()
      .filter(({ phase }) => phase !== 'proposed' && !isInForce(phase));
  }

  /** Restores are made from this partner, and honoured (C30). */
  mayRestore(row: AgreementRow): boolean {
    return restoresAllowed(this.stateOf(row), this.periodsOf(row));
  }

  /** The growth of its terms after which a partner stored a shard here, at this place of its ledger, while the commitment of that runs. */
  openStep(row: AgreementRow, place: LedgerPlace): OpenStep | undefined {
    if (row.phase === 'proposed') return undefined;
    const state = this.stateOf(row);
    const step = openStepOf(state, place);
    return step && { ...step, since: state.steps.map(({ theirs }) => theirs).reduce(earlierPlace) };
  }

  /** Restores may be made from this peer; true for those that are no partners, who say so themselves. */
  mayReadFrom(peer: PeerId): boolean {
    const now = this.#now();
    const known = this.#readable.get(peer);
    if (known !== undefined && Math.abs(now - known.at) < secondMs) return known.allowed;
    const row = this.#inForce(peer);
    const allowed = row === undefined || this.mayRestore(row);
    this.#readable.set(peer, { at: now, allowed });
    return allowed;
  }

  /** A former partner whose shards are still here. */
  kept(peer: PeerId): AgreementRow | undefined {
    const row = this.#former(peer);
    return row !== undefined && this.#isKept(row) ? row : undefined;
  }

  /** A former partner that may come back by its own will. */
  isRenewable(row: AgreementRow): boolean {
    return isRenewable(this.stateOf(row), this.periodsOf(row), this.#now());
  }

  /** Of what it may rightly say that its commitment is not over: it counts for itself, and is on line less than we are. */
  mayStillCommit(peer: PeerId): StillCommitted {
    const row = this.#inForce(peer);
    if (row === undefined || row.phase === 'proposed') return 'nothing';
    const [state, periods] = [this.stateOf(row), this.periodsOf(row)];
    if (inCommitment(state, periods) || state.committedAt === undefined) return 'everything';
    const excusedMs = (excusedCommitments - 1) * periods.commitmentMs;
    if (this.#now() - state.committedAt < excusedMs) return 'everything';
    return state.steps.length + state.settled.length > 0 ? 'what-came-later' : 'nothing';
  }

  /** It has been silent for T_r: what it holds is to be placed elsewhere as well. */
  spareWanted(row: AgreementRow): boolean {
    return row.phase !== 'proposed' && row.lifecycle !== undefined && this.stateOf(row).spared;
  }

  /** How long it has been a clean partner. */
  cleanMs(row: AgreementRow): number {
    return cleanMs(this.stateOf(row), this.#now());
  }

  /** When restores are possible, the grace period ends, and a notice ends; undefined where there is nothing to wait for. */
  datesOf(row: AgreementRow): {
    readonly commitmentEndsAt: Instant | undefined;
    readonly graceEndsAt: Instant | undefined;
    readonly leavesAt: Instant | undefined;
  } {
    if (row.phase === 'proposed')
      return { commitmentEndsAt: undefined, graceEndsAt: undefined, leavesAt: undefined };
    const [state, periods, now] = [this.stateOf(row), this.periodsOf(row), this.#now()];
    const fails = state.cause !== undefined && isInForce(state.phase);
    const left = Math.max(0, periods.graceMs - state.failingMs);
    return {
      commitmentEndsAt: hasOpenCommitment(state, periods)
        ? restorableFrom(state, periods, now)
        : undefined,
      graceEndsAt: fails ? instant(now + Math.ceil(left)) : undefined,
      leavesAt: state.leaving?.until,
    };
  }

  /**
   * A partnership of which nothing was written yet: from an invite, or adopted with a manifest. How much of its commitment is over is guessed by the calendar,
   * from its first agreement; when that has been replaced it is taken to be over. The partner, who counts, decides.
   */
  #firstState(row: AgreementRow): LifecycleState {
    const [{ start, replaces, terms }, periods] = [agreementOf(row), this.periodsOf(row)];
    const now = this.#now();
    const { commitmentMs } = terms;
    const passedMs = replaces === undefined ? now - Math.min(row.since, start) : commitmentMs;
    const committedMs = Math.min(commitmentMs, Math.max(0, passedMs));
    const committedAt = committedMs < commitmentMs ? undefined : now;
    const state = { ...lifecycleStart(periods, now), since: row.since, committedMs, committedAt };
    const good = inCommitment(state, periods) ? 'in-commitment' : 'standing';
    const phase = row.phase === 'proposed' || row.phase === 'in-commitment' ? good : row.phase;
    return { ...state, phase: phase === 'standing' ? good : phase, cleanSince: row.since };
  }

  #step(row: AgreementRow, event: LifecycleEvent): AgreementRow {
    const written = this.#write(row, event);
    this.#tell(written.row, written.effects);
    return written.row;
  }

  #write(
    row: AgreementRow,
    event: LifecycleEvent,
  ): { readonly row: AgreementRow; readonly effects: readonly LifecycleEffect[] } {
    const { state, effects } = stepLifecycle(this.stateOf(row), event, this.periodsOf(row));
    const lifecycle = encodeLifecycle(state);
    const same = row.lifecycle !== undefined && equalBytes(row.lifecycle, lifecycle);
    const next = { ...row, phase: state.phase, lifecycle };
    if (!same || row.phase !== state.phase) this.#parts.stores.agreements.put(next);
    return { row: next, effects };
  }

  #tell(row: AgreementRow, effects: readonly LifecycleEffect[]): void {
    const { log, changes, onEffect } = this.#parts;
    for (const effect of effects) {
      log.write('info', `partner.${effect.type}`, { partner: row.partner, phase: row.phase });
      onEffect(row, effect);
    }
    if (effects.length > 0) changes.notify();
  }

  #lives(row: AgreementRow): boolean {
    if (row.phase === 'proposed') return false;
    return row.phase !== 'ended' || this.stateOf(row).keptLeftMs > 0;
  }

  #inForce(peer: PeerId): AgreementRow | undefined {
    const { agreements } = this.#parts.stores;
    const newest = agreements.ofPartner(peer);
    if (newest === undefined || isInForce(newest.phase)) return newest;
    return agreements.all().find((row) => row.partner === peer && isInForce(row.phase));
  }

  /** The newest that reneged or ended. */
  #former(peer: PeerId): AgreementRow | undefined {
    return this.#parts.stores.agreements
      .all()
      .findLast(
        ({ partner, phase }) => partner === peer && !isInForce(phase) && phase !== 'proposed',
      );
  }

  #isKept(row: AgreementRow): boolean {
    return keptUntil(this.stateOf(row), this.#now()) !== 'not-kept';
  }

  #now(): Instant {
    return this.#parts.clock.now();
  }
}
