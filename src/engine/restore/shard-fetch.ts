/** Blocks of our shards from one partner, opened: each block is checked by its tag, and wrong ones are put down to the partner (C37–C39). */

import { assert } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import type { Outcome } from '../../base/outcome.ts';
import { ShardSealer } from '../../core/sealing/block.ts';
import type { OwnerKeys } from '../../core/sealing/keys.ts';
import { ShardNamer } from '../../core/sealing/shard-name.ts';
import type { PackId, PeerId, ShardName, StripeId } from '../../core/vocabulary/ids.ts';
import { blockBytes } from '../../core/vocabulary/limits.ts';
import { parseSuite } from '../../core/vocabulary/suite.ts';
import type { RefusalCode } from '../../core/wire/refusal.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { DeniedShards, Owed } from '../drills/denied-shards.ts';
import type { QuotaExcuse } from '../drills/quota-excuse.ts';
import type { PartnerBook } from '../partners/partner-book.ts';
import type { PartnerClient, PeerFailure } from '../partners/partner-client.ts';
import type { PartnerPace } from '../partners/partner-pace.ts';
import type { ShardLosses } from '../sending/shard-losses.ts';
import type { ShardPayloads, Stretch } from './stretch-read.ts';

/** A shard of ours at a partner. */
export interface ShardAt {
  readonly pack: PackId;
  readonly suite: number;
  readonly stripe: StripeId;
  readonly index: number;
  readonly partner: PeerId;
}

export interface ShardFetchParts {
  readonly keys: OwnerKeys;
  readonly client: PartnerClient;
  readonly book: PartnerBook;
  readonly pace: PartnerPace;
  readonly losses: ShardLosses;
  readonly denials: Pick<DeniedShards, 'owed' | 'judge'>;
  readonly quota: Pick<QuotaExcuse, 'gave' | 'mayBeUsedUp'>;
  readonly clock: Clock;
  readonly log: EventLog;
  /** Tells a partner whose read quota is used up that this computer restores; whether it accepted that. */
  readonly announceRestore?: (partner: PeerId, signal: AbortSignal) => Promise<boolean>;
  /** Told of every read. */
  readonly watched?: (read: ShardReading) => void;
}

/**
 * Why nothing came. `shard.denied`: the partner signed for more than it has, beyond what is forgiven; `quota.denied`: it says that its read quota is used up, which
 * cannot be.
 */
export type ReadingCode = PeerFailure['code'] | RefusalCode | 'shard.denied' | 'quota.denied';

/** What came of asking for blocks: `code` says why nothing came, `wrong` counts those that came and were not right. */
export interface ShardReading {
  readonly partner: PeerId;
  readonly blocks: number;
  readonly wrong: number;
  readonly code: ReadingCode | undefined;
}

export class ShardFetch {
  readonly #parts: ShardFetchParts;

  constructor(parts: ShardFetchParts) {
    this.#parts = parts;
  }

  /** Which shard of a stripe the partner knows by this name; undefined when it is of another stripe. */
  indexOf(stripe: StripeId, partner: PeerId, name: ShardName): number | undefined {
    return new ShardNamer(this.#parts.keys.shardNameKey, partner).indexIn(stripe, name);
  }

  /** The payloads of the stretch's blocks; undefined where a block was wrong; an empty list when the partner gave nothing. */
  async blocks(shard: ShardAt, stretch: Stretch, signal: AbortSignal): Promise<ShardPayloads> {
    const { pace, denials, quota, clock } = this.#parts;
    const name = this.#nameOf(shard);
    const owed = denials.owed(shard, name);
    const started = clock.now();
    const range = { first: stretch.first, count: stretch.count };
    const answer = await this.#ask(shard.partner, { name, range }, signal);
    if (!answer.ok) {
      if (!signal.aborted) this.#notGiven({ shard, name, owed }, range.count, answer.error);
      return [];
    }
    quota.gave(shard.partner, answer.value.length);
    pace.succeeded(shard.partner, stretch.count, Math.max(0, clock.now() - started));
    return this.#open(shard, stretch, answer.value);
  }

  #notGiven(
    { shard, name, owed }: { shard: ShardAt; name: ShardName; owed: Owed | undefined },
    blocks: number,
    failure: PeerFailure,
  ): void {
    const { pace, losses, denials, log, watched } = this.#parts;
    const { partner } = shard;
    pace.failed(partner);
    const isGone = codeOf(failure) === 'shard.unknown';
    // Before it is noted: then it is owed no more.
    const code = isGone ? denials.judge(shard, name, owed) : this.#reasonOf(failure, partner);
    watched?.({ partner, blocks, wrong: 0, code });
    if (isGone) {
      losses.note(shard, 'lost');
      losses.spoiltReserve(partner, name);
    }
    log.write('info', 'shard.not-read', { partner, code });
  }

  #reasonOf(failure: PeerFailure, partner: PeerId): ReadingCode {
    const code = codeOf(failure);
    const isLie = code === 'request.quota' && !this.#parts.quota.mayBeUsedUp(partner);
    return isLie ? 'quota.denied' : code;
  }

  #nameOf({ stripe, index, partner }: ShardAt): ShardName {
    return new ShardNamer(this.#parts.keys.shardNameKey, partner).nameOf(stripe, index);
  }

  /** A quota that is used up is lifted for who restores; then the same is asked for again. */
  async #ask(
    partner: PeerId,
    wanted: Parameters<PartnerClient['blocks']>[1],
    signal: AbortSignal,
  ): Promise<Outcome<Bytes, PeerFailure>> {
    const { client, book, announceRestore } = this.#parts;
    const answer = await client.blocks(book.addressOf(partner), wanted, signal);
    if (answer.ok || codeOf(answer.error) !== 'request.quota') return answer;
    if ((await announceRestore?.(partner, signal)) !== true) return answer;
    return await client.blocks(book.addressOf(partner), wanted, signal);
  }

  #open(shard: ShardAt, stretch: Stretch, sealed: Bytes): ShardPayloads {
    const { keys, pace, losses, log, watched } = this.#parts;
    const suite = parseSuite(shard.suite);
    assert(suite !== undefined, 'a suite that the catalogue took in');
    const sealer = new ShardSealer(keys.sealKey, {
      suite,
      owner: keys.peerId,
      partner: shard.partner,
      stripeId: shard.stripe,
      index: shard.index,
    });
    const payloads: (Bytes | undefined)[] = [];
    for (let index = 0; index < stretch.count; index += 1) {
      const block = sealed.subarray(index * blockBytes, (index + 1) * blockBytes);
      const opened = sealer.openBlock(stretch.first + index, block);
      payloads.push(opened.ok ? opened.value : undefined);
    }
    const wrong = payloads.filter((payload) => payload === undefined).length;
    watched?.({ partner: shard.partner, blocks: stretch.count, wrong, code: undefined });
    if (wrong > 0) {
      pace.wrong(shard.partner, wrong);
      losses.note(shard, 'wrong');
      losses.spoiltReserve(shard.partner, this.#nameOf(shard));
      log.write('warn', 'shard.wrong-blocks', {
        partner: shard.partner,
        index: shard.index,
        wrong,
      });
    }
    return payloads;
  }
}

function codeOf(failure: PeerFailure): PeerFailure['code'] | RefusalCode {
  return failure.code === 'peer.refused' ? (failure.refusal ?? failure.code) : failure.code;
}
