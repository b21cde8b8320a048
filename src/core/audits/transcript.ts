/**
 * What is kept of an audit: every signed document that went back and forth, without the blocks (C16–C19).
 *
 * Both sides keep it, and it speaks for itself: who asked whom, which blocks both nonces chose, what the partner signed to have of them. With the
 * acknowledgement of a shard a stranger can tell from it whether the partner held what it had signed for.
 */
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import {
  type DocumentFailure,
  decodeDocument,
  encodeDocument,
  orNull,
} from '../../base/document.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { verifyMerklePath } from '../../primitives/merkle.ts';
import type { Acknowledgement, LedgerHead } from '../agreements/acknowledgement.ts';
import type { PeerId } from '../vocabulary/ids.ts';
import { type AuditAnswer, answerMaximumBytes, readAnswer } from './audit-answer.ts';
import { challengeMaximumBytes, nonceBytes } from './challenge.ts';
import {
  type OpenedChallenge,
  type OpeningFailure,
  openingMaximumBytes,
  readOpening,
} from './challenge-opening.ts';
import { readDenial } from './nonce-reply.ts';
import { readVerdict, type Verdict } from './verdict.ts';

/** The documents of one audit as far as it went, each encoded and signed. */
export interface Transcript {
  /** Only before it is opened. */
  readonly challenge?: Bytes | undefined;
  /** The owner's nonce, kept by the owner before it is opened; unsigned. */
  readonly nonce?: Bytes | undefined;
  readonly opening?: Bytes | undefined;
  readonly answer?: Bytes | undefined;
  readonly denial?: Bytes | undefined;
  readonly verdict?: Bytes | undefined;
}

const recordBytes = 128;
const kind = {
  magic: 'covault/audit-transcript',
  version: 1,
  limitBytes: challengeMaximumBytes + openingMaximumBytes + answerMaximumBytes + 16_384,
};

export function encodeTranscript(transcript: Transcript): Bytes {
  const { challenge, nonce, opening, answer, denial, verdict } = transcript;
  return encodeDocument(
    kind,
    [challenge, nonce, opening, answer, denial, verdict].map((part) => orNull(part)),
  );
}

export function decodeTranscript(bytes: Uint8Array): Outcome<Transcript, DocumentFailure> {
  return decodeDocument(kind, bytes, (fields) => {
    const part = (limit: number): Bytes | undefined =>
      fields.optional((field) => field.bytes({ minimum: 1, maximum: limit + recordBytes }));
    return {
      challenge: part(challengeMaximumBytes),
      nonce: fields.optional((field) => field.fixed(nonceBytes)),
      opening: part(openingMaximumBytes),
      answer: part(answerMaximumBytes),
      denial: part(512),
      verdict: part(8_192),
    };
  });
}

/** An audit that was opened, with all signatures checked. */
export interface JudgedAudit {
  readonly opened: OpenedChallenge;
  readonly answer: AuditAnswer | undefined;
  /** The head of the ledger that the partner has instead. */
  readonly denial: LedgerHead | undefined;
  readonly verdict: Verdict | undefined;
}

export type TranscriptFailure = OpeningFailure | { readonly code: 'audit.unopened' };

/** What a transcript proves, to whoever knows the parties' ids. */
export function judgeTranscript(
  transcript: Transcript,
  parties: { readonly owner: PeerId; readonly partner: PeerId },
): Outcome<JudgedAudit, TranscriptFailure> {
  if (transcript.opening === undefined) return failed({ code: 'audit.unopened' });
  const opened = readOpening(transcript.opening, parties);
  if (!opened.ok) return opened;
  const expected = { challenge: opened.value.challenge.id, partner: parties.partner };
  const answer = transcript.answer && readAnswer(transcript.answer, expected);
  if (answer?.ok === false) return failed({ code: 'audit.malformed' });
  const denial = transcript.denial && readDenial(transcript.denial, expected);
  if (denial?.ok === false) return failed({ code: 'audit.malformed' });
  const verdict = transcript.verdict && readVerdict(transcript.verdict, parties.owner);
  if (verdict?.ok === false) return failed({ code: 'audit.malformed' });
  if (verdict !== undefined && !equalBytes(verdict.value.challenge, expected.challenge))
    return failed({ code: 'audit.other-challenge' });
  return succeeded({
    ...{ opened: opened.value, answer: answer?.value },
    ...{ denial: denial?.value, verdict: verdict?.value },
  });
}

/** Whether the partner signed, in this audit, that it does not hold a block of the shard which it had acknowledged. */
export function provesLoss(audit: JudgedAudit, acknowledged: Acknowledgement): boolean {
  const { subject } = audit.opened.challenge;
  if (acknowledged.agreement !== subject.agreement || acknowledged.epoch !== subject.epoch)
    return false;
  const { name, merkleRoot: root, blockCount: leafCount } = acknowledged;
  if (acknowledged.action !== 'put' || acknowledged.sequence > subject.sequence) return false;
  return (audit.answer?.entries ?? []).some(({ name: asked, number, proof }) => {
    if (asked !== name || number >= leafCount) return false;
    if (proof === undefined) return true;
    const claim = { root, leafCount, leafIndex: number, hash: proof.hash };
    return !verifyMerklePath(claim, proof.path);
  });
}
