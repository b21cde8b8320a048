/**
 * Requests to partners, typed: every call ends in what was asked for or in a failure with its reason.
 *
 * Whatever a partner sends is bounded before it is read whole.
 */
import type { Bytes } from '../../base/bytes.ts';
import { linkedAbort } from '../../base/linked-abort.ts';
import { failed, type Outcome } from '../../base/outcome.ts';
import { minuteMs } from '../../base/units.ts';
import { auditReplyMaximumBytes } from '../../core/audits/audit-message.ts';
import type { AgreementId, PeerId, ShardName } from '../../core/vocabulary/ids.ts';
import {
  blockBytes,
  manifestMaximumBytes,
  messageMaximumBytes,
} from '../../core/vocabulary/limits.ts';
import { type BlockRange, rangeText } from '../../core/wire/block-range.ts';
import { addressesFields } from '../../core/wire/contact.ts';
import { parseCount } from '../../core/wire/count.ts';
import { decodeInventory, type InventoryPage } from '../../core/wire/inventory.ts';
import { decodeLedgerPage } from '../../core/wire/ledger-page.ts';
import { decodeRefusal, type RefusalCode } from '../../core/wire/refusal.ts';
import { pathOf, type Resource } from '../../core/wire/resources.ts';
import {
  blocksField,
  grownField,
  trashedField,
  uploadFields,
} from '../../core/wire/shard-upload.ts';
import type { Clock } from '../../ports/clock.ts';
import type {
  Body,
  Fields,
  Method,
  PeerAddress,
  PeerReply,
  Silence,
  Transport,
} from '../../ports/transport.ts';
import { UploadPace } from '../sending/upload-pace.ts';
import type { SentShard } from './refused-room.ts';
import { nonsense, wholeBody } from './whole-body.ts';

/** The peer answered, and refused. */
export interface Refused {
  readonly code: 'peer.refused';
  readonly refusal: RefusalCode | undefined;
  readonly detail: string;
}

/** The peer answered, with something that it should not have. */
export interface Misanswered {
  readonly code: 'peer.nonsense';
  readonly detail: string;
}

export type PeerFailure = Silence | Refused | Misanswered;

/** A notice that was sent; `failure`: why it was not heeded. */
export interface Notified {
  readonly peer: PeerId;
  readonly notice: Bytes;
  readonly failure: PeerFailure | undefined;
}

/** `trash`: its owner let it go, and it is not gone yet. */
export type ShardWhereabouts = 'held' | 'trash' | 'gone';

interface Call {
  readonly method: Method;
  readonly resource: Resource;
  readonly fields?: Fields;
  readonly body?: Body;
  readonly signal: AbortSignal;
  readonly limitBytes: number;
}

/** Failures that say nothing of whether the peer would have done what it was asked for. */
const unsaid: ReadonlySet<string> = new Set(['peer.unreachable', 'peer.cancelled']);
/** A message is over by then on any line; a peer that sends one byte now and then would never fall silent. */
const messageMs: number = 5 * minuteMs;

export interface PartnerClientSelf {
  readonly clock: Clock;
  /** Where this computer can be found: told with every request, so that partners keep up when it moves. */
  readonly addresses: () => readonly string[];
  /** Told of every answer and every silence. */
  readonly heard: (peer: PeerId, answered: boolean) => void;
  /** Told of peers that take this computer for a former partner. */
  readonly ended?: (peer: PeerId) => void;
  /** Told what became of every notice. */
  readonly notified?: (sent: Notified) => void;
  /** Told whether a peer that was there took a shard in, of which it was sent all that it did not have. */
  readonly taken?: (peer: PeerId, shard: SentShard, whole: boolean) => void;
  /** Told when bytes of shards begin to go to a peer or to come from it; what it gives is called with how many went well. */
  readonly transferring?: (peer: PeerId, direction: 'up' | 'down') => (bytes: number) => void;
}

export class PartnerClient {
  readonly #transport: Transport;
  readonly #self: PartnerClientSelf;

  constructor(transport: Transport, self: PartnerClientSelf) {
    this.#transport = transport;
    this.#self = self;
  }

  /** Blocks of a shard that lie durably at the partner from an upload that was cut off. */
  async grownBlocks(to: PeerAddress, name: ShardName, signal: AbortSignal): Promise<number> {
    const reply = await this.#head(to, name, signal);
    return reply.ok ? (parseCount(reply.value.fields[grownField]) ?? 0) : 0;
  }

  /** Where the partner has a shard; undefined when it did not say. */
  async whereabouts(
    to: PeerAddress,
    name: ShardName,
    signal: AbortSignal,
  ): Promise<ShardWhereabouts | undefined> {
    const reply = await this.#head(to, name, signal);
    if (!reply.ok) return undefined;
    const { fields } = reply.value;
    if (fields[blocksField] === undefined) return 'gone';
    return fields[trashedField] === '1' ? 'trash' : 'held';
  }

