/** How a peer says no: a status for every HTTP tool, and a code that stays (docs/protocol.md#refusals). */
import type { Bytes } from '../../base/bytes.ts';
import { type DocumentFailure, decodeDocument, encodeDocument } from '../../base/document.ts';
import type { Outcome } from '../../base/outcome.ts';

const statuses = {
  /** The body or a field is not as the protocol says, or the body broke off. */
  'request.malformed': 400,
  /** The manifest's form, signature or owner is wrong. */
  'manifest.malformed': 400,
  /** No agreement between the two, or not about this. */
  'request.not-partner': 403,
  /** During the commitment period restores are neither made nor honoured (C30). */
  'agreement.in-commitment': 403,
  'terms.refused': 403,
  'resource.unknown': 404,
  'shard.unknown': 404,
  'manifest.unknown': 404,
  'invite.unknown': 404,
  'request.method': 405,
  /** Another shard has this name. */
  'shard.conflict': 409,
  /** The upload begins behind what is there. */
  'shard.offset': 409,
  /** Another upload of this shard is under way. */
  'shard.busy': 409,
  /** A newer manifest is held. */
  'manifest.stale': 409,
  /** Another manifest is held in its place, or before it. */
  'manifest.fork': 409,
  /** Somebody else redeemed it. */
  'invite.used': 409,
  'invite.expired': 410,
  'request.too-long': 413,
  'shard.range': 416,
  /** Too many requests, or too much read (the read quota). */
  'quota.requests': 429,
  'quota.reads': 429,
  /** A fault of the peer's own: its disk, or a bug. */
  'peer.fault': 500,
  /** New shards are not taken at present. */
  'request.paused': 503,
  /** What was lent under the agreement is used up. */
  'agreement.no-space': 507,
  /** The disk is full, whatever was agreed. */
  'shard.no-space': 507,
} as const;

export type RefusalCode = keyof typeof statuses;

export interface Refusal {
  readonly code: RefusalCode;
  /** For people; cut to its limit. */
  readonly detail: string;
}

export const refusalCodes: readonly RefusalCode[] = Object.keys(statuses) as RefusalCode[];

const detailMaximumLength = 256;
const kind = { magic: 'covault/refusal', version: 1, limitBytes: 2_048 };

export function statusOf(code: RefusalCode): number {
  return statuses[code];
}

export function encodeRefusal({ code, detail }: Refusal): Bytes {
  return encodeDocument(kind, [code, detail.slice(0, detailMaximumLength).toWellFormed()]);
}

export function decodeRefusal(bytes: Uint8Array): Outcome<Refusal, DocumentFailure> {
  return decodeDocument(kind, bytes, (fields) => ({
    code: fields.choice(refusalCodes),
    detail: fields.text(detailMaximumLength),
  }));
}
