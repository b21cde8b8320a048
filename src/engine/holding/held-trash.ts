/**
 * What owners deleted and their holder still keeps (DESIGN §8, delete-lock L): whoever steals an owner's keys cannot make its shards vanish at once.
 *
 * A deleted shard is out of the inventory and cannot be read, but counts against the quota, and the same shard sent again takes it out of the trash. It
 * is removed when this computer was at work for L since. First its row goes, then its file; a note of the files to remove goes with the rows, so that a
 * crash in between leaves nothing behind, and takes nothing that came back meanwhile.
 */
import { assert } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import { dayMs, type Instant, minuteMs } from '../../base/units.ts';
import {
  type Acknowledgement,
  acknowledgedName,
  type LedgerSubject,
  readEntry,
} from '../../core/agreements/acknowledgement.ts';
import { isInForce } from '../../core/partners/lifecycle-phase.ts';
import { type AgreementId, idOf, type PeerId } from '../../core/vocabulary/ids.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';
import { type AgreementRow, type HeldRow, StorageFull, type Stores } from '../../ports/stores.ts';
import { publicKeyOf } from '../../primitives/signature.ts';
import { awaitsProof } from '../audits/answered-audits.ts';
import { agreementOf } from '../partners/partner-space.ts';
import { appendHolderEntry } from './held-ledger.ts';
import { HeldList, type HeldShard } from './held-list.ts';
import { countDeletion } from './mass-deletion.ts';
import { RunningTime } from './running-time.ts';

export interface HeldTrashParts {
  readonly identitySeed: Bytes;
  readonly stores: Stores;
  readonly held: BlobStore;
  readonly clock: Clock;
  readonly log: EventLog;
  /** Keeps uploads off a file until what is given is called; undefined when one is under way. */
  readonly claim: (blob: string) => (() => void) | undefined;
}

/** How often the trash is looked through. */
const lookMs: number = 10 * minuteMs;
/** Files removed with one note. */
const batchMaximum = 64;
/** For an owner whose terms are not known any more. */
const lockMaximumMs: number = 30 * dayMs;
const removals: HeldList = new HeldList('held-removals');

export class HeldTrash {
  readonly #parts: HeldTrashParts;
  readonly #running: RunningTime;
  #lookedAt: Instant | undefined;
  #isResumed = false;

  constructor(parts: HeldTrashParts) {
    this.#parts = parts;
    this.#running = new RunningTime(parts.stores, parts.clock);
  }

  /** Moves a held shard into the trash, with its entry in the ledger in the same step; gives the signed entry. */
  add(owner: AgreementRow, row: HeldRow): Bytes {
    const { stores, log, clock } = this.#parts;
    const { agreement } = owner;
    const { name, blockCount, merkleRoot } = row;
    const subject: LedgerSubject = { action: 'delete', name, blockCount, merkleRoot };
    const trashedAt = this.#running.now();
    const { entry, isMost } = stores.transact(() => {
      const appended = appendHolderEntry(this.#parts, agreement, subject);
      const { epoch, sequence } = appended;
      stores.held.put({ ...row, epoch, sequence, trashedAt });
      return {
        entry: appended,
        isMost: countDeletion(stores, owner, { place: row, now: clock.now() }),
      };
    });
    log.write('debug', 'held.trashed', { owner: row.owner, blocks: blockCount });
    if (isMost) log.write('warn', 'owner.mass-deletion', { owner: row.owner });
    return entry.document;
  }

  /** All that is held for an owner, without entries in a ledger: its agreement ended, and what it stored stays for L more. */
  addAll(owner: PeerId): void {
    const { stores } = this.#parts;
    const trashedAt = this.#running.now();
    for (;;) {
      const rows = stores.held.page(owner, undefined, 1_000);
      if (rows.length === 0) return;
      stores.transact(() => {
        for (const row of rows) stores.held.put({ ...row, trashedAt });
      });
    }
  }

  /**
   * Its owner is a partner again: what only the end of their agreement put into the trash is held as before. What the owner deleted itself stays there. What there is
   * no room for is done by a later round.
   */
  takeBack(row: AgreementRow): void {
    try {
      this.#restore(row, (entry) => entry?.action !== 'delete');
    } catch (reason) {
      if (!(reason instanceof StorageFull)) throw reason;
      this.#isResumed = false;
      this.#parts.log.write('warn', 'held.no-room', { owner: row.partner });
    }
  }

  /**
   * What a crash or a full disk kept from being taken back: of what was taken in under an agreement that is in force nothing is here but what its owner deleted. What
   * an earlier agreement left behind stays.
   */
  #resume(): void {
    if (this.#isResumed) return;
    for (const owner of this.#parts.stores.held.owners()) {
      const row = this.#agreementWith(owner);
      if (row === undefined || !isInForce(row.phase)) continue;
      const { agreement } = row;
      this.#restore(row, (last) => last?.action === 'put' && last.agreement === agreement);
    }
    this.#isResumed = true;
  }

  #restore(
    { partner }: AgreementRow,
    isToReturn: (last: Acknowledgement | undefined) => boolean,
  ): void {
    const { stores } = this.#parts;
    const trashed = stores.held.trashed(partner);
    if (trashed.length === 0) return;
    const agreements = stores.agreements.all().filter((row) => row.partner === partner);
    const ids = agreements.map(({ agreement }) => agreement).reverse();
    const rows = trashed.filter((row) => isToReturn(this.#lastEntry(ids, row)));
    if (rows.length === 0) return;
    stores.transact(() => {
      for (const row of rows) stores.held.put({ ...row, trashedAt: undefined });
    });
    this.#parts.log.write('info', 'held.taken-back', { owner: partner, shards: rows.length });
  }

  /** The last that our ledgers say of a shard, of these agreements with its owner, the newest first. */
  #lastEntry(agreements: readonly AgreementId[], row: HeldRow): Acknowledgement | undefined {
    const { stores, identitySeed } = this.#parts;
    const holder = idOf<PeerId>(publicKeyOf(identitySeed));
    for (const agreement of agreements) {
      const stored = stores.ledger.get(agreement, 'holder', row);
      if (stored === undefined || acknowledgedName(stored.document) !== row.name) continue;
      const entry = readEntry({ agreement, holder }, stored.document);
      assert(entry.ok, 'our own ledger can be read');
      return entry.value.acknowledgement;
    }
    return undefined;
  }

  /** Counts the time and removes what is due; whether there was any. To be called every few minutes at least; more often costs nothing. */
  async round(): Promise<boolean> {
    const now = this.#parts.clock.now();
    const isResting = this.#lookedAt !== undefined && Math.abs(now - this.#lookedAt) < lookMs;
    if (isResting && this.#isResumed) return false;
    await this.#removeFiles();
    this.#resume();
    // After the last wait: what is found due here goes before its owner can send it again.
    const { isEmpty, due } = this.#look();
    this.#running.tick(!isEmpty);
    if (!this.#removeRows(due)) {
      this.#lookedAt = now;
      return false;
    }
    await this.#removeFiles();
    return true;
  }

  #look(): { readonly isEmpty: boolean; readonly due: readonly HeldShard[] } {
    const { stores } = this.#parts;
    const now = this.#running.now();
    const due: HeldShard[] = [];
    let isEmpty = true;
    for (const owner of stores.held.owners()) {
      const lockMs = this.#lockMs(owner);
      const isAsked = this.#isAsked(owner);
      for (const { name, trashedAt } of stores.held.trashed(owner)) {
        isEmpty = false;
        if (due.length >= batchMaximum) break;
        const isDue = trashedAt !== undefined && now - trashedAt >= lockMs;
        if (isDue && !isAsked) due.push({ owner, name });
      }
    }
    return { isEmpty, due };
  }

  /** An audit may still ask for what was deleted after it began. */
  #isAsked(owner: PeerId): boolean {
    const { stores, clock } = this.#parts;
    const row = this.#agreementWith(owner);
    if (row === undefined || !isInForce(row.phase)) return false;
    return awaitsProof(stores, row, clock.now());
  }

