/**
 * Watches the partners, and this computer itself: when they are there, how fast they are, what they say of themselves (C24, C26).
 *
 * Every request, ours or theirs, is a sign; whoever gave no answer for a while is asked for its profile. What passes between two signs counts as the first of them
 * found it. When nobody at all answers the fault is most likely ours, and nothing counts against anybody.
 */
import { equalBytes } from '../../base/bytes.ts';
import { type Instant, minuteMs, secondMs } from '../../base/units.ts';
import { countedRate, fastestRate } from '../../core/partners/counted-time.ts';
import {
  beginObservation,
  decodeObservation,
  encodeObservation,
  type Observation,
  observeProof,
  observeStretch,
  observeTransfer,
  type Transfer,
} from '../../core/partners/observation.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import { readProfile } from '../../core/wire/profile.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { Random } from '../../ports/random.ts';
import { StorageFull, type Stores } from '../../ports/stores.ts';
import { facts } from '../facts.ts';
import { jittered } from '../work/jitter.ts';
import { TaskPool } from '../work/task-pool.ts';
import { BusyTime } from './busy-time.ts';
import type { LifecycleKeeper } from './lifecycle-keeper.ts';
import type { PartnerBook } from './partner-book.ts';
import type { PartnerClient } from './partner-client.ts';

export interface PartnerWatchParts {
  readonly self: PeerId;
  readonly stores: Stores;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: EventLog;
  readonly book: PartnerBook;
  readonly client: PartnerClient;
  readonly keeper: LifecycleKeeper;
  readonly probeIntervalMs: number;
  /** The shortest grace period that is agreed on: time is counted in much smaller steps. */
  readonly graceMs: number;
}

/** The last sign of a partner. */
interface Mark {
  readonly at: Instant;
  readonly online: boolean;
}

const probesAtOnce = 16;
/** Signs closer together than this are one. */
const closeMs: number = 5 * secondMs;
const tickMostMs: number = 10 * minuteMs;
/** Between signs further apart than so many intervals nobody watched. */
const unwatchedIntervals = 2.5;

export class PartnerWatch {
  readonly #parts: PartnerWatchParts;
  readonly #marks = new Map<PeerId, Mark>();
  readonly #observations = new Map<PeerId, Observation>();
  readonly #changed = new Set<PeerId>();
  readonly #busy: Readonly<Record<Transfer['direction'], BusyTime>>;
  /** When partners answered last; nothing for those that did not when they were asked since. */
  readonly #answers = new Map<PeerId, Instant>();
  /** When any peer at all answered. */
  #answeredAt: Instant | undefined;
  #tickedAt: Instant | undefined;
  /** Partners that are being asked now. */
  readonly #asking = new Map<PeerId, Promise<void>>();
  /** What nobody foresaw while one was asked. */
  #broken: { readonly reason: unknown } | undefined;
  #probedAt: Instant | undefined;

  constructor(parts: PartnerWatchParts) {
    this.#parts = parts;
    this.#busy = { up: new BusyTime(parts.clock), down: new BusyTime(parts.clock) };
  }

  /** A peer answered, or did not. */
  sign(peer: PeerId, online: boolean): void {
    const { book, clock, keeper } = this.#parts;
    const now = clock.now();
    if (online) this.#answeredAt = now;
    if (book.get(peer) === undefined) return;
    this.#mark(peer, { at: now, online });
    if (online) {
      this.#answers.set(peer, now);
      keeper.answered(peer);
      return;
    }
    this.#answers.delete(peer);
    if (this.isOnline()) keeper.happened(peer, { type: 'missed' });
  }

  /** A peer asked something, so it is there. That it answers is another matter: whoever only asks holds nothing for us that we could get back. */
  asked(peer: PeerId): void {
    const { book, clock } = this.#parts;
    if (book.get(peer) !== undefined) this.#mark(peer, { at: clock.now(), online: true });
  }

