/**
 * The first message of an audit: what is to be audited, with the owner's nonce still sealed (C19).
 *
 * Everything that the choice of blocks rests on stands here, before either side knows the other's nonce: whose shards, up to which place of which ledger,
 * what of them is left to visit in this round, and how many blocks. The binding covers all of it, so a seal serves one challenge only.
 */
import { assert } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import type { CborValue } from '../../base/codec.ts';
import { decodeDocument, encodeDocument, type FieldReader } from '../../base/document.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import type { Instant } from '../../base/units.ts';
import { hashBytes, hashWithDomain, sha256 } from '../../primitives/hash.ts';
import { domains } from '../sealing/domains.ts';
import { type AgreementId, bytesOf, idBytes, idOf, type PeerId } from '../vocabulary/ids.ts';
import { decodeRecord, recordSignedBy, signRecord } from '../wire/signed-record.ts';
import { type RoundClaim, visitedMaximumBytes } from './audit-round.ts';

export const nonceBytes = 32;
/** One audit never asks for more. */
export const blocksPerAuditMaximum = 64;

/** What is fixed before any nonce is known. */
export interface AuditSubject extends RoundClaim {
  readonly owner: PeerId;
  readonly partner: PeerId;
  readonly agreement: AgreementId;
  /** The life of the partner whose ledger is meant. */
  readonly epoch: number;
  /** Hash of the ledger entry at `sequence`. */
  readonly head: Bytes;
  /** Over the shards at that place. */
  readonly inventoryRoot: Bytes;
  readonly coverageCount: number;
  readonly uniformCount: number;
  /** By the owner's clock. */
  readonly time: Instant;
}

export interface Challenge {
  /** SHA-256 of the body. */
  readonly id: Bytes;
  readonly subject: AuditSubject;
  readonly binding: Bytes;
  readonly sealedNonce: Bytes;
  /** Encoded and signed. */
  readonly document: Bytes;
}

export type ChallengeFailure = {
  readonly code: 'audit.malformed' | 'audit.bad-signature' | 'audit.other-parties';
};

export const challengeMaximumBytes = 43_008;

const kind = {
  magic: 'covault/audit-challenge',
  version: 1,
  limitBytes: challengeMaximumBytes,
};

/** Owner, partner, agreement, epoch and ledger sequence, and all else that the choice rests on. */
export function bindingOf(subject: AuditSubject): Bytes {
  return hashWithDomain(
    domains.auditBinding,
    encodeDocument({ ...kind, magic: 'covault/audit-subject' }, subjectFields(subject)),
  );
}

export function sealNonce(binding: Uint8Array, nonce: Uint8Array): Bytes {
  assert(nonce.length === nonceBytes, 'a nonce has 32 bytes');
  return hashWithDomain(domains.auditSealedNonce, binding, nonce);
}

export function signChallenge(
  subject: AuditSubject,
  nonce: Uint8Array,
  identitySeed: Uint8Array,
): Challenge {
  const binding = bindingOf(subject);
  const sealedNonce = sealNonce(binding, nonce);
  const body = encodeDocument(kind, [subjectFields(subject), sealedNonce]);
  const document = signRecord('audit-challenge', body, identitySeed);
  return { id: sha256(body), subject, binding, sealedNonce, document };
}

/** The challenge, when `owner` signed it for `partner`. */
export function readChallenge(
  document: Uint8Array,
  parties: { readonly owner: PeerId; readonly partner: PeerId },
): Outcome<Challenge, ChallengeFailure> {
  const record = decodeRecord(document, challengeMaximumBytes);
  if (!record.ok) return failed({ code: 'audit.malformed' });
  if (!recordSignedBy('audit-challenge', record.value, parties.owner))
    return failed({ code: 'audit.bad-signature' });
  const { body } = record.value;
  const read = decodeDocument(kind, body, (fields) => ({
    subject: fields.record(readSubject),
    sealedNonce: fields.fixed(hashBytes),
  }));
  if (!read.ok) return failed({ code: 'audit.malformed' });
  const { subject, sealedNonce } = read.value;
  if (subject.owner !== parties.owner || subject.partner !== parties.partner)
    return failed({ code: 'audit.other-parties' });
  const binding = bindingOf(subject);
  return succeeded({
    ...{ id: sha256(body), subject, binding, sealedNonce },
    document: new Uint8Array(document),
  });
}

function subjectFields(subject: AuditSubject): readonly CborValue[] {
  return [
    bytesOf(subject.owner),
    bytesOf(subject.partner),
    bytesOf(subject.agreement),
    subject.epoch,
    subject.sequence,
    subject.head,
    subject.inventoryRoot,
    subject.round,
    subject.roundStart,
    subject.visited,
    subject.coverageCount,
    subject.uniformCount,
    subject.time,
  ];
}

function readSubject(fields: FieldReader): AuditSubject {
  const subject = {
    owner: idOf<PeerId>(fields.fixed(idBytes)),
    partner: idOf<PeerId>(fields.fixed(idBytes)),
    agreement: idOf<AgreementId>(fields.fixed(idBytes)),
    epoch: fields.uint(),
    sequence: fields.uint(),
    head: fields.fixed(hashBytes),
    inventoryRoot: fields.fixed(hashBytes),
    round: fields.uint(),
    roundStart: fields.uint(),
    visited: fields.bytes({ maximum: visitedMaximumBytes }),
    coverageCount: fields.uint(blocksPerAuditMaximum),
    uniformCount: fields.uint(blocksPerAuditMaximum),
    time: fields.instant(),
  };
  const count = subject.coverageCount + subject.uniformCount;
  fields.require(count > 0 && count <= blocksPerAuditMaximum, '1 to 64 blocks');
  fields.require(subject.round > 0, 'rounds are numbered from 1');
  fields.require(subject.roundStart <= subject.sequence, 'a round began before its challenges');
  return subject;
}
