/**
 * Looks for partners until there are enough (C2, C20–C23): gathers candidates, asks who they are, judges and ranks them, negotiates with the best first, and waits
 * longer each time it found nobody new.
 *
 * Also keeps agreements up: renews those that end, and lets those of clean strangers grow (DESIGN §8).
 */

import { linkedAbort } from '../../base/linked-abort.ts';
import { type Instant, secondMs } from '../../base/units.ts';
import type { CheckedRecord } from '../../core/partners/criteria.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import { readProfile } from '../../core/wire/profile.ts';
import { commonProtocol, spokenProtocols } from '../../core/wire/protocol.ts';
import type { Reference } from '../../core/wire/reference.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { Random } from '../../ports/random.ts';
import { StorageBroken, StorageFull, type Stores } from '../../ports/stores.ts';
import { facts } from '../facts.ts';
import { jittered } from '../work/jitter.ts';
import { Notifier } from '../work/notifier.ts';
import { TaskPool } from '../work/task-pool.ts';
import { deedIn } from './agreement-register.ts';
import { CandidateAsking } from './candidate-asking.ts';
import type { CandidateBook } from './candidate-book.ts';
import type { CandidateJudging, RankedPeer } from './candidate-judging.ts';
import type { CandidateSources } from './candidate-sources.ts';
import type { Concluded, Considered, NegotiationDesk } from './negotiation-desk.ts';
import type { PartnerBook } from './partner-book.ts';
import type { PartnerStance, Reservation } from './partner-stance.ts';
import type { PartnershipSettings } from './partnership-settings.ts';
import type { NegotiationResult, SearchOptions, SearchReport } from './partnerships.ts';
import { endsSoon } from './renewal.ts';

export interface PartnerSearchParts {
  readonly self: PeerId;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: EventLog;
  readonly book: PartnerBook;
  readonly candidates: CandidateBook;
  readonly sources: CandidateSources;
  readonly judging: CandidateJudging;
  readonly stance: PartnerStance;
  readonly stores: Stores;
  readonly desk: NegotiationDesk;
  readonly settings: PartnershipSettings;
  readonly addresses: () => readonly string[];
  /** Asks those that a candidate names how it behaved with them. */
  readonly checkReferences: (
    peer: PeerId,
    references: readonly Reference[],
    signal: AbortSignal,
  ) => Promise<CheckedRecord>;
}

const negotiatedAtOnce = 4;
const checkedAtOnce = 4;
/** When nobody is negotiated with, those that so many of the best name are asked. */
const checkedMaximum = 8;
/** Of the configured interval. Whoever just started looks often at first: those that it knows of may be starting too. */
const [shortestPause, longestPause] = [1 / 16, 16];
const firstPauseMs = secondMs;

/** Refusals that time may change soon. */
const passing: ReadonlySet<string> = new Set([
  'negotiation.busy',
  'negotiation.not-wanted',
  'negotiation.space',
  'negotiation.crossed',
  'negotiation.partners-already',
  'negotiation.silent',
  'negotiation.unexpected',
]);

export class PartnerSearch {
  readonly #parts: PartnerSearchParts;
  readonly #asking: CandidateAsking;
  readonly #woken = new Notifier();
  #searching: Promise<unknown> = Promise.resolve();
  #pauses = shortestPause;
  /** When a partner was last asked for other terms. */
  readonly #keptAt = new Map<PeerId, Instant>();

  constructor(parts: PartnerSearchParts) {
    this.#parts = parts;
    this.#asking = new CandidateAsking(parts);
  }

  /** Something changed that a search may make use of: a partner failed, or somebody new was heard of. */
  wake(): void {
    this.#pauses = 1;
    this.#woken.notify();
  }

