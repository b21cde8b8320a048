/**
 * Drills (DESIGN §8, C17): as often as is set, and whenever a person asks, a few files are restored to nowhere, and what came of it is kept.
 *
 * Packs come round by turns, whose order chance draws. Now and then partners hear the notice first that restores of everything begin with, so that whoever serves
 * single files and would deny the rest cannot know.
 */
import { concatBytes, hexText } from '../../base/bytes.ts';
import { failed, type Outcome } from '../../base/outcome.ts';
import { dayMs, hourMs, type Instant } from '../../base/units.ts';
import { bytesOf, type PackId } from '../../core/vocabulary/ids.ts';
import type { EventLog } from '../../ports/event-log.ts';
import { StorageBroken, StorageFull } from '../../ports/stores.ts';
import { facts } from '../facts.ts';
import { drawnShare, drawnUnit, jittered } from '../work/jitter.ts';
import {
  type DrillReport,
  type DrillStanding,
  drillStanding,
  keepDrill,
  offenders,
  proves,
} from './drill-report.ts';
import { type DrillFailure, type DrillOptions, DrillRun, type DrillRunParts } from './drill-run.ts';

export interface DrillDeskParts extends DrillRunParts {
  readonly log: EventLog;
  /** 0: only when asked. */
  readonly intervalMs: number;
  /** Tells partners that this computer restores. */
  readonly announce: () => void;
  /** Told of each drill, once it is durable. */
  readonly onReport: (report: DrillReport) => void;
}

/** What a person may ask for; what is left out is as on any day. */
export interface DrillWish {
  readonly files?: number | undefined;
  readonly bytes?: number | undefined;
}

const usualFiles = 4;
/** Packs come round in about so many drills, … */
const roundDrills = 90;
/** … with at least and at most so many in each. */
const packsLeast = 4;
const packsMost = 64;
/** Of drills, those that are announced; never two within so long. */
const announcedShare = 1 / 30;
const announcedRestMs: number = 45 * dayMs;
const longestRestMs: number = hourMs;

const visitedFact = 'drill-visited';
const announcedFact = 'drill-announced';
/** Of a pack's id, in the list of those visited in this round. */
const prefixBytes = 8;
const visitedMaximum = 131_072;

export class DrillDesk {
  readonly #parts: DrillDeskParts;
  #running = false;

  constructor(parts: DrillDeskParts) {
    this.#parts = parts;
  }

  /** The last drill, and when one last proved that everything it drew can be restored. */
  standing(): DrillStanding | undefined {
    return drillStanding(this.#parts.stores);
  }

  /** Works until `signal` aborts. A disk that is full or failing is waited for. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, random, intervalMs } = this.#parts;
    if (intervalMs === 0) return;
    let restMs = this.#firstRestMs();
    while (!signal.aborted) {
      await this.#rest(restMs, signal);
      if (signal.aborted) return;
      restMs = jittered(intervalMs, random);
      try {
        await this.drill({}, { signal, progress: () => undefined });
      } catch (reason) {
        if (!(reason instanceof StorageFull || reason instanceof StorageBroken)) throw reason;
        log.write('error', 'work.storage-failed', { reason: reason.name, detail: reason.message });
        await clock.sleep(jittered(longestRestMs, random), signal);
      }
    }
  }

  async drill(wish: DrillWish, options: DrillOptions): Promise<Outcome<DrillReport, DrillFailure>> {
    const { stores, log, onReport } = this.#parts;
    if (this.#running)
      return failed({ code: 'drill.running', detail: 'another drill is under way' });
    if (facts.recovering(stores) || this.#parts.partners().length === 0)
      return failed({ code: 'drill.nothing', detail: 'nothing is with partners' });
    this.#running = true;
    try {
      const run = new DrillRun(this.#parts, this.#requestOf(wish), options);
      const report = await run.run();
      if (!report.ok) return report;
      stores.transact(() => {
        keepDrill(stores, report.value);
        this.#keepVisited(run.visited);
      });
      const { files, bytes, problems } = report.value;
      const level = proves(report.value) ? 'info' : 'error';
      log.write(level, 'drill.done', { files, bytes, problems: problems.length });
      for (const { partner, code, wrongBlocks } of offenders(report.value))
        log.write('warn', 'drill.not-served', { partner, code, wrongBlocks });
      onReport(report.value);
      return report;
    } finally {
      this.#running = false;
    }
  }

  #requestOf({ files, bytes }: DrillWish): ConstructorParameters<typeof DrillRun>[1] {
    const packs = this.#packsDue(files);
    return { files: files ?? usualFiles, bytes, packs, announced: this.#announces() };
  }

  /** Now and then; partners hear it before anything is asked of them, as far as they can be reached. */
  #announces(): boolean {
    const { stores, clock, random, announce } = this.#parts;
    const now = clock.now();
    const known = stores.facts.get(announcedFact);
    const last = known === undefined ? undefined : Number(`0x${hexText(known)}`);
    if (last !== undefined && Math.abs(now - last) < announcedRestMs) return false;
    if (drawnUnit(random) >= announcedShare) return false;
    const value = new Uint8Array(8);
    new DataView(value.buffer).setBigUint64(0, BigInt(Math.round(now)));
    stores.facts.put(announcedFact, value);
    announce();
    return true;
  }

