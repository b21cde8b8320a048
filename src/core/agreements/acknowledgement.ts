/**
 * The ledger of acknowledgements: for every shard that a partner took or deleted, one numbered document that it signed.
 *
 * Each entry holds the hash of the one before, so the holder can neither forget an entry nor show two histories without leaving signed proof of it.
 * Entries are made in one order by the holder; where replies overtake each other on the way, the owner sees a gap, and asks for the entries between
 * (docs/protocol.md#ledger). A holder that lost everything and came back cannot go on with a history that it no longer has: each of its lives, the
 * epoch, is a chain of its own, whose start binds agreement and epoch.
 */
import { assert } from '../../base/assert.ts';
import { type Bytes, bigEndian, equalBytes } from '../../base/bytes.ts';
import { decodeDocument, encodeDocument, type FieldReader } from '../../base/document.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import type { Instant } from '../../base/units.ts';
import { hashBytes, hashWithDomain, sha256 } from '../../primitives/hash.ts';
import { domains } from '../sealing/domains.ts';
import {
  type AgreementId,
  bytesOf,
  idBytes,
  idOf,
  type PeerId,
  type ShardName,
  shardNameBytes,
} from '../vocabulary/ids.ts';
import { blocksMaximum } from '../wire/blocks.ts';
import { decodeRecord, recordSignedBy, signRecord } from '../wire/signed-record.ts';

const actions = ['put', 'delete'] as const;

export type LedgerAction = (typeof actions)[number];

/** What happened to which shard. */
export interface LedgerSubject {
  readonly action: LedgerAction;
  readonly name: ShardName;
  /** Blocks of the shard that was taken, or deleted. */
  readonly blockCount: number;
  /** Merkle root over the SHA-256 of these blocks, 32 bytes. */
  readonly merkleRoot: Bytes;
}

export interface Acknowledgement extends LedgerSubject {
  readonly agreement: AgreementId;
  /** The holder's incarnation: 0 until it first recovered from a loss of everything. */
  readonly epoch: number;
  /** 1 for the first entry of an epoch. */
  readonly sequence: number;
  /** Hash of the entry before; of the first, that of the epoch's start. */
  readonly previousHash: Bytes;
  /** By the holder's clock. */
  readonly time: Instant;
}

/** Where an entry of a ledger stands: epochs rise, and so do the entries of each. `sequence` is 0 before the first. */
export interface LedgerPlace {
  /** The life of the holder that signed it. */
  readonly epoch: number;
  readonly sequence: number;
}

/** The end of a ledger. */
export interface LedgerHead extends LedgerPlace {
  /** SHA-256 of the last entry as it is signed and encoded; before the first see `ledgerStart`. */
  readonly hash: Bytes;
}

export interface LedgerEntry {
  readonly acknowledgement: Acknowledgement;
  /** Encoded and signed. */
  readonly document: Bytes;
  /** The ledger's end, once this entry is part of it. */
  readonly head: LedgerHead;
}

export type LedgerFailure =
  | {
      readonly code:
        | 'ledger.malformed'
        | 'ledger.bad-signature'
        | 'ledger.wrong-agreement'
        | 'ledger.wrong-subject'
        | 'ledger.wrong-root'
        | 'ledger.past-epoch'
        | 'ledger.fork';
    }
  /** Entries are missing between the head and this one, or it lies before the head. */
  | {
      readonly code: 'ledger.gap' | 'ledger.old';
      readonly epoch: number;
      readonly sequence: number;
    };

export const acknowledgementMaximumBytes = 512;

const kind = {
  magic: 'covault/acknowledgement',
  version: 1,
  limitBytes: acknowledgementMaximumBytes,
};

/** The empty ledger of an agreement, in one life of the holder. */
export function ledgerStart(agreement: AgreementId, epoch: number): LedgerHead {
  const hash = hashWithDomain(domains.ledgerStart, bytesOf(agreement), bigEndian(epoch, 8));
  return { epoch, sequence: 0, hash };
}

/** The holder's next entry. It is stored, with the shard, before it is sent. */
export function nextAcknowledgement(
  head: LedgerHead,
  entry: LedgerSubject & { readonly agreement: AgreementId; readonly time: Instant },
  identitySeed: Uint8Array,
): LedgerEntry {
  assert(entry.merkleRoot.length === hashBytes, 'a Merkle root has 32 bytes');
  const acknowledgement: Acknowledgement = {
    agreement: entry.agreement,
    epoch: head.epoch,
    sequence: head.sequence + 1,
    previousHash: head.hash,
    action: entry.action,
    name: entry.name,
    blockCount: entry.blockCount,
    merkleRoot: entry.merkleRoot,
    time: entry.time,
  };
  const body = encodeAcknowledgement(acknowledgement);
  return entryOf(acknowledgement, signRecord('acknowledgement', body, identitySeed));
}

/** What the owner knows when an entry arrives. */
export interface LedgerView {
  readonly agreement: AgreementId;
  readonly holder: PeerId;
  readonly head: LedgerHead;
}

/**
 * The entry, when the holder signed it, it says what the owner expects, and it follows the head. A wrong root, signed, is the holder's
 * own word that it did not store what was sent.
 */