  /** Searches and keeps agreements up until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, settings } = this.#parts;
    await this.#guarded(() => this.#announce());
    // Those that were started together should not all ask at once.
    const firstMs = Math.min(firstPauseMs, settings.searchIntervalMs / 16);
    await clock.sleep(jittered(firstMs, random), signal);
    while (!signal.aborted) {
      const resting = linkedAbort(signal);
      const woken = this.#woken.changed(resting.signal);
      await this.#guarded(() => this.#round(signal));
      const pauseMs = jittered(settings.searchIntervalMs * this.#pauses, random);
      await clock.sleep(Math.min(pauseMs, settings.searchIntervalMs / 8), signal);
      await Promise.race([woken, clock.sleep(pauseMs, resting.signal)]);
      resting.abort();
    }
    await this.#parts.sources.announce({ peer: this.#parts.self, addresses: [] }, false);
  }

  /** One search now; a search that is under way is waited for first. */
  async search(options: SearchOptions): Promise<SearchReport> {
    const before = this.#searching;
    const ours = (async (): Promise<SearchReport> => {
      await before.catch(() => undefined);
      return await this.#search(options);
    })();
    this.#searching = ours;
    return await ours;
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { desk, judging } = this.#parts;
    await desk.resume(signal);
    await this.#maintain(signal);
    if (!this.#seeks() || signal.aborted) {
      this.#pauses = 1;
      return;
    }
    await this.#announce();
    if (judging.sufficiency().enough) {
      this.#pauses = 1;
      return;
    }
    const before = this.#parts.book.all().length;
    await this.search({ dryRun: false, signal });
    const grew = this.#parts.book.all().length > before;
    this.#pauses = grew ? Math.min(1, this.#pauses) : Math.min(longestPause, this.#pauses * 2);
  }

