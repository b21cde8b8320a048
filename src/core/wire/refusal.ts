/** How a peer says no: a status for every HTTP tool, and a code that stays (docs/protocol.md#refusals). */
import type { Bytes } from '../../base/bytes.ts';
import { type DocumentFailure, decodeDocument, encodeDocument } from '../../base/document.ts';
import type { Outcome } from '../../base/outcome.ts';

export type RefusalCode =
  /** The body or a field is not as the protocol says, or the body broke off. */
  | 'request.malformed'
  /** The manifest's form, signature or owner is wrong. */
  | 'manifest.malformed'
  /** No agreement between the two, or not about this. */
  | 'request.not-partner'
  /** During the commitment period restores are neither made nor honoured (C30). */
  | 'request.in-commitment'
  /** The agreement is over. What was stored is kept for a while, and given back after it was renewed. */
  | 'request.ended'
  | 'terms.refused'
  | 'resource.unknown'
  | 'shard.unknown'
  | 'manifest.unknown'
  | 'invite.unknown'
  /** No agreement with the peer that is asked about. */
  | 'record.unknown'
  | 'request.method'
  /** Another shard has this name. */
  | 'shard.conflict'
  /** What was taken in, an earlier part included, is not what was announced; it was thrown away. */
  | 'shard.wrong-root'
  /** The upload begins behind what is there. */
  | 'shard.offset'
  /** Another upload of this shard is under way. */
  | 'shard.busy'
  /** A newer manifest is held. */
  | 'manifest.stale'
  /** Another manifest is held in its place, or before it. */
  | 'manifest.fork'
  /** A sealed nonce that was answered waits to be opened, until one audit interval has passed. */
  | 'audit.unopened'
  /** The partner counts other shards, or others as visited in this round. */
  | 'audit.other-account'
  /** The partner's ledger went on more than an audit interval ago. */
  | 'audit.old-ledger'
  /** Somebody else redeemed it. */
  | 'invite.used'
  | 'invite.expired'
  /** The receipt does not follow, or the account of the one that is to sign does not bear it out. */
  | 'record.refused'
  | 'request.too-long'
  | 'shard.range'
  /** Too many requests, or more read than the read quota allows. */
  | 'request.quota'
  /** A fault of the peer's own: its disk, or a bug. */
  | 'peer.fault'
  /** New shards are not taken at present. */
  | 'request.paused'
  /** What was lent under the agreement is used up. */
  | 'agreement.no-space'
  /** The disk is full, whatever was agreed. */
  | 'shard.no-space';

const statuses: Readonly<Record<RefusalCode, number>> = {
  'request.malformed': 400,
  'manifest.malformed': 400,
  'request.not-partner': 403,
  'request.in-commitment': 403,
  'request.ended': 403,
  'terms.refused': 403,
  'resource.unknown': 404,
  'shard.unknown': 404,
  'manifest.unknown': 404,
  'invite.unknown': 404,
  'record.unknown': 404,
  'request.method': 405,
  'shard.conflict': 409,
  'shard.wrong-root': 409,
  'shard.offset': 409,
  'shard.busy': 409,
  'manifest.stale': 409,
  'manifest.fork': 409,
  'audit.unopened': 409,
  'audit.other-account': 409,
  'audit.old-ledger': 409,
  'invite.used': 409,
  'record.refused': 409,
  'invite.expired': 410,
  'request.too-long': 413,
  'shard.range': 416,
  'request.quota': 429,
  'peer.fault': 500,
  'request.paused': 503,
  'agreement.no-space': 507,
  'shard.no-space': 507,
};

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