  #head(
    to: PeerAddress,
    name: ShardName,
    signal: AbortSignal,
  ): Promise<Outcome<PeerReply, PeerFailure>> {
    const resource: Resource = { resource: 'shard', name };
    return this.#withinMessageTime(signal, (limited) =>
      this.#exchange(to, { method: 'HEAD', resource, signal: limited, limitBytes: 0 }),
    );
  }

  /** Lets go of a shard; gives the signed entry of the ledger. */
  deleteShard(
    to: PeerAddress,
    name: ShardName,
    signal: AbortSignal,
  ): Promise<Outcome<Bytes, PeerFailure>> {
    const resource: Resource = { resource: 'shard', name };
    return this.#withinMessageTime(signal, (limited) =>
      this.#askLong(to, {
        method: 'DELETE',
        resource,
        signal: limited,
        limitBytes: messageMaximumBytes,
      }),
    );
  }

  /**
   * Sends the rest of a shard from block `firstBlock` on; gives the signed acknowledgement. A partner that takes it too slowly counts as silent. Without `body` it is asked
   * whether it has the shard still.
   */
  async putShard(
    to: PeerAddress,
    shard: {
      readonly name: ShardName;
      readonly blockCount: number;
      readonly firstBlock: number;
      readonly merkleRoot: Bytes;
      readonly body?: Body;
    },
    signal: AbortSignal,
  ): Promise<Outcome<Bytes, PeerFailure>> {
    const pace = new UploadPace(this.#self.clock);
    const ended = this.#self.transferring?.(to.peer, 'up');
    const { value, isLate } = await this.#until(
      signal,
      (late, ended) => pace.watch(late, ended),
      (limited) =>
        this.#askLong(to, {
          method: 'PUT',
          resource: { resource: 'shard', name: shard.name },
          fields: uploadFields(shard),
          body: pace.watched(shard.body ?? nothing()),
          signal: limited,
          limitBytes: messageMaximumBytes,
        }),
    );
    ended?.(value.ok ? (shard.blockCount - shard.firstBlock) * blockBytes : 0);
    const isSaid = value.ok || !unsaid.has(value.error.code);
    const sent: SentShard = { name: shard.name, bytes: shard.blockCount * blockBytes };
    // Whether it has a shard still says nothing of its room.
    if (isSaid && shard.body !== undefined) this.#self.taken?.(to.peer, sent, value.ok);
    if (value.ok || !isLate) return value;
    return failed({ code: 'peer.silent', detail: 'takes less than can be waited for' });
  }

  /** Exactly these blocks, sealed and unchecked. */
  async blocks(
    to: PeerAddress,
    wanted: { readonly name: ShardName; readonly range: BlockRange },
    signal: AbortSignal,
  ): Promise<Outcome<Bytes, PeerFailure>> {
    const length = wanted.range.count * blockBytes;
    const ended = this.#self.transferring?.(to.peer, 'down');
    const answer = await this.#ask(to, {
      method: 'GET',
      resource: { resource: 'shard', name: wanted.name },
      fields: { range: rangeText(wanted.range) },
      signal,
      limitBytes: length,
    });
    ended?.(answer.ok ? answer.value.length : 0);
    if (answer.ok && answer.value.length !== length)
      return nonsense('another number of bytes than asked for');
    return answer;
  }

  /** What the peer says of itself, signed and unchecked: a sign of life. */
  profile(to: PeerAddress, signal: AbortSignal): Promise<Outcome<Bytes, PeerFailure>> {
    return this.message(to, { method: 'GET', resource: { resource: 'profile' } }, signal);
  }

  /** Tells the peer something that it should know, signed. */
  async notify(
    to: PeerAddress,
    notice: Bytes,
    signal: AbortSignal,
  ): Promise<Outcome<Bytes, PeerFailure>> {
    const resource: Resource = { resource: 'notices' };
    const answer = await this.message(to, { method: 'POST', resource, body: notice }, signal);
    const failure = answer.ok ? undefined : answer.error;
    this.#self.notified?.({ peer: to.peer, notice, failure });
    return answer;
  }

  async inventory(
    to: PeerAddress,
    after: ShardName | undefined,
    signal: AbortSignal,
  ): Promise<Outcome<InventoryPage, PeerFailure>> {
    const resource: Resource = { resource: 'inventory', after };
    const answer = await this.message(to, { method: 'GET', resource }, signal);
    if (!answer.ok) return answer;
    const page = decodeInventory(answer.value);
    return page.ok ? page : nonsense(page.error.code);
  }

  async ledger(
    to: PeerAddress,
    part: { readonly agreement: AgreementId; readonly epoch: number; readonly after: number },
    signal: AbortSignal,
  ): Promise<Outcome<readonly Bytes[], PeerFailure>> {
    const resource: Resource = { resource: 'ledger', ...part };
    const answer = await this.message(to, { method: 'GET', resource }, signal);
    if (!answer.ok) return answer;
    const page = decodeLedgerPage(answer.value);
    return page.ok ? page : nonsense(page.error.code);
  }

  /** Leaves a manifest with a partner; gives its signed receipt. */
  putManifest(
    to: PeerAddress,
    manifest: { readonly owner: PeerId; readonly document: Bytes },
    signal: AbortSignal,
  ): Promise<Outcome<Bytes, PeerFailure>> {
    const resource: Resource = { resource: 'manifest', owner: manifest.owner };
    return this.message(to, { method: 'PUT', resource, body: manifest.document }, signal);
  }

  manifest(
    to: PeerAddress,
    owner: PeerId,
    signal: AbortSignal,
  ): Promise<Outcome<Bytes, PeerFailure>> {
    return this.#ask(to, {
      method: 'GET',
      resource: { resource: 'manifest', owner },
      signal,
      limitBytes: manifestMaximumBytes,
    });
  }

  negotiate(
    to: PeerAddress,
    message: Bytes,
    signal: AbortSignal,
  ): Promise<Outcome<Bytes, PeerFailure>> {
    const resource: Resource = { resource: 'negotiation' };
    return this.message(to, { method: 'POST', resource, body: message }, signal);
  }

  /** One message, and the whole answer to it, of at most 64 KiB. */
  message(
    to: PeerAddress,
    message: { readonly method: Method; readonly resource: Resource; readonly body?: Bytes },
    signal: AbortSignal,
  ): Promise<Outcome<Bytes, PeerFailure>> {
    return this.#ask(to, { ...message, signal, limitBytes: messageMaximumBytes });
  }

  /** One step of an audit; what comes back is read by whoever asked (docs/protocol.md#audits). */
  audit(
    to: PeerAddress,
    message: Bytes,
    signal: AbortSignal,
  ): Promise<Outcome<Bytes, PeerFailure>> {
    return this.#ask(to, {
      method: 'POST',
      resource: { resource: 'audits' },
      body: message,
      signal,
      limitBytes: auditReplyMaximumBytes,
    });
  }

  /** The body of a good answer, whole. Shards take the time that they take; everything else has an end. */
  async #ask(to: PeerAddress, call: Call): Promise<Outcome<Bytes, PeerFailure>> {
    if (call.resource.resource === 'shard') return await this.#askLong(to, call);
    return await this.#withinMessageTime(call.signal, (signal) =>
      this.#askLong(to, { ...call, signal }),
    );
  }

  async #withinMessageTime<T>(
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { clock } = this.#self;
    const { value } = await this.#until(
      signal,
      (late, ended) => clock.sleep(messageMs, ended).then(() => late()),
      work,
    );
    return value;
  }

  /** Does the work under a signal that `watch` may abort by calling `late`. */
  async #until<T>(
    signal: AbortSignal,
    watch: (late: () => void, ended: AbortSignal) => Promise<void>,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<{ readonly value: T; readonly isLate: boolean }> {
    const limited = linkedAbort(signal);
    const ended = linkedAbort();
    let isLate = false;
    const late = (): void => {
      if (ended.signal.aborted) return;
      isLate = true;
      limited.abort();
    };
    void watch(late, ended.signal);
    try {
      const value = await work(limited.signal);
      return { value, isLate };
    } finally {
      limited.release();
      ended.abort();
    }
  }

  async #askLong(to: PeerAddress, call: Call): Promise<Outcome<Bytes, PeerFailure>> {
    const reply = await this.#exchange(to, call);
    if (!reply.ok) return reply;
    return await wholeBody(reply.value.body, call.limitBytes);
  }

  /** A good answer, or why there is none. */
  async #exchange(to: PeerAddress, call: Call): Promise<Outcome<PeerReply, PeerFailure>> {
    const { method, resource, fields, body, signal } = call;
    const reply = await this.#transport.request(
      to,
      {
        method,
        path: pathOf(resource),
        fields: { ...fields, ...addressesFields(this.#self.addresses()) },
        ...(body && { body }),
      },
      { signal },
    );
    // What we broke off ourselves says nothing about the peer.
    if (reply.ok || reply.error.code !== 'peer.cancelled') this.#self.heard(to.peer, reply.ok);
    if (!reply.ok) return reply;
    if (reply.value.status < 300) {
      if (method === 'HEAD') await wholeBody(reply.value.body, 0);
      return reply;
    }
    const refused = await refusalOf(reply.value);
    if (refused.refusal === 'request.ended') this.#self.ended?.(to.peer);
    return failed(refused);
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

async function refusalOf(reply: PeerReply): Promise<Refused> {
  const body = await wholeBody(reply.body, messageMaximumBytes);
  const decoded = body.ok ? decodeRefusal(body.value) : body;
  if (!decoded.ok)
    return { code: 'peer.refused', refusal: undefined, detail: `status ${reply.status}` };
  return { code: 'peer.refused', refusal: decoded.value.code, detail: decoded.value.detail };
}
