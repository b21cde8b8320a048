/**
 * "How has X behaved with you?" (C27): the answer of the one that is asked, under its signature, with the newest receipt that X signed too.
 *
 * What the receipt says, X has signed. What the statement says beyond it is one side's word: others weigh it (reference-check.ts).
 */
import { assert } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import {
  type DocumentFailure,
  decodeDocument,
  encodeDocument,
  type FieldReader,
  orNull,
} from '../../base/document.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { dayMs, type Instant } from '../../base/units.ts';
import { bytesOf, type PeerId } from '../vocabulary/ids.ts';
import { readPeer } from '../wire/contact.ts';
import { decodeRecord, recordSignedBy, signRecord } from '../wire/signed-record.ts';
import { type Conduct, conductFields, readConduct } from './conduct.ts';
import {
  isParty,
  type RecordFailure,
  type TrackReceipt,
  trackReceiptMaximumBytes,
  verifyReceipt,
} from './track-receipt.ts';

export interface Statement {
  /** Who says it. */
  readonly by: PeerId;
  readonly about: PeerId;
  /** By the clock of the one who says it. */
  readonly time: Instant;
  /** When the agreement began. */
  readonly since: Instant;
  /** How `about` behaved, as `by` observed it up to now. */
  readonly conduct: Conduct;
  /** The newest receipt of the two, with both signatures; undefined while there is none. */
  readonly receipt: Bytes | undefined;
}

export interface VerifiedStatement extends Statement {
  /** What `receipt` says. */
  readonly signed: TrackReceipt | undefined;
}

export type StatementFailure =
  | DocumentFailure
  | RecordFailure
  | {
      readonly code:
        | 'statement.bad-signature'
        | 'statement.wrong-peer'
        | 'statement.wrong-receipt'
        | 'statement.other-time';
    };

const bodyMaximumBytes = 1_280;
/** Clocks of computers differ by less. */
const timeToleranceMs = dayMs;

const kind = { magic: 'covault/statement', version: 1, limitBytes: bodyMaximumBytes };

export function signStatement(statement: Statement, identitySeed: Uint8Array): Bytes {
  assert(statement.by !== statement.about, 'nobody is its own reference');
  const body = encodeDocument(kind, [
    bytesOf(statement.by),
    bytesOf(statement.about),
    statement.time,
    statement.since,
    conductFields(statement.conduct),
    orNull(statement.receipt),
  ]);
  return signRecord('statement', body, identitySeed);
}

/** What was asked of whom, and when. */
export interface Question {
  readonly by: PeerId;
  readonly about: PeerId;
  readonly now: Instant;
}

/** The statement, when the one asked has signed it, it is about the peer asked for, of today, and its receipt is between the two and signed by both. */
export function verifyStatement(
  document: Uint8Array,
  { by, about, now }: Question,
): Outcome<VerifiedStatement, StatementFailure> {
  const record = decodeRecord(document, bodyMaximumBytes);
  if (!record.ok) return record;
  if (!recordSignedBy('statement', record.value, by))
    return failed({ code: 'statement.bad-signature' });
  const statement = decodeDocument(kind, record.value.body, readStatement);
  if (!statement.ok) return statement;
  if (statement.value.by !== by || statement.value.about !== about || by === about)
    return failed({ code: 'statement.wrong-peer' });
  if (Math.abs(statement.value.time - now) > timeToleranceMs)
    return failed({ code: 'statement.other-time' });
  return withReceipt(statement.value);
}

function withReceipt(statement: Statement): Outcome<VerifiedStatement, StatementFailure> {
  if (statement.receipt === undefined) return succeeded({ ...statement, signed: undefined });
  const signed = verifyReceipt(statement.receipt);
  if (!signed.ok) return signed;
  if (!isParty(signed.value, statement.by) || !isParty(signed.value, statement.about))
    return failed({ code: 'statement.wrong-receipt' });
  return succeeded({ ...statement, signed: signed.value });
}

function readStatement(fields: FieldReader): Statement {
  return {
    by: readPeer(fields),
    about: readPeer(fields),
    time: fields.instant(),
    since: fields.instant(),
    conduct: readConduct(fields),
    receipt: fields.optional((field) =>
      field.bytes({ minimum: 1, maximum: trackReceiptMaximumBytes }),
    ),
  };
}