  /** Packs that no drill of this round has visited, as many as it takes to come round. */
  #packsDue(files: number | undefined): readonly PackId[] {
    const { stores, random } = this.#parts;
    const sent = stores.packs.all().filter(({ code }) => code !== undefined);
    const visited = this.#visited();
    let due = sent.filter(({ pack }) => !visited.has(prefixOf(pack)));
    if (due.length === 0) {
      stores.facts.put(visitedFact, new Uint8Array(0));
      due = sent;
    }
    const usual = Math.min(packsMost, Math.max(packsLeast, Math.ceil(sent.length / roundDrills)));
    const drawn = due.map(({ pack }) => ({ pack, lot: drawnUnit(random) }));
    drawn.sort((left, right) => left.lot - right.lot);
    return drawn.slice(0, Math.min(packsMost, Math.max(usual, files ?? 0))).map(({ pack }) => pack);
  }

  #visited(): ReadonlySet<string> {
    const column = this.#parts.stores.facts.get(visitedFact) ?? new Uint8Array(0);
    const prefixes = new Set<string>();
    for (let at = 0; at < column.length; at += prefixBytes)
      prefixes.add(hexText(column.subarray(at, at + prefixBytes)));
    return prefixes;
  }

  #keepVisited(packs: ReadonlySet<PackId>): void {
    const { facts: store } = this.#parts.stores;
    const before = store.get(visitedFact) ?? new Uint8Array(0);
    const known = this.#visited();
    const fresh = [...packs].filter((pack) => !known.has(prefixOf(pack)));
    if (known.size + fresh.length > visitedMaximum) return;
    const added = fresh.map((pack) => bytesOf(pack).subarray(0, prefixBytes));
    store.put(visitedFact, concatBytes([before, ...added]));
  }

  /** Since the last drill; a computer that never had one waits for a part of the interval, for it has just begun. */
  #firstRestMs(): number {
    const { clock, random, intervalMs } = this.#parts;
    const last: Instant | undefined = this.standing()?.last.at;
    if (last === undefined) return Math.round(intervalMs * (0.5 + drawnShare(random) / 2));
    const passed = Math.max(0, clock.now() - last);
    return Math.max(1, jittered(Math.max(1, intervalMs - passed), random));
  }

  async #rest(restMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    for (let left = restMs; left > 0 && !signal.aborted; left -= longestRestMs)
      await clock.sleep(Math.min(left, longestRestMs), signal);
  }
}

function prefixOf(pack: PackId): string {
  return pack.slice(0, 2 * prefixBytes);
}