  /** Bytes go to a peer or come from it; call what is given when they stop, with how many went well. */
  transferring(peer: PeerId, direction: Transfer['direction']): (bytes: number) => void {
    const { clock, self } = this.#parts;
    const began = clock.now();
    const busy = this.#busy[direction];
    busy.begin();
    return (bytes) => {
      const whole = busy.end(bytes);
      if (whole !== undefined)
        this.#observe(self, (seen) => observeTransfer(seen, { direction, ...whole }));
      if (this.#parts.book.get(peer) === undefined) return;
      const durationMs = Math.max(1, clock.now() - began);
      this.#observe(peer, (seen) => observeTransfer(seen, { direction, bytes, durationMs }));
    };
  }

  /** The partner proved that it holds what it was asked for. */
  proved(peer: PeerId): void {
    const { book, clock, keeper } = this.#parts;
    if (book.get(peer) === undefined) return;
    this.#observe(peer, (seen) => observeProof(seen, clock.now()));
    keeper.happened(peer, { type: 'proved' });
  }

  /** What was measured of a peer, or of this computer; undefined: nothing. */
  observationOf(peer: PeerId): Observation | undefined {
    const known = this.#observations.get(peer);
    if (known !== undefined) return known;
    const stored = this.#parts.stores.observations.get(peer);
    const decoded = stored && decodeObservation(stored);
    return decoded?.ok ? decoded.value : undefined;
  }

  own(): Observation | undefined {
    return this.observationOf(this.#parts.self);
  }

  /** This computer has reason to think that it could reach others: somebody answered of late, or there is hardly anybody who could. */
  isOnline(): boolean {
    const { book, clock, probeIntervalMs } = this.#parts;
    if (book.all().length < 2) return true;
    const at = this.#answeredAt;
    return at !== undefined && clock.now() - at <= unwatchedIntervals * probeIntervalMs;
  }

  /** Watches until `signal` aborts, as the loops of the engine do. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#parts;
    await this.#guarded(async () => this.#noteAbsence());
    while (!signal.aborted) {
      await this.#guarded(async () => this.#round(signal));
      await clock.sleep(jittered(this.#tickMs(), random), signal);
      if (this.#broken !== undefined) throw this.#broken.reason;
    }
    await Promise.all(this.#asking.values());
    await this.#guarded(async () => this.#save());
  }

  /** Asks every partner now. */
  async probeAll(signal: AbortSignal): Promise<void> {
    await this.#probe(
      this.#parts.book.all().map(({ partner }) => partner),
      signal,
    );
  }

  #tickMs(): number {
    const { probeIntervalMs, graceMs } = this.#parts;
    return Math.min(tickMostMs, probeIntervalMs, Math.max(secondMs / 4, graceMs / 16));
  }

  /** Time is counted while partners are being asked: one that cannot be reached takes long to show that. */
  #round(signal: AbortSignal): void {
    this.#tick();
    const { clock, probeIntervalMs } = this.#parts;
    const now = clock.now();
    const since = this.#probedAt === undefined ? undefined : now - this.#probedAt;
    if (since === undefined || since < 0 || since >= probeIntervalMs - this.#tickMs() / 2) {
      this.#probedAt = now;
      for (const peer of this.#unheard()) this.#startAsking(peer, signal);
    }
    this.#save();
  }

  #startAsking(peer: PeerId, signal: AbortSignal): void {
    if (this.#asking.has(peer) || this.#asking.size >= probesAtOnce) return;
    const asked = this.#guarded(() => this.#ask(peer, signal))
      .catch((reason: unknown) => {
        this.#broken = { reason };
      })
      .finally(() => {
        this.#asking.delete(peer);
      });
    this.#asking.set(peer, asked);
  }

