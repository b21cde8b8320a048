/** The part of a manifest that only its owner can read: from it a lost computer finds everything else. */
import { assert } from '../../base/assert.ts';
import { type Bytes, bigEndian } from '../../base/bytes.ts';
import type { CborValue } from '../../base/codec.ts';
import {
  type DocumentFailure,
  decodeDocument,
  encodeDocument,
  type FieldReader,
} from '../../base/document.ts';
import { failed, type Outcome } from '../../base/outcome.ts';
import type { Instant } from '../../base/units.ts';
import { agreementMaximumBytes } from '../agreements/agreement.ts';
import { paddedLength } from '../packing/padding.ts';
import type { Code } from '../vocabulary/code.ts';
import { bytesOf, idBytes, idOf, type SnapshotId } from '../vocabulary/ids.ts';
import { manifestMaximumBytes } from '../vocabulary/limits.ts';
import { codeFields, readCode } from '../wire/code-fields.ts';
import { readName } from '../wire/contact.ts';
import {
  descriptorFields,
  type PackDescriptor,
  PartnerTable,
  PartnerTableReader,
  readDescriptor,
} from './pack-descriptor.ts';

export interface ListedSnapshot {
  /** The chunk that the snapshot is stored as; the index says where that lies. */
  readonly snapshot: SnapshotId;
  readonly time: Instant;
}

export interface ManifestBody {
  /** What the owner's computer calls itself. */
  readonly ownerName: string;
  /** The code of new packs. Absent while there is no partner. */
  readonly code?: Code;
  /** Packs that carry the index, oldest first. */
  readonly indexPacks: readonly PackDescriptor[];
  /** Oldest first, at most 4,096; the index has them all. */
  readonly snapshots: readonly ListedSnapshot[];
  /** Encoded signed agreements in force. */
  readonly agreements: readonly Bytes[];
}

const kind = { magic: 'covault/manifest-body', version: 1, limitBytes: manifestMaximumBytes };
const indexPacksMaximum = 65_536;
export const listedSnapshotsMaximum = 4_096;
const agreementsMaximum = 256;
/** A signed agreement: its body, two signatures, heads. */
const agreementDocumentMaximumBytes: number = agreementMaximumBytes + 256;
/** The length of the document, big-endian, stands before it; zeros follow it. */
const lengthBytes = 4;

/** The body, padded so that its length tells little. */
export function encodeManifestBody(body: ManifestBody): Bytes {
  assert(body.snapshots.length <= listedSnapshotsMaximum, 'snapshots keep to their limit');
  const partners = new PartnerTable();
  const indexPacks = body.indexPacks.map((pack) => descriptorFields(pack, partners));
  const fields: CborValue[] = [
    body.ownerName,
    body.code === undefined ? null : codeFields(body.code),
    partners.fields(),
    indexPacks,
    body.snapshots.map(({ snapshot, time }) => [bytesOf(snapshot), time]),
    body.agreements,
  ];
  const plain = encodeDocument(kind, fields);
  const padded = new Uint8Array(paddedLength(lengthBytes + plain.length));
  padded.set(bigEndian(plain.length, lengthBytes));
  padded.set(plain, lengthBytes);
  return padded;
}

export function decodeManifestBody(bytes: Uint8Array): Outcome<ManifestBody, DocumentFailure> {
  if (bytes.length < lengthBytes) return failed({ code: 'codec.malformed' });
  const length = new DataView(bytes.buffer, bytes.byteOffset, lengthBytes).getUint32(0);
  const end = lengthBytes + length;
  if (bytes.length !== paddedLength(end) || bytes.subarray(end).some((byte) => byte !== 0))
    return failed({ code: 'codec.not-canonical' });
  return decodeDocument(kind, bytes.subarray(lengthBytes, end), readBody);
}

function readBody(fields: FieldReader): ManifestBody {
  const ownerName = readName(fields);
  const code = fields.optional(readCode);
  const partners = new PartnerTableReader(fields);
  const indexPacks = fields.list(indexPacksMaximum, (list) => readDescriptor(list, partners));
  partners.end(fields);
  return {
    ownerName,
    ...(code === undefined ? {} : { code }),
    indexPacks,
    snapshots: fields.list(listedSnapshotsMaximum, (list) => list.record(readSnapshot)),
    agreements: fields.list(agreementsMaximum, (list) =>
      list.bytes({ minimum: 1, maximum: agreementDocumentMaximumBytes }),
    ),
  };
}

function readSnapshot(fields: FieldReader): ListedSnapshot {
  return { snapshot: idOf<SnapshotId>(fields.fixed(idBytes)), time: fields.instant() };
}
