/**
 * The shards that audits draw from, kept in step with the ledger of an agreement, on either side of it (docs/protocol.md#audits).
 *
 * Entries are followed one after the other, each checked for its signature and its place in the chain, so both sides come to the same shards. An owner that
 * lost its part of the ledger gets it from the partner, which cannot have changed it without breaking the chain.
 */
import { assert } from '../../base/assert.ts';
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import type { Instant } from '../../base/units.ts';
import {
  type LedgerEntry,
  type LedgerHead,
  ledgerStart,
  readEntry,
} from '../../core/agreements/acknowledgement.ts';
import {
  type AuditedShard,
  inventoryRoot,
  spaceAt,
  spaceChange,
} from '../../core/audits/audited-space.ts';
import type { ChosenBlock } from '../../core/audits/block-choice.ts';
import type { AgreementId, PeerId, ShardName } from '../../core/vocabulary/ids.ts';
import type { AuditAccount, AuditLane } from '../../ports/audit-store.ts';
import type { Clock } from '../../ports/clock.ts';
import type { LedgerSide, Stores } from '../../ports/stores.ts';
import { memoryOf, type SpaceMemory } from './space-memory.ts';

/** Consecutive entries of the ledger, from a place on; none when they cannot be had. */
export type EntrySource = (epoch: number, sequence: number) => Promise<readonly Bytes[]>;

export type FollowFailure = { readonly code: 'ledger.gap' | 'ledger.fork'; readonly epoch: number };

/** The entries that this computer has stored of a ledger, as the one that signs it or as the one it is signed for. */
export function storedEntries(
  stores: Stores,
  agreement: AgreementId,
  side: LedgerSide,
): EntrySource {
  return (epoch, first) => {
    const documents: Bytes[] = [];
    for (let sequence = first; sequence < first + sliceEntries; sequence += 1) {
      const row = stores.ledger.get(agreement, side, { epoch, sequence });
      if (row === undefined) break;
      documents.push(row.document);
    }
    return Promise.resolve(documents);
  };
}

/** Followed in one transaction, so that the event loop is not held up for long. */
const sliceEntries = 100;

export class AuditSpace {
  readonly #stores: Stores;
  readonly #clock: Clock;
  readonly #memory: SpaceMemory;

  constructor(stores: Stores, clock: Clock) {
    this.#stores = stores;
    this.#clock = clock;
    this.#memory = memoryOf(stores);
  }

  account(lane: AuditLane): AuditAccount {
    return this.#stores.audits.account(lane) ?? emptyAccount(lane, this.#clock.now());
  }

  /** The shards at that place of the ledger, in order of name. Not inside a transaction that changes them. */
  at(lane: AuditLane, sequence: number): readonly AuditedShard[] {
    return this.#memory.space(lane, sequence, () =>
      spaceAt(this.#stores.audits.shards(lane), sequence),
    );
  }

  /** The root over the shards at that place, of which `head` is the entry's hash. */
  inventoryRoot(
    lane: AuditLane,
    { sequence, head }: { readonly sequence: number; readonly head: Bytes },
  ): Bytes {
    return this.#memory.root(lane, head, () => inventoryRoot(this.at(lane, sequence)));
  }

  /** How many shards there are as far as the ledger was followed. */
  presentCount(lane: AuditLane): number {
    const { hash, sequence } = this.account(lane);
    return this.#memory.count(lane, hash, () => this.at(lane, sequence).length);
  }

  /** These were drawn in the round. Inside the transaction of the caller. */
  visit(lane: AuditLane, chosen: readonly ChosenBlock[], round: number): void {
    const { audits } = this.#stores;
    this.#memory.changed(lane);
    for (const { shard } of chosen) {
      const there = audits.shard(lane, shard.name);
      if (there?.sequence === shard.sequence) audits.putShard(lane, { ...there, visitedIn: round });
    }
  }