  /** Partners without a recent answer, or of which too little is known. */
  #unheard(): readonly PeerId[] {
    const { book, clock, probeIntervalMs } = this.#parts;
    const now = clock.now();
    return book
      .all()
      .map(({ partner }) => partner)
      .filter((partner) => {
        const at = this.#answers.get(partner);
        const quiet = at === undefined || Math.abs(now - at) >= probeIntervalMs / 2;
        return quiet || !this.#isProfileFresh(partner);
      });
  }

  async #probe(peers: readonly PeerId[], signal: AbortSignal): Promise<void> {
    const pool = new TaskPool(probesAtOnce);
    for (const peer of peers) await pool.start(() => this.#ask(peer, signal));
    await pool.drain();
  }

  async #ask(peer: PeerId, signal: AbortSignal): Promise<void> {
    const { client, book, stores, clock } = this.#parts;
    const profile = await client.profile(book.addressOf(peer), signal);
    if (!profile.ok || !readProfile(profile.value, peer).ok) return;
    const row = stores.candidates.get(peer);
    if (row?.profile !== undefined && this.#isProfileFresh(peer)) return;
    const now = clock.now();
    const { addresses } = book.addressOf(peer);
    const source = row?.source ?? 'partner';
    stores.candidates.put({
      ...{ peer, addresses, source, profile: profile.value },
      ...{ seenAt: now, nextAskAt: now, refusal: undefined },
    });
  }

  #isProfileFresh(peer: PeerId): boolean {
    const row = this.#parts.stores.candidates.get(peer);
    if (row?.profile === undefined) return false;
    return Math.abs(this.#parts.clock.now() - row.seenAt) < this.#parts.probeIntervalMs;
  }

  #mark(peer: PeerId, mark: Mark): void {
    const last = this.#marks.get(peer);
    if (last !== undefined) {
      const passedMs = mark.at - last.at;
      const same = mark.online === last.online;
      if (same && passedMs >= 0 && passedMs < Math.min(closeMs, this.#tickMs() / 2)) return;
      const watched = passedMs <= unwatchedIntervals * this.#parts.probeIntervalMs;
      // Absence counts only while somebody else could be reached.
      const counts = watched && (last.online || this.isOnline());
      if (passedMs > 0 && counts)
        this.#observe(peer, (seen) =>
          observeStretch(seen, { from: last.at, until: mark.at, online: last.online }),
        );
    }
    this.#marks.set(peer, mark);
  }

  /** This computer was off since it last wrote that it was on. */
  #noteAbsence(): void {
    const { clock, self } = this.#parts;
    const now = clock.now();
    const own = this.own();
    if (own !== undefined && now > own.lastSeenAt) {
      this.#observe(self, (seen) =>
        observeStretch(seen, { from: own.lastSeenAt, until: now, online: false }),
      );
      this.#cameBack(now, now - own.lastSeenAt);
    }
    this.#tickedAt = now;
  }

  /** For so long that a partner may have given this computer up meanwhile: whoever counts its time fourfold does so in a quarter of G. */
  #cameBack(until: Instant, ms: number): void {
    const { stores, graceMs } = this.#parts;
    if (ms >= graceMs / fastestRate) facts.setAbsence(stores, { until, ms });
  }

  #tick(): void {
    const { clock, self, keeper } = this.#parts;
    const now = clock.now();
    const from = this.#tickedAt ?? now;
    this.#tickedAt = now;
    const passedMs = now - from;
    if (passedMs <= 0) return;
    // A computer that slept did not run; whatever it missed meanwhile was its own doing.
    const ran = passedMs <= unwatchedIntervals * this.#tickMs() + secondMs;
    this.#observe(self, (seen) => observeStretch(seen, { from, until: now, online: ran }));
    if (!ran) this.#cameBack(now, passedMs);
    keeper.tick(ran && this.isOnline() ? passedMs : 0, countedRate(this.own()));
  }

  #observe(peer: PeerId, change: (before: Observation) => Observation): void {
    const before = this.observationOf(peer) ?? beginObservation(this.#parts.clock.now());
    this.#observations.set(peer, change(before));
    this.#changed.add(peer);
  }

  /** Everything that changed, in one step; who is no partner any more is forgotten here, not on disk. */
  #save(): void {
    const { stores, book, self } = this.#parts;
    const changed = [...this.#changed];
    if (changed.length === 0) return;
    stores.transact(() => {
      for (const peer of changed) {
        const observation = this.#observations.get(peer);
        if (observation === undefined) continue;
        const encoded = encodeObservation(observation);
        const before = stores.observations.get(peer);
        if (before === undefined || !equalBytes(before, encoded))
          stores.observations.put(peer, encoded);
      }
    });
    this.#changed.clear();
    for (const peer of this.#observations.keys())
      if (peer !== self && book.get(peer) === undefined) {
        this.#observations.delete(peer);
        this.#marks.delete(peer);
        this.#answers.delete(peer);
      }
  }

  /** Without room nothing is noted; that is no reason to stop watching. */
  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (reason) {
      if (!(reason instanceof StorageFull)) throw reason;
      this.#parts.log.write('warn', 'watch.no-room');
    }
  }
}
