/**
 * Looks after what is held for others (DESIGN §8): every shard is read again in its turn and compared with the hash that it had, and its owner is told at once
 * what rotted or is gone, before an audit finds it (C30, C39).
 *
 * One shard at a time, at the pace that brings every shard round once in a period of this computer's running time, never while others are being served. Each
 * start reads one shard soon, so a computer that never runs for long comes round too. Files that are missing altogether are found by comparing lists, which
 * costs little and is done each day.
 */

import { concatBytes, equalBytes } from '../../base/bytes.ts';
import { dayMs, minuteMs, secondMs } from '../../base/units.ts';
import { isInForce } from '../../core/partners/lifecycle-phase.ts';
import {
  bytesOf,
  idBytes,
  idOf,
  type PeerId,
  type ShardName,
  shardNameBytes,
} from '../../core/vocabulary/ids.ts';
import { blockBytes } from '../../core/vocabulary/limits.ts';
import { type NoticeSubject, noticeShardsMaximum } from '../../core/wire/notice.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { Random } from '../../ports/random.ts';
import {
  type AgreementRow,
  type HeldRow,
  StorageBroken,
  StorageFull,
  type Stores,
} from '../../ports/stores.ts';
import { sha256 } from '../../primitives/hash.ts';
import { drawnShare, jittered } from '../work/jitter.ts';
import { clearDamaged, damagedBlobs, markDamaged } from './damaged-shards.ts';
import { blobOf } from './held-trash.ts';
import type { ShardIntake } from './shard-intake.ts';

export interface SelfScrubParts {
  readonly stores: Stores;
  readonly held: BlobStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: EventLog;
  /** Keeps uploads off a file, and says whether any are under way. */
  readonly intake: Pick<ShardIntake, 'claim' | 'isBusy'>;
  /** Tells an owner, sooner or later, over restarts; called inside the step that makes a loss durable. */
  readonly tell: (owner: AgreementRow, subject: NoticeSubject) => void;
  /** Wakes whoever sends notices. */
  readonly told: () => void;
  /** In so much running time every shard is read once. */
  readonly periodMs: number;
}

/** What one look at a shard found. */
export type ScrubFinding = 'whole' | 'mended' | 'rotten' | 'gone' | 'unread' | 'in-use';

const factName = 'scrub-place';
/** No more than this is read each second, whatever the period. */
const rateMaximum: number = 32 * blockBytes;
const firstLookMs: number = minuteMs;
/** While others are served scrubbing waits, but not for ever. */
const politeMs: number = 15 * secondMs;
const politeTurns = 240;
/** Of the period: how often lists of files are compared. */
const rollCalls = 30;
const longestRestMs: number = dayMs;
const rollPage = 1_000;

export class SelfScrub {
  readonly #parts: SelfScrubParts;
  #calledAt: number | undefined;
  /** The last shard that was read in this life, and how long after it the next is. */
  #read: { readonly at: number; readonly restMs: number } | undefined;
  /** Files whose owners were told in this life that they are gone. */
  readonly #toldGone = new Set<string>();

  constructor(parts: SelfScrubParts) {
    this.#parts = parts;
  }

