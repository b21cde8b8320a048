/** What goes to a partner and comes back while it is audited: messages to `audits`, and entries of its ledger that we miss. */
import type { Bytes } from '../../base/bytes.ts';
import type { Outcome } from '../../base/outcome.ts';
import { ledgerStart } from '../../core/agreements/acknowledgement.ts';
import { unframeReply } from '../../core/audits/audit-answer.ts';
import {
  type AuditReply,
  type AuditRequest,
  decodeAuditReply,
  encodeAuditRequest,
} from '../../core/audits/audit-message.ts';
import type { OwnerKeys } from '../../core/sealing/keys.ts';
import type { AgreementRow } from '../../ports/stores.ts';
import type { ForeignDeletionsParts } from '../holding/mass-deletion.ts';
import type { PartnerBook } from '../partners/partner-book.ts';
import type { PartnerClient, PeerFailure } from '../partners/partner-client.ts';
import { EntryTakeover } from '../sending/entry-takeover.ts';
import type { EntrySource } from './audit-space.ts';

/** The partner's reply, or why there is none that says anything. */
export type Replied =
  | { readonly type: 'replied'; readonly reply: AuditReply; readonly blocks: Bytes }
  | { readonly type: 'failed'; readonly failure: PeerFailure }
  | { readonly type: 'garbled' };

interface LineParts extends Omit<ForeignDeletionsParts, 'shardNameKey'> {
  readonly keys: Pick<OwnerKeys, 'shardNameKey'>;
  readonly client: PartnerClient;
  readonly book: PartnerBook;
}

const gapPages = 100;
/** Lives that a partner may have had: each began after a disaster of its own. */
const livesMost = 16;

export class AuditLine {
  readonly #parts: LineParts;
  readonly #agreement: AgreementRow;
  readonly #signal: AbortSignal;

  constructor(parts: LineParts, agreement: AgreementRow, signal: AbortSignal) {
    this.#parts = parts;
    this.#agreement = agreement;
    this.#signal = signal;
  }

  async post(request: AuditRequest): Promise<Replied> {
    const { client, book } = this.#parts;
    const to = book.addressOf(this.#agreement.partner);
    const replied: Outcome<Bytes, PeerFailure> = await client.audit(
      to,
      encodeAuditRequest(request),
      this.#signal,
    );
    if (!replied.ok) return { type: 'failed', failure: replied.error };
    const parts = unframeReply(replied.value);
    const reply = parts && decodeAuditReply(parts.document);
    if (parts === undefined || reply?.ok !== true) return { type: 'garbled' };
    return { type: 'replied', reply: reply.value, blocks: parts.blocks };
  }

  /** Entries of the ledger after a place. */
  page(epoch: number, after: number): Promise<Outcome<readonly Bytes[], PeerFailure>> {
    const { client, book } = this.#parts;
    const { agreement, partner } = this.#agreement;
    const part = { agreement, epoch, after };
    return client.ledger(book.addressOf(partner), part, this.#signal);
  }

  /**
   * Fetches what the partner signed since our head: replies that never came, and what others with our key had it sign. `life`: the one in which the partner says it
   * is; what it lost on the way there must have been noted. No more than is allowed: without the rest it does not accept our challenges, and has not proved anything.
   */
  async catchUp(life = 0): Promise<void> {
    const { shardNameKey } = this.#parts.keys;
    const takeover = new EntryTakeover({ ...this.#parts, shardNameKey }, this.#agreement);
    for (let page = 0; page < gapPages; page += 1) {
      const head = takeover.head(life);
      const { epoch, sequence } =
        head.epoch < life ? ledgerStart(this.#agreement.agreement, life) : head;
      const documents = await this.page(epoch, sequence);
      if (!documents.ok) return;
      const taken = takeover.take(documents.value);
      if (taken === 0 || taken < documents.value.length) return;
    }
  }

  /** After our disaster nothing of the ledger is here: takes over what the partner signed in its present life, which is found by asking for each. */
  async adopt(): Promise<void> {
    for (let life = 0; life < livesMost; life += 1) {
      const first = await this.page(life, 0);
      if (!first.ok) return;
      if (first.value.length === 0) continue;
      await this.catchUp(life);
      return;
    }
  }
}

/** Entries from our own part of the ledger, and from the partner where ours begins later. */
export class LedgerPages {
  readonly #line: AuditLine;
  readonly #stored: EntrySource;
  /** Why the partner gave none. */
  failure: PeerFailure | undefined;
  /** The partner was asked. */
  isRemote = false;

  constructor(line: AuditLine, stored: EntrySource) {
    this.#line = line;
    this.#stored = stored;
  }

  readonly read: EntrySource = async (epoch, sequence) => {
    const ours = await this.#stored(epoch, sequence);
    if (ours.length > 0) return ours;
    this.isRemote = true;
    const page = await this.#line.page(epoch, sequence - 1);
    if (!page.ok) this.failure = page.error;
    return page.ok ? page.value : [];
  };
}

/** The code with which the partner refused; undefined when it did not. */
export function refusalOf(failure: PeerFailure): string | undefined {
  return failure.code === 'peer.refused' ? (failure.refusal ?? 'peer.refused') : undefined;
}
