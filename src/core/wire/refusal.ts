/** Refusals: a status, a stable code, and a sentence for whoever looks into it. The body is CBOR like any other. */
import type { Bytes } from '../../base/bytes.ts';
import { type DocumentFailure, decodeDocument, encodeDocument } from '../../base/document.ts';
import type { Outcome } from '../../base/outcome.ts';

export type RefusalCode =
  | 'request.malformed'
  | 'request.not-partner'
  | 'request.in-commitment'
  | 'request.paused'
  | 'invite.unknown'
  | 'invite.expired'
  | 'invite.used'
  | 'resource.unknown'
  | 'shard.unknown'
  | 'manifest.unknown'
  | 'request.method'
  | 'shard.conflict'
  | 'shard.busy'
  | 'shard.offset'
  | 'manifest.stale'
  | 'manifest.fork'
  | 'manifest.malformed'
  | 'terms.refused'
  | 'request.too-long'
  | 'shard.range'
  | 'request.quota'
  | 'peer.fault'
  | 'shard.no-space'
  | 'agreement.no-space';

/** Every code that a peer answers with, and its status. */
export const refusals: Readonly<Record<RefusalCode, number>> = {
  'request.malformed': 400,
  'request.not-partner': 403,
  'request.in-commitment': 403,
  'request.paused': 403,
  'invite.unknown': 403,
  'invite.expired': 403,
  'invite.used': 403,
  'resource.unknown': 404,
  'shard.unknown': 404,
  'manifest.unknown': 404,
  'request.method': 405,
  'shard.conflict': 409,
  'shard.busy': 409,
  'shard.offset': 409,
  'manifest.stale': 409,
  'manifest.fork': 409,
  'manifest.malformed': 400,
  'terms.refused': 409,
  'request.too-long': 413,
  'shard.range': 416,
  'request.quota': 429,
  'peer.fault': 500,
  'shard.no-space': 507,
  'agreement.no-space': 507,
};

export interface Refusal {
  readonly code: RefusalCode;
  readonly detail: string;
}

const detailMaximumLength = 512;
const kind = { magic: 'covault/refusal', version: 1, limitBytes: 4_096 };
const codes = Object.keys(refusals) as readonly RefusalCode[];

export function statusOf(code: RefusalCode): number {
  return refusals[code];
}

export function encodeRefusal({ code, detail }: Refusal): Bytes {
  return encodeDocument(kind, [code, detail.slice(0, detailMaximumLength)]);
}

export function decodeRefusal(bytes: Uint8Array): Outcome<Refusal, DocumentFailure> {
  return decodeDocument(kind, bytes, (fields) => ({
    code: fields.choice(codes),
    detail: fields.text(detailMaximumLength),
  }));
}