  /** Works until `signal` aborts. A disk that is full or failing is waited for. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, random, periodMs } = this.#parts;
    const early = Math.min(firstLookMs, periodMs / rollCalls);
    let restMs = early * (0.2 + drawnShare(random));
    while (!signal.aborted) {
      await clock.sleep(Math.max(1, Math.round(restMs)), signal);
      await this.#waitForPeace(signal);
      if (signal.aborted) return;
      try {
        restMs = await this.#turn();
      } catch (reason) {
        if (!(reason instanceof StorageFull || reason instanceof StorageBroken)) throw reason;
        log.write('error', 'work.storage-failed', { reason: reason.name, detail: reason.message });
        restMs = firstLookMs;
      }
    }
  }

  /** Compares lists, and reads one shard, each when it is due; gives the milliseconds until the next. */
  async #turn(): Promise<number> {
    const { random } = this.#parts;
    if (this.#untilRollCall() <= 0) await this.rollCall();
    if (this.#untilRead() <= 0) {
      const row = await this.step();
      const restMs = row === undefined ? longestRestMs : jittered(this.#restAfter(row), random);
      this.#read = { at: this.#parts.clock.now(), restMs };
    }
    return Math.min(this.#untilRead(), this.#untilRollCall());
  }

  #untilRead(): number {
    if (this.#read === undefined) return 0;
    return this.#read.restMs - Math.abs(this.#parts.clock.now() - this.#read.at);
  }

  #untilRollCall(): number {
    if (this.#calledAt === undefined) return 0;
    const { clock, periodMs } = this.#parts;
    const every = Math.min(dayMs, periodMs / rollCalls);
    return Math.max(0, every - Math.abs(clock.now() - this.#calledAt));
  }

  async #waitForPeace(signal: AbortSignal): Promise<void> {
    const { clock, intake } = this.#parts;
    for (let turn = 0; turn < politeTurns && intake.isBusy() && !signal.aborted; turn += 1)
      await clock.sleep(politeMs, signal);
  }

  /** So that all that is held comes round in a period, in proportion to its length. */
  #restAfter({ blockCount }: HeldRow): number {
    const { stores, periodMs } = this.#parts;
    const all = stores.held
      .owners()
      .reduce((sum, owner) => sum + stores.held.blockCount(owner), blockCount);
    const share = (periodMs * blockCount) / all;
    return Math.max(share, (secondMs * blockCount * blockBytes) / rateMaximum);
  }

  /** Reads the next shard in order; undefined when nothing is held. */
  async step(): Promise<HeldRow | undefined> {
    const row = this.#next();
    if (row === undefined) return undefined;
    const finding = await this.look(row);
    if (finding !== 'whole' && finding !== 'mended')
      this.#parts.log.write('warn', 'held.scrubbed', { owner: row.owner, finding });
    return row;
  }

  /** Looks at one shard, and sees to what it finds. */
  async look(row: HeldRow): Promise<ScrubFinding> {
    const release = this.#parts.intake.claim(blobOf(row));
    if (release === undefined) {
      this.#pass(row);
      return 'in-use';
    }
    try {
      const finding = await this.#find(row);
      await this.#keep(row, finding);
      return finding;
    } finally {
      release();
    }
  }

  /** Finds files that are gone, for every owner, and tells of them; gives how many. */
  async rollCall(): Promise<number> {
    const { stores, clock } = this.#parts;
    this.#calledAt = clock.now();
    let count = 0;
    for (const owner of stores.held.owners()) {
      const missing = new Map<HeldRow, () => void>();
      try {
        await this.#claimMissing(owner, missing);
        count += this.#callOff(owner, missing.keys());
      } finally {
        for (const release of missing.values()) release();
      }
    }
    return count;
  }

  /** Adds rows whose files are not there, and what lets them be uploaded again: until then none of them can come back. */
  async #claimMissing(owner: PeerId, missing: Map<HeldRow, () => void>): Promise<void> {
    const { held, intake } = this.#parts;
    const rows = this.#rowsOf(owner);
    const there = new Set(await held.list(`${owner}/`));
    for (const row of rows.filter((each) => !there.has(blobOf(each)))) {
      const release = intake.claim(blobOf(row));
      if (release === undefined) continue;
      missing.set(row, release);
      if (await this.#isGone(row)) continue;
      missing.delete(row);
      release();
    }
  }

  /** Tells what is gone of an owner, unless it was told; gives how many there are. */
  #callOff(owner: PeerId, missing: Iterable<HeldRow>): number {
    const gone = [...missing].filter((row) => isPresent(this.#parts.stores, row));
    // Some may have come while the files were looked for.
    const isAll = this.#rowsOf(owner).length === gone.length;
    const isTold = gone.every((row) => this.#toldGone.has(blobOf(row)));
    if (!isTold) this.#report(owner, gone, isAll);
    return gone.length;
  }

  #rowsOf(owner: PeerId): readonly HeldRow[] {
    const { held } = this.#parts.stores;
    const rows: HeldRow[] = [];
    for (;;) {
      const page = held.page(owner, rows.at(-1)?.name, rollPage);
      rows.push(...page);
      if (page.length < rollPage) return rows;
    }
  }

  /** Still held as far as the catalogue knows, and not there. */
  async #isGone(row: HeldRow): Promise<boolean> {
    const { stores, held } = this.#parts;
    if ((await held.size(blobOf(row))) !== undefined) return false;
    return isPresent(stores, row);
  }

  async #find(row: HeldRow): Promise<ScrubFinding> {
    const { stores, held } = this.#parts;
    const blob = blobOf(row);
    const read = await held.read(blob);
    if (!isPresent(stores, row)) return 'in-use';
    if (!read.ok) {
      if (read.error.code === 'blob.missing') return 'gone';
      // A disk that cannot be read says nothing about the bytes on it, unless it reads the others.
      return (await this.#readsOthers(blob)) ? 'rotten' : 'unread';
    }
    if (!equalBytes(sha256(read.value), row.sha256)) return 'rotten';
    return damagedBlobs(stores).has(blob) ? 'mended' : 'whole';
  }

  async #readsOthers(blob: string): Promise<boolean> {
    const { held } = this.#parts;
    if ((await held.read(blob)).ok) return false;
    for (const other of (await held.list('')).filter((name) => name !== blob).slice(0, 4))
      if ((await held.read(other, { offset: 0, length: 1 })).ok) return true;
    return false;
  }

  /** The place goes on in the same step in which the owner is to be told, so a crash repeats at most one look. */
  async #keep(row: HeldRow, finding: ScrubFinding): Promise<void> {
    const { stores, held, log, told } = this.#parts;
    const isLost = finding === 'rotten' || finding === 'gone';
    const isMarked = stores.transact(() => {
      this.#pass(row);
      if (finding === 'mended') clearDamaged(stores, row);
      if (isLost) this.#tell(row.owner, [row], false);
      return finding !== 'rotten' || markDamaged(stores, row);
    });
    if (!isMarked) await held.remove(blobOf(row));
    if (!isLost) return;
    log.write('error', 'held.damaged', { owner: row.owner, name: row.name, code: finding });
    told();
  }

