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
  readonly clock: Clock;
  readonly log: EventLog;
  /** Tells a partner whose read quota is used up that this computer restores; whether it accepted that. */
  readonly announceRestore?: (partner: PeerId, signal: AbortSignal) => Promise<boolean>;
  /** Told of every read. */
  readonly watched?: (read: ShardReading) => void;
}

/** What came of asking for blocks: `code` says why nothing came, `wrong` counts those that came and were not right. */
export interface ShardReading {
  readonly partner: PeerId;
  readonly blocks: number;
  readonly wrong: number;
  readonly code: PeerFailure['code'] | RefusalCode | undefined;
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
    const { pace, losses, clock, log, watched } = this.#parts;
    const name = this.#nameOf(shard);
    const started = clock.now();
    const range = { first: stretch.first, count: stretch.count };
    const answer = await this.#ask(shard.partner, { name, range }, signal);
    if (!answer.ok) {
      if (!signal.aborted) {
        pace.failed(shard.partner);
        const { partner } = shard;
        watched?.({ partner, blocks: range.count, wrong: 0, code: codeOf(answer.error) });
        if (isGone(answer.error)) {
          losses.note(shard, 'lost');
          losses.spoiltReserve(partner, name);
        }
        log.write('info', 'shard.not-read', { partner: shard.partner, code: answer.error.code });
      }
      return [];
    }
    pace.succeeded(shard.partner, stretch.count, Math.max(0, clock.now() - started));
    return this.#open(shard, stretch, answer.value);
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

function codeOf(failure: PeerFailure): ShardReading['code'] {
  return failure.code === 'peer.refused' ? (failure.refusal ?? failure.code) : failure.code;
}

/** The partner itself says that it does not have the shard. */
function isGone(failure: PeerFailure): boolean {
  return failure.code === 'peer.refused' && failure.refusal === 'shard.unknown';
}