  #lockMs(owner: PeerId): number {
    const row = this.#agreementWith(owner);
    return row === undefined ? lockMaximumMs : agreementOf(row).terms.deleteLockMs;
  }

  /** In force, or else the last that was: a proposal that is not signed yet says nothing. */
  #agreementWith(owner: PeerId): AgreementRow | undefined {
    const { agreements } = this.#parts.stores;
    const newest = agreements.ofPartner(owner);
    if (newest === undefined || isInForce(newest.phase)) return newest;
    const signed = agreements
      .all()
      .filter(({ partner, phase }) => partner === owner && phase !== 'proposed');
    return signed.find(({ phase }) => isInForce(phase)) ?? signed.at(-1);
  }

  /** Takes these out of the catalogue, but for those that came back or are being uploaded; whether there was any. */
  #removeRows(shards: readonly HeldShard[]): boolean {
    const { stores, log } = this.#parts;
    const gone = shards.filter((shard) => this.#mayGo(shard));
    if (gone.length === 0) return false;
    stores.transact(() => {
      removals.write(stores, [...removals.read(stores), ...gone]);
      for (const { owner, name } of gone) stores.held.remove(owner, name);
    });
    log.write('info', 'held.purged', { shards: gone.length });
    return true;
  }

  #mayGo(shard: HeldShard): boolean {
    const { stores, claim } = this.#parts;
    const release = claim(blobOf(shard));
    release?.();
    const isTrashed = stores.held.get(shard.owner, shard.name)?.trashedAt !== undefined;
    return release !== undefined && isTrashed;
  }

  /** Removes the files that are noted. */
  async #removeFiles(): Promise<void> {
    const { stores } = this.#parts;
    const settled = new Set<string>();
    for (const shard of removals.read(stores))
      if (await this.#isRemoved(shard)) settled.add(blobOf(shard));
    if (settled.size === 0) return;
    const left = removals.read(stores).filter((shard) => !settled.has(blobOf(shard)));
    removals.write(stores, left);
  }

  /** Nothing is left to be done about its file. One that has a row again came back: it stays. One that is being uploaded waits. */
  async #isRemoved(shard: HeldShard): Promise<boolean> {
    const { stores, held, claim } = this.#parts;
    const blob = blobOf(shard);
    const release = claim(blob);
    if (release === undefined) return false;
    try {
      if (stores.held.get(shard.owner, shard.name) !== undefined) return true;
      return (await held.remove(blob)).ok;
    } finally {
      release();
    }
  }
}

/** One folder an owner, one file a shard. */
export function blobOf({ owner, name }: HeldShard): string {
  return `${owner}/${name}`;
}
