/**
 * Brings one sealed shard to its partner and its acknowledgement into our ledger.
 *
 * Deliveries to one partner run one after the other, so that acknowledgements arrive in the order of the ledger. If some were lost on the way (a reply that
 * never came), the partner's entries are fetched and checked before going on. A partner that begins a new ledger has lost the shards of the old one.
 * Deletions go the same way.
 */

import { present } from '../../base/assert.ts';
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import {
  checkAcknowledgement,
  checkDeletion,
  type LedgerEntry,
  type LedgerFailure,
  type LedgerSubject,
  type LedgerView,
  ledgerStart,
  readEntry,
} from '../../core/agreements/acknowledgement.ts';
import { ShardNamer } from '../../core/sealing/shard-name.ts';
import type { AgreementId, PeerId, ShardName } from '../../core/vocabulary/ids.ts';
import { blockBytes } from '../../core/vocabulary/limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { AgreementRow, PackRow, Stores } from '../../ports/stores.ts';
import type { SealedShard } from '../../ports/stripe-coder.ts';
import { noteHeld } from '../holding/held-note.ts';
import type { PartnerBook } from '../partners/partner-book.ts';
import type { PartnerClient, PeerFailure } from '../partners/partner-client.ts';
import type { RateLimit } from '../work/rate-limit.ts';
import { EntryTakeover } from './entry-takeover.ts';
import { Lane } from './lane.ts';
import { noteLosses } from './returned-holder.ts';
import type { ShardLosses } from './shard-losses.ts';

export interface Delivery {
  /** With the stripe that the shard is of, be it the present one or the next. */
  readonly pack: PackRow;
  readonly shard: SealedShard;
  readonly signal: AbortSignal;
}

export interface Removal {
  readonly partner: PeerId;
  readonly name: ShardName;
  /** Asked when nothing else is on its way to the partner any more. */
  readonly isDue: () => boolean;
  readonly signal: AbortSignal;
}

/** A shard that its partner should have, as the partner once signed for it. */
export interface TakenBack {
  readonly pack: PackRow;
  readonly index: number;
  readonly partner: PeerId;
  readonly blockCount: number;
  readonly merkleRoot: Bytes;
  readonly signal: AbortSignal;
}

export type DeliveryFailure = {
  readonly code:
    | 'delivery.no-space'
    | 'delivery.refused'
    | 'delivery.silent'
    | 'delivery.bad-acknowledgement'
    | 'delivery.not-partner'
    | 'delivery.cancelled';
  readonly detail: string;
};

export interface ShardDeliveryParts {
  readonly shardNameKey: Bytes;
  readonly stores: Stores;
  readonly client: PartnerClient;
  readonly book: PartnerBook;
  readonly clock: Clock;
  readonly limit: RateLimit;
  readonly log: EventLog;
  /** Told of shards that somebody with our key had deleted, and of those that a partner lost. */
  readonly losses: Pick<ShardLosses, 'admitted' | 'enter' | 'takeBack' | 'entered'>;
  /** A partner signs in a later life, and does not list so many shards any more that we thought it had. */
  readonly toldLost?: (partner: PeerId, shards: number) => void;
}

/** What a partner signed, and what follows from it. */
interface SignedReply {
  readonly agreement: AgreementRow;
  readonly document: Bytes;
  /** Against what was asked for. */
  readonly check: (view: LedgerView) => Outcome<LedgerEntry, LedgerFailure>;
  /** Inside the step that appends the entry. */
  readonly commit: () => void;
  readonly signal: AbortSignal;
}

/** What is handed to the transport at once. */
const sliceBytes: number = 4 * blockBytes;
/** Of 100 entries each. Only a recovered catalogue misses more, and audits fetch that. */
const gapPagesMaximum = 10;

export class ShardDelivery {
  readonly #parts: ShardDeliveryParts;
  readonly #lanes = new Map<PeerId, Lane>();
  /** Shards whose last upload was cut off: the partner may have part of them. */
  readonly #begun = new Set<ShardName>();

  constructor(parts: ShardDeliveryParts) {
    this.#parts = parts;
  }

  deliver(delivery: Delivery): Promise<Outcome<void, DeliveryFailure>> {
    return this.#laneOf(delivery.shard.partner).run(() => this.#deliverNow(delivery));
  }

  /** Has a retired shard deleted, and forgets it; also when the partner does not know it. */
  remove(removal: Removal): Promise<Outcome<void, DeliveryFailure>> {
    return this.#laneOf(removal.partner).run(() => this.#removeNow(removal));
  }