  /** Follows the ledger that `holder` signs up to `head`. */
  async follow(
    lane: AuditLane,
    to: { readonly head: LedgerHead; readonly holder: PeerId },
    source: EntrySource,
  ): Promise<Outcome<void, FollowFailure>> {
    const { head, holder } = to;
    if (this.account(lane).epoch !== head.epoch || this.account(lane).sequence === 0)
      this.#begin(lane, head.epoch);
    while (this.account(lane).sequence < head.sequence) {
      const before = this.account(lane);
      const room = Math.min(sliceEntries, head.sequence - before.sequence);
      const documents = await source(head.epoch, before.sequence + 1);
      if (documents.length === 0) return failed({ code: 'ledger.gap', epoch: head.epoch });
      const view = { agreement: lane.agreement, holder };
      if (!this.#take(lane, view, documents.slice(0, room)))
        return failed({ code: 'ledger.fork', epoch: head.epoch });
      await this.#clock.sleep(0);
    }
    const { sequence, hash } = this.account(lane);
    if (sequence === head.sequence && !equalBytes(hash, head.hash))
      return failed({ code: 'ledger.fork', epoch: head.epoch });
    return succeeded(undefined);
  }

  /**
   * Knows again which shards there were at `sequence`, a place of the present epoch, though they were deleted since and are forgotten. Entries that were followed once
   * are good.
   */
  async recall(
    lane: AuditLane,
    at: { readonly sequence: number; readonly holder: PeerId },
    source: EntrySource,
  ): Promise<void> {
    const { epoch, sequence: last } = this.account(lane);
    const view = { agreement: lane.agreement, holder: at.holder };
    const shards = new Map<ShardName, AuditedShard>();
    const deleted: AuditedShard[] = [];
    for (let place = 0; place < last; ) {
      const documents = await source(epoch, place + 1);
      assert(documents.length > 0, 'a ledger that was followed is there');
      for (const document of documents.slice(0, last - place)) {
        const entry = readEntry(view, document);
        assert(entry.ok, 'an entry that was followed can be read');
        const { acknowledgement } = entry.value;
        const change = spaceChange(acknowledgement, shards.get(acknowledgement.name));
        if (change?.type === 'add') shards.set(acknowledgement.name, change.shard);
        if (change?.type === 'delete') {
          shards.delete(acknowledgement.name);
          if (acknowledgement.sequence > at.sequence) deleted.push(change.shard);
        }
      }
      place += documents.length;
      await this.#clock.sleep(0);
    }
    this.#memory.recalled(lane);
    this.#stores.transact(() => {
      for (const shard of deleted) this.#stores.audits.putShard(lane, shard);
    });
  }

  #begin(lane: AuditLane, epoch: number): void {
    const { audits } = this.#stores;
    this.#memory.changed(lane);
    const { hash } = ledgerStart(lane.agreement, epoch);
    this.#stores.transact(() => {
      audits.clearShards(lane);
      const place = { epoch, sequence: 0, hash, round: 0, roundStart: 0 };
      audits.putAccount({ ...this.account(lane), ...place });
    });
  }

  /** False when an entry does not follow the one before. */
  #take(
    lane: AuditLane,
    view: Parameters<typeof readEntry>[0],
    documents: readonly Bytes[],
  ): boolean {
    const before = this.account(lane);
    let place: LedgerHead = before;
    const entries: LedgerEntry[] = [];
    for (const document of documents) {
      const entry = readEntry(view, document);
      if (!entry.ok || !follows(place, entry.value)) return false;
      entries.push(entry.value);
      place = entry.value.head;
    }
    this.#memory.changed(lane);
    this.#stores.transact(() => {
      for (const entry of entries) this.#apply(lane, entry);
      const { epoch, sequence, hash } = place;
      this.#stores.audits.putAccount({ ...before, epoch, sequence, hash });
    });
    return true;
  }

  #apply(lane: AuditLane, { acknowledgement }: LedgerEntry): void {
    const { audits } = this.#stores;
    const change = spaceChange(acknowledgement, audits.shard(lane, acknowledgement.name));
    if (change !== undefined) audits.putShard(lane, change.shard);
  }
}

function follows(place: LedgerHead, { acknowledgement }: LedgerEntry): boolean {
  return (
    acknowledgement.epoch === place.epoch &&
    acknowledgement.sequence === place.sequence + 1 &&
    equalBytes(acknowledgement.previousHash, place.hash)
  );
}

function emptyAccount(lane: AuditLane, now: Instant): AuditAccount {
  const { agreement, side } = lane;
  return {
    ...{ agreement, side, epoch: 0, sequence: 0, hash: ledgerStart(agreement, 0).hash },
    ...{ round: 0, roundStart: 0, lastAt: undefined },
    ...{ dayStart: now, drawnBlocks: 0, passed: 0, wrong: 0, unanswered: 0 },
  };
}