  #report(owner: PeerId, rows: readonly HeldRow[], isAll: boolean): void {
    const { stores, log, told } = this.#parts;
    stores.transact(() => this.#tell(owner, rows, isAll));
    for (const row of rows) this.#toldGone.add(blobOf(row));
    log.write('error', 'held.lost', { owner, shards: rows.length, all: isAll });
    told();
  }

  #tell(owner: PeerId, rows: readonly HeldRow[], isAll: boolean): void {
    const { stores, tell } = this.#parts;
    const agreement = stores.agreements.ofPartner(owner);
    if (agreement === undefined || !isInForce(agreement.phase)) return;
    if (isAll) tell(agreement, { type: 'lost-data', shards: [] });
    const names = isAll ? [] : rows.map(({ name }) => name);
    for (let at = 0; at < names.length; at += noticeShardsMaximum)
      tell(agreement, { type: 'lost-data', shards: names.slice(at, at + noticeShardsMaximum) });
  }

  #pass({ owner, name }: HeldRow): void {
    this.#parts.stores.facts.put(factName, concatBytes([bytesOf(owner), bytesOf(name)]));
  }

  /** The shard after the place where it stands, owner by owner, from the beginning again after the last. */
  #next(): HeldRow | undefined {
    const { held } = this.#parts.stores;
    const place = this.#place();
    const owners = held.owners().toSorted();
    const begun = place && held.page(place.owner, place.name, 1)[0];
    if (begun !== undefined) return begun;
    const later = place === undefined ? [] : owners.filter((owner) => owner > place.owner);
    for (const owner of [...later, ...owners]) {
      const first = held.page(owner, undefined, 1)[0];
      if (first !== undefined) return first;
    }
    return undefined;
  }

  #place(): { readonly owner: PeerId; readonly name: ShardName } | undefined {
    const column = this.#parts.stores.facts.get(factName);
    if (column === undefined) return undefined;
    const name = column.subarray(idBytes, idBytes + shardNameBytes);
    return { owner: idOf(column.subarray(0, idBytes)), name: idOf(name) };
  }
}

function isPresent(stores: Stores, { owner, name, epoch, sequence }: HeldRow): boolean {
  const row = stores.held.get(owner, name);
  if (row === undefined || row.trashedAt !== undefined) return false;
  return row.epoch === epoch && row.sequence === sequence;
}