  /** Has a deleted shard taken out of its partner's trash: announced like one that is sent again, of which the partner needs no block when it has them all. */
  takeBack(wanted: TakenBack): Promise<Outcome<void, DeliveryFailure>> {
    return this.#laneOf(wanted.partner).run(() => this.#takeBackNow(wanted));
  }

  #laneOf(partner: PeerId): Lane {
    const lane = this.#lanes.get(partner) ?? new Lane();
    this.#lanes.set(partner, lane);
    return lane;
  }

  async #removeNow({
    partner,
    name,
    isDue,
    signal,
  }: Removal): Promise<Outcome<void, DeliveryFailure>> {
    const { book, client, stores, log } = this.#parts;
    if (signal.aborted) return failed({ code: 'delivery.cancelled', detail: 'on request' });
    if (!isDue()) return succeeded(undefined);
    const agreement = book.get(partner);
    const commit = (): void => stores.layouts.forgetRetired(partner, name);
    if (agreement === undefined) {
      commit();
      return succeeded(undefined);
    }
    const answer = await client.deleteShard(book.addressOf(partner), name, signal);
    if (!answer.ok) {
      const isGone =
        answer.error.code === 'peer.refused' && answer.error.refusal === 'shard.unknown';
      if (!isGone) return failed(failureOf(answer.error, signal));
      commit();
      return succeeded(undefined);
    }
    const document = answer.value;
    const check = (view: LedgerView): Outcome<LedgerEntry, LedgerFailure> =>
      checkDeletion(view, name, document);
    const settled = await this.#settle({ agreement, document, check, commit, signal });
    if (settled.ok) log.write('debug', 'shard.deleted', { partner, name });
    return settled;
  }

  async #takeBackNow(wanted: TakenBack): Promise<Outcome<void, DeliveryFailure>> {
    const { book, client, shardNameKey, stores, clock, log } = this.#parts;
    const { pack, index, partner, blockCount, merkleRoot, signal } = wanted;
    if (signal.aborted) return failed({ code: 'delivery.cancelled', detail: 'on request' });
    const agreement = book.get(partner);
    if (agreement === undefined) return failed({ code: 'delivery.not-partner', detail: partner });
    const stripe = present(pack.stripe, 'a coded pack has a stripe');
    const name = new ShardNamer(shardNameKey, partner).nameOf(stripe, index);
    const upload = { name, blockCount, firstBlock: blockCount - 1, merkleRoot };
    const answer = await client.putShard(book.addressOf(partner), upload, signal);
    if (!answer.ok) return failed(failureOf(answer.error, signal));
    const subject: LedgerSubject = { action: 'put', name, blockCount, merkleRoot };
    const document = answer.value;
    const settled = await this.#settle({
      agreement,
      document,
      check: (view) => checkAcknowledgement(view, subject, document),
      commit: () =>
        noteHeld(stores, { pack: pack.pack, stripe, index, partner, name }, clock.now()),
      signal,
    });
    if (settled.ok) log.write('info', 'shard.taken-back', { pack: pack.pack, index, partner });
    return settled;
  }

  async #deliverNow({ pack, shard, signal }: Delivery): Promise<Outcome<void, DeliveryFailure>> {
    const { book, client, shardNameKey, stores, clock, log } = this.#parts;
    if (signal.aborted) return failed({ code: 'delivery.cancelled', detail: 'on request' });
    const agreement = book.get(shard.partner);
    if (agreement === undefined)
      return failed({ code: 'delivery.not-partner', detail: shard.partner });
    const to = book.addressOf(shard.partner);
    const stripe = present(pack.stripe, 'a coded pack has a stripe');
    const name = new ShardNamer(shardNameKey, shard.partner).nameOf(stripe, shard.index);
    const blockCount = shard.bytes.length / blockBytes;
    const grown = this.#begun.has(name) ? await client.grownBlocks(to, name, signal) : 0;
    const firstBlock = Math.min(grown, blockCount - 1);
    const body = this.#slices(shard.bytes.subarray(firstBlock * blockBytes), signal);
    this.#begun.add(name);
    const { merkleRoot } = shard;
    const upload = { name, blockCount, firstBlock, merkleRoot, body };
    const answer = await client.putShard(to, upload, signal);
    if (!answer.ok) return failed(failureOf(answer.error, signal));
    const subject: LedgerSubject = { action: 'put', name, blockCount, merkleRoot };
    const document = answer.value;
    const { index, partner } = shard;
    const settled = await this.#settle({
      agreement,
      document,
      check: (view) => checkAcknowledgement(view, subject, document),
      commit: () =>
        noteHeld(stores, { pack: pack.pack, stripe, index, partner, name }, clock.now()),
      signal,
    });
    if (!settled.ok) return settled;
    this.#begun.delete(name);
    log.write('debug', 'shard.held', { pack: pack.pack, index, partner });
    return settled;
  }

  async *#slices(bytes: Bytes, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += sliceBytes) {
      const slice = bytes.subarray(at, at + sliceBytes);
      await this.#parts.limit.take(slice.length, signal);
      yield slice;
    }
  }

  /** Checks what the partner signed, and makes it true here as well, in one durable step. */
  async #settle(reply: SignedReply): Promise<Outcome<void, DeliveryFailure>> {
    const { agreement, signal } = reply;
    if (this.#isNewEpoch(reply)) {
      const lost = await noteLosses(this.#parts, agreement, signal);
      if (lost === undefined)
        return failed({ code: 'delivery.silent', detail: 'it does not tell what it still holds' });
      this.#parts.toldLost?.(agreement.partner, lost);
    }
    let checked = this.#check(reply);
    if (!checked.ok && checked.error.code === 'ledger.gap') {
      await this.#closeGap(agreement, checked.error.epoch, signal);
      checked = this.#check(reply);
    }
    if (!checked.ok)
      return failed({ code: 'delivery.bad-acknowledgement', detail: checked.error.code });
    const { stores } = this.#parts;
    const entry = checked.value;
    stores.transact(() => {
      if (entry !== undefined) append(stores, agreement.agreement, entry);
      reply.commit();
    });
    return succeeded(undefined);
  }

  /** Whether the partner signed in a later life than all that we know of. */
  #isNewEpoch(reply: SignedReply): boolean {
    const view = viewOf(this.#parts.stores, reply.agreement);
    const entry = readEntry(view, reply.document);
    return entry.ok && entry.value.acknowledgement.epoch > view.head.epoch;
  }

  /** The entry to append, or undefined when it stands in our ledger already: the partner gave the same answer again. */
  #check(reply: SignedReply): Outcome<LedgerEntry | undefined, LedgerFailure> {
    const { stores } = this.#parts;
    const view = viewOf(stores, reply.agreement);
    const checked = reply.check(view);
    if (checked.ok || checked.error.code !== 'ledger.old') return checked;
    const again = readEntry(view, reply.document);
    if (!again.ok) return again;
    const stored = stores.ledger.get(view.agreement, 'owner', again.value.acknowledgement);
    return stored !== undefined && equalBytes(stored.hash, again.value.head.hash)
      ? succeeded(undefined)
      : failed({ code: 'ledger.fork' });
  }

  /** Fetches the entries that follow our head, page by page, as long as they are in order. Where there are more, the next delivery goes on. */
  async #closeGap(agreement: AgreementRow, epoch: number, signal: AbortSignal): Promise<void> {
    const { client, book } = this.#parts;
    const to = book.addressOf(agreement.partner);
    const takeover = new EntryTakeover(this.#parts, agreement);
    for (let turned = 0; turned < gapPagesMaximum; turned += 1) {
      const head = takeover.head();
      const after = head.epoch === epoch ? head.sequence : 0;
      const part = { agreement: agreement.agreement, epoch, after };
      const page = await client.ledger(to, part, signal);
      if (!page.ok) return;
      const taken = takeover.take(page.value);
      if (taken === 0 || taken < page.value.length) return;
    }
  }
}

function viewOf(stores: Stores, { agreement, partner }: AgreementRow): LedgerView {
  const head = stores.ledger.head(agreement, 'owner');
  return { agreement, holder: partner, head: head ?? ledgerStart(agreement, 0) };
}

function append(stores: Stores, agreement: AgreementId, entry: LedgerEntry): void {
  stores.ledger.append({
    agreement,
    side: 'owner',
    ...entry.head,
    document: entry.document,
  });
}

function failureOf(failure: PeerFailure, signal: AbortSignal): DeliveryFailure {
  const { detail } = failure;
  if (signal.aborted) return { code: 'delivery.cancelled', detail };
  if (failure.code !== 'peer.refused')
    return { code: 'delivery.silent', detail: `${failure.code}: ${detail}` };
  const full = failure.refusal === 'shard.no-space' || failure.refusal === 'agreement.no-space';
  return {
    code: full ? 'delivery.no-space' : 'delivery.refused',
    detail: failure.refusal ?? detail,
  };
}