  /** Whoever has not got back the partners there were looks for no others. */
  #seeks(): boolean {
    const { settings, stores } = this.#parts;
    return settings.seek && !facts.recovering(stores);
  }

  /** Found under the name of the neighbourhood are those that have space to lend. */
  async #announce(): Promise<void> {
    const { stance, sources, self, addresses } = this.#parts;
    const wanted = this.#seeks() && stance.openBytes() > 0;
    await sources.announce({ peer: self, addresses: addresses() }, wanted);
  }

  async #search({ dryRun, signal, progress }: SearchOptions): Promise<SearchReport> {
    const { sources, candidates, judging, log } = this.#parts;
    const tell = (phase: 'looking' | 'asking' | 'negotiating', done: number): void =>
      progress?.({ phase, candidates: candidates.all().length, done });
    tell('looking', 0);
    await sources.gather(signal);
    await this.#asking.ask(signal, (asked) => tell('asking', asked));
    if (dryRun) await this.#check(judging.ranked().accepted.slice(0, checkedMaximum), signal);
    const results = new Map<PeerId, NegotiationResult>();
    if (!dryRun) await this.#negotiate(results, { signal, tell });
    candidates.save();
    const sufficiency = judging.sufficiency();
    const { accepted, refused } = judging.ranked(results);
    const { enough, wanted, have } = sufficiency;
    log.write('info', 'search.done', { have, wanted, candidates: accepted.length });
    return {
      enough,
      wantedPartners: wanted,
      presentPartners: have,
      reasons: judging.sufficiencyReasons(sufficiency),
      candidates: [...accepted.map(({ view }) => view), ...refused],
    };
  }

  /** Asks those that each of the best names, as far as that was not done yet; whether anything was found out. */
  async #check(best: readonly RankedPeer[], signal: AbortSignal): Promise<boolean> {
    const { judging, candidates, checkReferences } = this.#parts;
    const unchecked = best
      .map(({ row }) => ({
        peer: row.peer,
        named: candidates.profileOf(row.peer)?.references ?? [],
      }))
      .filter(({ peer, named }) => named.length > 0 && !judging.isChecked(peer));
    const pool = new TaskPool(checkedAtOnce);
    for (const { peer, named } of unchecked)
      await pool.start(async () => {
        judging.checked(peer, await checkReferences(peer, named, signal));
      });
    await pool.drain();
    return unchecked.length > 0;
  }

  /** With the best first, until there are enough partners or nobody is left to be asked. */
  async #negotiate(
    results: Map<PeerId, NegotiationResult>,
    run: {
      readonly signal: AbortSignal;
      readonly tell: (phase: 'negotiating', done: number) => void;
    },
  ): Promise<void> {
    const { judging } = this.#parts;
    while (!run.signal.aborted) {
      const { missing, onlySeparate } = judging.sufficiency();
      if (missing === 0) return;
      const next = judging
        .ranked()
        .accepted.filter(
          ({ row, separate }) => !results.has(row.peer) && (separate || !onlySeparate),
        )
        .slice(0, Math.min(missing, negotiatedAtOnce));
      if (next.length === 0) return;
      // What others say may take its place from one of them.
      if (await this.#check(next, run.signal)) continue;
      await Promise.all(
        next.map(async (ranked) => {
          results.set(ranked.row.peer, await this.#approach(ranked, run.signal));
        }),
      );
      run.tell('negotiating', results.size);
    }
  }

  async #approach({ row }: RankedPeer, signal: AbortSignal): Promise<NegotiationResult> {
    const { candidates, desk, stance } = this.#parts;
    const held: { reservation?: Reservation } = {};
    const consider = async (document: Uint8Array): Promise<Considered | undefined> => {
      const fresh = candidates.get(row.peer) ?? row;
      const towards = stance.towards(row.peer, this.#parts.judging.circumstances(fresh));
      const profile = readProfile(document, row.peer);
      if (towards === undefined || !profile.ok) return undefined;
      held.reservation = stance.reserve(towards.policy.lending.mostBytes);
      return {
        stance: towards,
        protocol: commonProtocol(spokenProtocols, profile.value.protocols),
      };
    };
    try {
      const to = candidates.addressOf(row.peer);
      return this.#settled(row.peer, await desk.ask({ to, consider }, signal));
    } finally {
      held.reservation?.release();
    }
  }

  /** Enters what came of it into the book. */
  #settled(peer: PeerId, concluded: Concluded): NegotiationResult {
    const { candidates, settings, random } = this.#parts;
    const interval = settings.searchIntervalMs;
    switch (concluded.outcome) {
      case 'signed': {
        candidates.refused(peer, undefined, 0);
        const { weLendBytes, lendsUsBytes } = this.#parts.stance.account(concluded.row);
        return { outcome: 'signed', weLendBytes, lendsUsBytes };
      }
      case 'open':
        return {
          outcome: 'unreachable',
          reason: {
            code: 'negotiation.open',
            detail: 'no definite answer came; it is asked again',
          },
        };
      case 'refused':
      case 'silent': {
        const { code, detail } = concluded.refusal;
        const factor = passing.has(code) ? 2 : 64;
        candidates.refused(peer, code, jittered(interval * factor, random));
        const reason = { code, detail };
        return concluded.outcome === 'silent'
          ? { outcome: 'unreachable', reason }
          : { outcome: 'refused', by: concluded.by, reason };
      }
    }
  }

  /** Renews agreements that end, and lets those of clean strangers grow; of two partners the one with the smaller id asks. */
  async #maintain(signal: AbortSignal): Promise<void> {
    const { book, stance, self } = this.#parts;
    for (const row of book.all()) {
      if (signal.aborted) return;
      if (self > row.partner || row.phase === 'leaving' || row.paused) continue;
      if (this.#isKept(row.partner)) continue;
      const wish = endsSoon(row, this.#parts.clock.now()) ?? stance.grown(row);
      if (wish === undefined) continue;
      this.#keptAt.set(row.partner, this.#parts.clock.now());
      const current = deedIn(row).link;
      const to = book.addressOf(row.partner);
      const consider = async (): Promise<Considered> => ({
        stance: stance.towardsPartner(row),
        protocol: Math.max(...spokenProtocols),
      });
      await this.#parts.desk.ask({ to, current, wish, consider }, signal);
    }
  }

  /** Whoever just refused other terms is not asked for them again at once. */
  #isKept(partner: PeerId): boolean {
    const at = this.#keptAt.get(partner);
    const waitMs = longestPause * this.#parts.settings.searchIntervalMs;
    return at !== undefined && Math.abs(this.#parts.clock.now() - at) < waitMs;
  }

  /** A catalogue without room is no reason to stop looking for good. */
  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (reason) {
      if (!(reason instanceof StorageFull || reason instanceof StorageBroken)) throw reason;
      this.#parts.log.write('warn', 'search.storage', { detail: reason.message });
    }
  }
}
