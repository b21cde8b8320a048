/**
 * What a partner wants known, on `POST /v1/notices` (C30, C46; docs/protocol.md#notices).
 *
 * Signed, so that it can be shown later: whoever said that it lost data is believed when its grace period is counted, and whoever gave notice of leaving cannot
 * say that it never did. A notice is about one agreement; what comes over a connection of somebody else is refused before its signature is looked at.
 */
import type { Bytes } from '../../base/bytes.ts';
import type { CborValue } from '../../base/codec.ts';
import {
  type DocumentFailure,
  decodeDocument,
  encodeDocument,
  type FieldReader,
} from '../../base/document.ts';
import { failed, type Outcome } from '../../base/outcome.ts';
import { type Instant, kibi } from '../../base/units.ts';
import {
  type AgreementId,
  bytesOf,
  idBytes,
  idOf,
  type PeerId,
  type ShardName,
  shardNameBytes,
} from '../vocabulary/ids.ts';
import { readPeer } from './contact.ts';
import { decodeRecord, recordSignedBy, signRecord } from './signed-record.ts';

export type NoticeSubject =
  /** It leaves, and serves until then; shards are moved meanwhile, both ways. */
  | { readonly type: 'leaving'; readonly until: Instant }
  /** It is there again after an absence, or takes back that it leaves. */
  | { readonly type: 'back' }
  /** It lost what it held: these shards, or all of them when none is named. */
  | { readonly type: 'lost-data'; readonly shards: readonly ShardName[] }
  /** It was held to have reneged or to have left, and wants to be a partner again; its commitment begins anew. */
  | { readonly type: 'renew' }
  /** It lost its own files and restores: more is read than usual. */
  | { readonly type: 'restoring' }
  /** It has room again: send what it lost once more. */
  | { readonly type: 'reload' };

export interface Notice {
  /** Root of the agreements between the two. */
  readonly agreement: AgreementId;
  readonly by: PeerId;
  readonly time: Instant;
  readonly subject: NoticeSubject;
}

export type NoticeFailure =
  | DocumentFailure
  | { readonly code: 'notice.bad-signature' | 'notice.wrong-peer' };

/** Shards in one notice at most; more take several. */
export const noticeShardsMaximum = 1_024;

export const noticeMaximumBytes: number = 24 * kibi;
const kind = { magic: 'covault/notice', version: 1, limitBytes: noticeMaximumBytes };

export function signNotice(notice: Notice, identitySeed: Uint8Array): Bytes {
  const { agreement, by, time, subject } = notice;
  const body = encodeDocument(kind, [
    bytesOf(agreement),
    bytesOf(by),
    time,
    subject.type,
    ...subjectFields(subject),
  ]);
  return signRecord('notice', body, identitySeed);
}

/** The notice that `peer` signed. */
export function readNotice(document: Uint8Array, peer: PeerId): Outcome<Notice, NoticeFailure> {
  const record = decodeRecord(document, noticeMaximumBytes);
  if (!record.ok) return record;
  const notice = decodeDocument(kind, record.value.body, readFields);
  if (notice.ok && notice.value.by !== peer) return failed({ code: 'notice.wrong-peer' });
  if (!recordSignedBy('notice', record.value, peer))
    return failed({ code: 'notice.bad-signature' });
  return notice;
}

function subjectFields(subject: NoticeSubject): readonly CborValue[] {
  if (subject.type === 'leaving') return [subject.until];
  return subject.type === 'lost-data' ? [subject.shards.map(bytesOf)] : [];
}

function readFields(fields: FieldReader): Notice {
  const agreement = idOf<AgreementId>(fields.fixed(idBytes));
  const by = readPeer(fields);
  const time = fields.instant();
  return { agreement, by, time, subject: readSubject(fields) };
}

function readSubject(fields: FieldReader): NoticeSubject {
  const type = fields.choice(['leaving', 'back', 'lost-data', 'renew', 'restoring', 'reload']);
  switch (type) {
    case 'leaving':
      return { type, until: fields.instant() };
    case 'lost-data':
      return {
        type,
        shards: fields.list(noticeShardsMaximum, (list) =>
          idOf<ShardName>(list.fixed(shardNameBytes)),
        ),
      };
    default:
      return { type };
  }
}
