/**
 * What a partner answers to an opened challenge: for every block that was chosen its hash and its way up to the acknowledged root, or that it is lost; signed.
 *
 * The blocks themselves follow the document. Each is bound to it by its hash, so the document alone is what is kept of an audit, and what others can judge.
 */
import { assert, present } from '../../base/assert.ts';
import { type Bytes, bigEndian, concatBytes, equalBytes } from '../../base/bytes.ts';
import type { CborValue } from '../../base/codec.ts';
import { decodeDocument, encodeDocument, type FieldReader, orNull } from '../../base/document.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { hashBytes, sha256 } from '../../primitives/hash.ts';
import { bytesOf, idOf, type PeerId, type ShardName, shardNameBytes } from '../vocabulary/ids.ts';
import { blockBytes } from '../vocabulary/limits.ts';
import { blocksMaximum } from '../wire/blocks.ts';
import { decodeRecord, recordSignedBy, signRecord } from '../wire/signed-record.ts';
import type { ChosenBlock } from './block-choice.ts';
import { blocksPerAuditMaximum } from './challenge.ts';

/** Which block, of which shard. */
export interface BlockAsked {
  readonly name: ShardName;
  readonly number: number;
}

/** What the partner shows of a block. */
export interface BlockProof {
  /** SHA-256 of the sealed block. */
  readonly hash: Bytes;
  /** Hashes beside the way to the shard's Merkle root, lowest first. */
  readonly path: readonly Bytes[];
}

export interface AnswerEntry extends BlockAsked {
  /** Undefined: the partner says that it does not have the block any more. */
  readonly proof: BlockProof | undefined;
}

export interface AuditAnswer {
  readonly entries: readonly AnswerEntry[];
  /** Encoded and signed. */
  readonly document: Bytes;
}

export type AnswerFailure = {
  readonly code:
    | 'audit.malformed'
    | 'audit.bad-signature'
    | 'audit.other-challenge'
    | 'audit.other-blocks';
};

/** As many levels as the longest shard needs. */
const pathMaximum: number = Math.ceil(Math.log2(blocksMaximum));
const entryMaximumBytes = 64 + (pathMaximum + 1) * (hashBytes + 2);
export const answerMaximumBytes: number = 128 + blocksPerAuditMaximum * entryMaximumBytes;

const kind = { magic: 'covault/audit-answer', version: 1, limitBytes: answerMaximumBytes };

export function signAnswer(
  challenge: Uint8Array,
  entries: readonly AnswerEntry[],
  identitySeed: Uint8Array,
): Bytes {
  const body = encodeDocument(kind, [challenge, entries.map(entryFields)]);
  return signRecord('audit-answer', body, identitySeed);
}

/** The partner's signed word on this challenge; which blocks it speaks of is checked by `answersChoice`. */
export function readAnswer(
  document: Uint8Array,
  expected: { readonly challenge: Uint8Array; readonly partner: PeerId },
): Outcome<AuditAnswer, AnswerFailure> {
  const record = decodeRecord(document, answerMaximumBytes);
  if (!record.ok) return failed({ code: 'audit.malformed' });
  if (!recordSignedBy('audit-answer', record.value, expected.partner))
    return failed({ code: 'audit.bad-signature' });
  const read = decodeDocument(kind, record.value.body, (fields) => ({
    challenge: fields.fixed(hashBytes),
    entries: fields.list(blocksPerAuditMaximum, (list) => list.record(readEntry)),
  }));
  if (!read.ok) return failed({ code: 'audit.malformed' });
  if (!equalBytes(read.value.challenge, expected.challenge))
    return failed({ code: 'audit.other-challenge' });
  return succeeded({ entries: read.value.entries, document: new Uint8Array(document) });
}

/** Whether the answer speaks of exactly the blocks that were chosen, in their order. */
export function answersChoice(answer: AuditAnswer, chosen: readonly ChosenBlock[]): boolean {
  return (
    answer.entries.length === chosen.length &&
    chosen.every(({ shard, number }, place) => {
      const entry = answer.entries[place];
      return entry?.name === shard.name && entry.number === number;
    })
  );
}

/** The blocks that follow the document, one for each entry with a proof; undefined when they are not those which it names. */
export function blocksOfAnswer(
  answer: AuditAnswer,
  bytes: Bytes,
): readonly (Bytes | undefined)[] | undefined {
  const shown = answer.entries.filter(({ proof }) => proof !== undefined).length;
  if (bytes.length !== shown * blockBytes) return undefined;
  let at = 0;
  const blocks: (Bytes | undefined)[] = [];
  for (const { proof } of answer.entries) {
    const block = proof && bytes.subarray(at, at + blockBytes);
    if (block !== undefined && !equalBytes(sha256(block), present(proof, 'a proof').hash))
      return undefined;
    if (block !== undefined) at += blockBytes;
    blocks.push(block);
  }
  return blocks;
}

const lengthBytes = 4;

/** A reply as it is sent: the length of its document, the document, the blocks. */
export function frameReply(document: Uint8Array, blocks: readonly Uint8Array[]): Bytes {
  assert(
    blocks.every(({ length }) => length === blockBytes),
    'blocks are whole',
  );
  return concatBytes([bigEndian(document.length, lengthBytes), document, ...blocks]);
}

export function unframeReply(
  reply: Bytes,
): { readonly document: Bytes; readonly blocks: Bytes } | undefined {
  if (reply.length < lengthBytes) return undefined;
  const length = reply.subarray(0, lengthBytes).reduce((sum, byte) => sum * 256 + byte, 0);
  const end = lengthBytes + length;
  if (reply.length < end) return undefined;
  return { document: reply.subarray(lengthBytes, end), blocks: reply.subarray(end) };
}

function entryFields({ name, number, proof }: AnswerEntry): CborValue {
  return [bytesOf(name), number, orNull(proof && [proof.hash, proof.path])];
}

function readEntry(fields: FieldReader): AnswerEntry {
  return {
    name: idOf<ShardName>(fields.fixed(shardNameBytes)),
    number: fields.uint(blocksMaximum),
    proof: fields.optional((field) =>
      field.record((proof) => ({
        hash: proof.fixed(hashBytes),
        path: proof.list(pathMaximum, (list) => list.fixed(hashBytes)),
      })),
    ),
  };
}
