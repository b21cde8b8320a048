/**
 * Index segments: what index packs carry, so that a lost catalogue is rebuilt from partners alone.
 *
 * A segment lists packs with their directories, and how each was coded. Where the shards lie is told as a hint only: the partners'
 * inventories are the truth, since the owner can decrypt the names in them. A segment is one chunk of an index pack; the directory of
 * a pack with very many small chunks goes over several segments, in parts.
 */
import { assert } from '../../base/assert.ts';
import { type Bytes, concatBytes, equalBytes } from '../../base/bytes.ts';
import { type CborValue, encodeCbor } from '../../base/codec.ts';
import {
  type DocumentFailure,
  decodeDocument,
  encodeDocument,
  type FieldReader,
} from '../../base/document.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { kibi, mebi } from '../../base/units.ts';
import { decodeDirectory, encodeDirectory, type PackContents } from '../packing/directory.ts';
import { packSaltBytes } from '../packing/frame.ts';
import {
  chunkEntryBytes,
  frameEntryBytes,
  type PackKind,
  packHeaderBytes,
} from '../packing/pack-header.ts';
import { chunkMaximumBytes, packMaximumBytes } from '../vocabulary/limits.ts';
import {
  descriptorFields,
  type PackDescriptor,
  PartnerTable,
  PartnerTableReader,
  readDescriptor,
} from './pack-descriptor.ts';

/** A pack as the catalogue knows it. */
export interface PackRecord extends PackDescriptor {
  readonly kind: PackKind;
  readonly salt: Bytes;
  readonly contents: PackContents;
}

export type IndexFailure =
  | DocumentFailure
  /** `incoherent-directory`: joined, it does not describe a pack. `part-missing`: a part without those before it. */
  | { readonly code: 'index.incoherent-directory' | 'index.part-missing' };

const kind = { magic: 'covault/index', version: 1, limitBytes: chunkMaximumBytes };
const kinds: readonly PackKind[] = ['data', 'tree', 'index'];
const partMaximumBytes: number = 2 * mebi;
/** A segment is closed before its parts take more than this; the margin holds its heads. */
const segmentTargetBytes: number = chunkMaximumBytes - kibi;
const partsMaximum: number = Math.ceil(packMaximumBytes / partMaximumBytes);
const recordsMaximum = 65_536;

/** A record's directory, or a part of it. */
interface RecordPart {
  readonly record: Omit<PackRecord, 'contents'>;
  readonly frameCount: number;
  readonly chunkCount: number;
  readonly part: number;
  readonly partCount: number;
  readonly bytes: Bytes;
}

/** Segments that list all records, in order, each of at most one chunk. */
export function encodeIndexSegments(records: readonly PackRecord[]): Bytes[] {
  const segments: Bytes[] = [];
  let open: RecordPart[] = [];
  let openBytes = 0;
  for (const part of records.flatMap(partsOf)) {
    // Fields around the directory, and what the placement takes with a partner in the table for each shard.
    const bytes = part.bytes.length + 192 + 40 * part.record.placement.length;
    if (openBytes + bytes > segmentTargetBytes) {
      segments.push(encodeSegment(open));
      open = [];
      openBytes = 0;
    }
    open.push(part);
    openBytes += bytes;
  }
  if (open.length > 0) segments.push(encodeSegment(open));
  return segments;
}

function partsOf(record: PackRecord): RecordPart[] {
  const directory = encodeDirectory(record.contents);
  const partCount = Math.max(1, Math.ceil(directory.length / partMaximumBytes));
  return Array.from({ length: partCount }, (_, part) => ({
    record,
    frameCount: record.contents.frames.length,
    chunkCount: record.contents.chunkLengths.length,
    part,
    partCount,
    bytes: directory.slice(part * partMaximumBytes, (part + 1) * partMaximumBytes),
  }));
}

