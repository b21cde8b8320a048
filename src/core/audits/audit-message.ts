/** What goes to `audits` and comes back: signed documents, each with the word that says what it is. */
import type { Bytes } from '../../base/bytes.ts';
import { type DocumentFailure, decodeDocument, encodeDocument } from '../../base/document.ts';
import type { Outcome } from '../../base/outcome.ts';
import { blockBytes, messageMaximumBytes } from '../vocabulary/limits.ts';
import { answerMaximumBytes } from './audit-answer.ts';
import { blocksPerAuditMaximum } from './challenge.ts';

const requests = ['challenge', 'opening', 'verdict'] as const;
const replies = ['nonce', 'denial', 'answer', 'noted'] as const;

export interface AuditMessage<Kind extends string> {
  readonly type: Kind;
  /** Encoded and signed; empty for `noted`. */
  readonly document: Bytes;
}

export type AuditRequest = AuditMessage<(typeof requests)[number]>;
export type AuditReply = AuditMessage<(typeof replies)[number]>;

const request = { magic: 'covault/audit-request', version: 1, limitBytes: messageMaximumBytes };
const replyMaximumBytes: number = answerMaximumBytes + 256;
/** A framed reply with all the blocks that an audit can ask for. */
export const auditReplyMaximumBytes: number =
  replyMaximumBytes + 4 + blocksPerAuditMaximum * blockBytes;
const reply = { magic: 'covault/audit-reply', version: 1, limitBytes: replyMaximumBytes };

export function encodeAuditRequest({ type, document }: AuditRequest): Bytes {
  return encodeDocument(request, [type, document]);
}

export function decodeAuditRequest(bytes: Uint8Array): Outcome<AuditRequest, DocumentFailure> {
  return decodeDocument(request, bytes, (fields) => ({
    type: fields.choice(requests),
    document: fields.bytes({ minimum: 1, maximum: messageMaximumBytes }),
  }));
}

export function encodeAuditReply({ type, document }: AuditReply): Bytes {
  return encodeDocument(reply, [type, document]);
}

export function decodeAuditReply(bytes: Uint8Array): Outcome<AuditReply, DocumentFailure> {
  return decodeDocument(reply, bytes, (fields) => ({
    type: fields.choice(replies),
    document: fields.bytes({ maximum: replyMaximumBytes }),
  }));
}
