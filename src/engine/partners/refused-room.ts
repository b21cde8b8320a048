/**
 * Which partners refuse what they agreed to hold: no commitment is counted for them (C30), or whoever takes in one small shard, so as to have something to prove, would
 * have its own data kept for next to nothing.
 *
 * The rule goes by bytes. A refusal counts while less is held than was agreed, and until a shard at least as large as the one that was refused is taken in, or that
 * one itself. It is forgotten after a while: nothing may be left to send. Whoever makes a backup a day tries again within that.
 */
import { dayMs, type Instant, minuteMs } from '../../base/units.ts';
import { bytesLentBy } from '../../core/agreements/agreement.ts';
import type { Code } from '../../core/vocabulary/code.ts';
import type { PackId, PeerId, ShardName } from '../../core/vocabulary/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AgreementRow, ShardRow, Stores } from '../../ports/stores.ts';
import type { PartnerBook } from './partner-book.ts';
import { agreementOf, bytesAt, shardBytesOf } from './partner-space.ts';

export interface RefusedRoomParts {
  readonly stores: Stores;
  readonly clock: Clock;
  readonly book: Pick<PartnerBook, 'get'>;
}

/** What a partner was sent, whole, in bytes of sealed blocks. */
export interface SentShard {
  readonly name: ShardName;
  readonly bytes: number;
}

interface Refusal extends SentShard {
  readonly at: Instant;
}

const restMostMs: number = 2 * dayMs;
/** What a partner holds is counted again after so long. */
const countedMs: number = minuteMs;
/** Of what was agreed so much may be taken by manifests, and by what this side does not know to be gone. */
const slackShare = 1 / 16;

export class RefusedRoom {
  readonly #parts: RefusedRoomParts;
  /** The largest that each refused of late, and when it last refused any. */
  readonly #refusals = new Map<PeerId, Refusal>();
  readonly #held = new Map<PeerId, { readonly at: Instant; readonly bytes: number }>();

  constructor(parts: RefusedRoomParts) {
    this.#parts = parts;
  }

  taken(peer: PeerId, { name, bytes }: SentShard): void {
    const before = this.#refusals.get(peer);
    if (before === undefined) return;
    if (bytes >= before.bytes || name === before.name) this.#refusals.delete(peer);
  }

  refused(peer: PeerId, shard: SentShard): void {
    const row = this.#parts.book.get(peer);
    if (row === undefined || !this.#isAgreed(row, shard.bytes)) return;
    const at = this.#parts.clock.now();
    const before = this.#recent(row);
    const larger = before !== undefined && before.bytes > shard.bytes ? before : shard;
    this.#refusals.set(peer, { name: larger.name, bytes: larger.bytes, at });
  }

  /** Whether it refused of late what it agreed to hold, and took in nothing like it since. */
  refuses(row: AgreementRow): boolean {
    return this.#recent(row) !== undefined;
  }

  #recent(row: AgreementRow): Refusal | undefined {
    const refusal = this.#refusals.get(row.partner);
    if (refusal === undefined) return undefined;
    const restMs = Math.min(restMostMs, agreementOf(row).terms.commitmentMs / 8);
    const isRecent = Math.abs(this.#parts.clock.now() - refusal.at) < restMs;
    if (!isRecent) this.#refusals.delete(row.partner);
    return isRecent ? refusal : undefined;
  }

  /** With this shard it would still hold less than it agreed to. */
  #isAgreed(row: AgreementRow, bytes: number): boolean {
    const lentBytes = bytesLentBy(agreementOf(row), row.partner);
    return this.#heldBytes(row.partner) + bytes <= lentBytes * (1 - slackShare);
  }

  /** What it acknowledged, and may have still. What is only planned for it takes no room there: whoever refuses all would be full by that. */
  #heldBytes(partner: PeerId): number {
    const { stores, clock } = this.#parts;
    const now = clock.now();
    const known = this.#held.get(partner);
    if (known !== undefined && Math.abs(now - known.at) < countedMs) return known.bytes;
    const bytes = bytesAt(stores, partner) - plannedBytesAt(stores, partner);
    this.#held.set(partner, { at: now, bytes });
    return bytes;
  }
}

function plannedBytesAt(stores: Stores, partner: PeerId): number {
  const { shards, packs, layouts } = stores;
  const isPlanned = (shard: ShardRow): boolean =>
    shard.partner === partner && shard.phase !== 'held';
  let bytes = 0;
  const add = (pack: PackId, code: Code | undefined, of: readonly ShardRow[]): void => {
    const lengthBytes = packs.get(pack)?.lengthBytes;
    if (lengthBytes === undefined || code === undefined) return;
    bytes += of.filter(isPlanned).length * shardBytesOf(lengthBytes, code);
  };
  for (const pack of shards.incompletePacks())
    add(pack, packs.get(pack)?.code, shards.ofPack(pack));
  for (const { pack, code } of layouts.all()) add(pack, code, layouts.shards(pack));
  return bytes;
}