function encodeSegment(parts: readonly RecordPart[]): Bytes {
  const partners = new PartnerTable();
  const fields = parts.map(
    ({ record, frameCount, chunkCount, part, partCount, bytes }): CborValue => [
      descriptorFields(record, partners),
      record.kind,
      record.salt,
      frameCount,
      chunkCount,
      part,
      partCount,
      bytes,
    ],
  );
  return encodeDocument(kind, [partners.fields(), fields]);
}

/** Reads segments in the order in which they were made, and gives records as they become whole. */
export class IndexReading {
  #open: RecordPart[] = [];

  /** Records that this segment completes. After a failure the reading goes on with the next segment. */
  add(segment: Uint8Array): Outcome<PackRecord[], IndexFailure> {
    const parts = decodeDocument(kind, segment, readSegment);
    if (!parts.ok) return parts;
    const records: PackRecord[] = [];
    for (const part of parts.value) {
      if (!this.#take(part)) return failed({ code: 'index.part-missing' });
      if (this.#open.length < part.partCount) continue;
      const record = joinParts(this.#open);
      this.#open = [];
      if (record === undefined) return failed({ code: 'index.incoherent-directory' });
      records.push(record);
    }
    return succeeded(records);
  }

  /** Whether no record waits for a part. */
  isWhole(): boolean {
    return this.#open.length === 0;
  }

  #take(part: RecordPart): boolean {
    const [first] = this.#open;
    const follows =
      part.part === 0 ||
      (first !== undefined && part.part === this.#open.length && sameRecord(first, part));
    if (part.part === 0 || !follows) this.#open = [];
    if (follows) this.#open.push(part);
    return follows;
  }
}

function sameRecord(left: RecordPart, right: RecordPart): boolean {
  return equalBytes(identityOf(left), identityOf(right));
}

function identityOf({ record, frameCount, chunkCount, partCount }: RecordPart): Bytes {
  const { kind: packKind, salt } = record;
  const descriptor = descriptorFields(record, new PartnerTable());
  return encodeCbor([descriptor, packKind, salt, frameCount, chunkCount, partCount]);
}

function joinParts(parts: readonly RecordPart[]): PackRecord | undefined {
  const [first] = parts;
  assert(first !== undefined, 'a record has a part');
  const { record, frameCount, chunkCount } = first;
  const directory = concatBytes(parts.map(({ bytes }) => bytes));
  if (directory.length !== frameCount * frameEntryBytes + chunkCount * chunkEntryBytes)
    return undefined;
  const directoryOffset = framesEnd(directory, frameCount);
  if (directoryOffset >= record.lengthBytes) return undefined;
  const contents = decodeDirectory(directory, { frameCount, chunkCount, directoryOffset });
  return contents.ok ? { ...record, contents: contents.value } : undefined;
}

/** Frames lie one behind the other, from the header on. */
function framesEnd(directory: Bytes, frameCount: number): number {
  const view = new DataView(directory.buffer);
  let end = packHeaderBytes;
  for (let frame = 0; frame < frameCount; frame += 1)
    end += view.getUint32(frame * frameEntryBytes);
  return end;
}

function readSegment(fields: FieldReader): RecordPart[] {
  const partners = new PartnerTableReader(fields);
  const parts = fields.list(recordsMaximum, (list) =>
    list.record((record) => readPart(record, partners)),
  );
  partners.end(fields);
  return parts;
}

function readPart(fields: FieldReader, partners: PartnerTableReader): RecordPart {
  const descriptor = readDescriptor(fields, partners);
  const record = { ...descriptor, kind: fields.choice(kinds), salt: fields.fixed(packSaltBytes) };
  const frameCount = fields.uint(packMaximumBytes);
  const chunkCount = fields.uint(packMaximumBytes);
  const part = fields.uint(partsMaximum);
  const partCount = fields.uint(partsMaximum);
  fields.require(part < partCount, 'a part of those there are');
  const bytes = fields.bytes({ maximum: partMaximumBytes });
  const isLast = part === partCount - 1;
  fields.require(isLast || bytes.length === partMaximumBytes, 'parts that are full but the last');
  return { record, frameCount, chunkCount, part, partCount, bytes };
}