export function checkAcknowledgement(
  view: LedgerView,
  expected: LedgerSubject,
  document: Bytes,
): Outcome<LedgerEntry, LedgerFailure> {
  const entry = readEntry(view, document);
  if (!entry.ok) return entry;
  const { acknowledgement } = entry.value;
  if (
    acknowledgement.action !== expected.action ||
    acknowledgement.name !== expected.name ||
    acknowledgement.blockCount !== expected.blockCount
  )
    return failed({ code: 'ledger.wrong-subject' });
  if (!equalBytes(acknowledgement.merkleRoot, expected.merkleRoot))
    return failed({ code: 'ledger.wrong-root' });
  return followHead(view.head, entry.value);
}

/** The same for the deletion of a shard of which the owner only knows the name. */
export function checkDeletion(
  view: LedgerView,
  name: ShardName,
  document: Bytes,
): Outcome<LedgerEntry, LedgerFailure> {
  const entry = readEntry(view, document);
  if (!entry.ok) return entry;
  const { acknowledgement } = entry.value;
  if (acknowledgement.action !== 'delete' || acknowledgement.name !== name)
    return failed({ code: 'ledger.wrong-subject' });
  return followHead(view.head, entry.value);
}

/** The same for an entry whose subject the owner does not know: one fetched to close a gap, or after a loss. */
export function checkLedgerEntry(
  view: LedgerView,
  document: Bytes,
): Outcome<LedgerEntry, LedgerFailure> {
  const entry = readEntry(view, document);
  return entry.ok ? followHead(view.head, entry.value) : entry;
}

/** A signed entry of this ledger, wherever in it. */
export function readEntry(
  view: Pick<LedgerView, 'agreement' | 'holder'>,
  document: Bytes,
): Outcome<LedgerEntry, LedgerFailure> {
  const record = decodeRecord(document, acknowledgementMaximumBytes);
  if (!record.ok) return failed({ code: 'ledger.malformed' });
  if (!recordSignedBy('acknowledgement', record.value, view.holder))
    return failed({ code: 'ledger.bad-signature' });
  const acknowledgement = decodeDocument(kind, record.value.body, readAcknowledgement);
  if (!acknowledgement.ok) return failed({ code: 'ledger.malformed' });
  if (acknowledgement.value.agreement !== view.agreement)
    return failed({ code: 'ledger.wrong-agreement' });
  return succeeded(entryOf(acknowledgement.value, document));
}

/** When an entry of a ledger of our own was made, by our clock; its signature is not looked at. */
export function acknowledgedAt(document: Bytes): Instant | undefined {
  return ownEntry(document)?.time;
}

/** Which shard an entry of a ledger that is stored here is about; its signature is not looked at. */
export function acknowledgedName(document: Bytes): ShardName | undefined {
  return ownEntry(document)?.name;
}

function ownEntry(document: Bytes): Acknowledgement | undefined {
  const record = decodeRecord(document, acknowledgementMaximumBytes);
  const entry = record.ok ? decodeDocument(kind, record.value.body, readAcknowledgement) : record;
  return entry.ok ? entry.value : undefined;
}

/** A later epoch is accepted from any state, from its first entry on: its holder lost what it had. */
function followHead(known: LedgerHead, entry: LedgerEntry): Outcome<LedgerEntry, LedgerFailure> {
  const { agreement, epoch, sequence, previousHash } = entry.acknowledgement;
  if (epoch < known.epoch) return failed({ code: 'ledger.past-epoch' });
  const head = epoch > known.epoch ? ledgerStart(agreement, epoch) : known;
  if (sequence > head.sequence + 1) return failed({ code: 'ledger.gap', epoch, sequence });
  if (sequence === head.sequence + 1)
    return equalBytes(previousHash, head.hash) ? succeeded(entry) : failed({ code: 'ledger.fork' });
  if (sequence === head.sequence && !equalBytes(entry.head.hash, head.hash))
    return failed({ code: 'ledger.fork' });
  return failed({ code: 'ledger.old', epoch, sequence });
}

function entryOf(acknowledgement: Acknowledgement, document: Bytes): LedgerEntry {
  const { epoch, sequence } = acknowledgement;
  return { acknowledgement, document, head: { epoch, sequence, hash: sha256(document) } };
}

function encodeAcknowledgement(entry: Acknowledgement): Bytes {
  return encodeDocument(kind, [
    bytesOf(entry.agreement),
    entry.epoch,
    entry.sequence,
    entry.previousHash,
    entry.action,
    bytesOf(entry.name),
    entry.blockCount,
    entry.merkleRoot,
    entry.time,
  ]);
}

function readAcknowledgement(fields: FieldReader): Acknowledgement {
  const agreement = idOf<AgreementId>(fields.fixed(idBytes));
  const epoch = fields.uint();
  const sequence = fields.uint();
  fields.require(sequence > 0, 'entries are numbered from 1');
  return {
    agreement,
    epoch,
    sequence,
    previousHash: fields.fixed(hashBytes),
    action: fields.choice(actions),
    name: idOf<ShardName>(fields.fixed(shardNameBytes)),
    blockCount: fields.uint(blocksMaximum),
    merkleRoot: fields.fixed(hashBytes),
    time: fields.instant(),
  };
}
