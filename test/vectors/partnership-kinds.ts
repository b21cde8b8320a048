/**
 * The documents and messages between partners, as their vectors say them: how each is read, and how the same bytes are written again from what was read.
 *
 * In what they say bytes are hexadecimal. Where a signature is to be written, the vector gives the seed of the identity that signs.
 */
import { present } from '../../src/base/assert.ts';
import { type Bytes, hexBytes, hexText } from '../../src/base/bytes.ts';
import { type Outcome, succeeded } from '../../src/base/outcome.ts';
import { type Instant, instant } from '../../src/base/units.ts';
import { drawSpaceOf } from '../../src/core/audits/answerer.ts';
import { readAnswer, signAnswer } from '../../src/core/audits/audit-answer.ts';
import {
  decodeAuditReply,
  decodeAuditRequest,
  encodeAuditReply,
  encodeAuditRequest,
} from '../../src/core/audits/audit-message.ts';
import { type AuditedShard, inventoryRoot, spaceAt } from '../../src/core/audits/audited-space.ts';
import { choiceOf } from '../../src/core/audits/auditor.ts';
import { readChallenge, signChallenge } from '../../src/core/audits/challenge.ts';
import { readOpening, signOpening } from '../../src/core/audits/challenge-opening.ts';
import { readDenial, readNonce, signDenial, signNonce } from '../../src/core/audits/nonce-reply.ts';
import { decodeTranscript, encodeTranscript } from '../../src/core/audits/transcript.ts';
import { readVerdict, signVerdict } from '../../src/core/audits/verdict.ts';
import { signStatement, verifyStatement } from '../../src/core/records/statement.ts';
import {
  countersignReceipt,
  proposeReceipt,
  readProposal,
} from '../../src/core/records/track-receipt.ts';
import { idOf, type PeerId } from '../../src/core/vocabulary/ids.ts';
import { decodeInventory, encodeInventory } from '../../src/core/wire/inventory.ts';
import { decodeLedgerPage, encodeLedgerPage } from '../../src/core/wire/ledger-page.ts';
import {
  decodeNegotiationReply,
  decodeNegotiationRequest,
  encodeNegotiationReply,
  encodeNegotiationRequest,
} from '../../src/core/wire/negotiation.ts';
import { readNotice, signNotice } from '../../src/core/wire/notice.ts';
import { readProfile, signProfile } from '../../src/core/wire/profile.ts';
import { decodeRecordMessage, encodeRecordMessage } from '../../src/core/wire/record.ts';
import {
  decodeRedemption,
  decodeRedemptionReply,
  encodeRedemption,
  encodeRedemptionReply,
} from '../../src/core/wire/redemption.ts';
import { publicKeyOf } from '../../src/primitives/signature.ts';

export type Given = Readonly<Record<string, string>>;

/** How one kind of document is read, and written from what reading it said. */
export interface VectorKind {
  readonly read: (input: Bytes, given: Given) => Outcome<unknown, { readonly code: string }>;
  readonly write: (says: never, given: Given) => Bytes;
}

export function bytesIn(text: string | undefined): Bytes {
  return present(hexBytes(present(text, 'given by the vector')), 'vectors are hexadecimal');
}

function peerOf(seed: string | undefined): PeerId {
  return idOf<PeerId>(publicKeyOf(bytesIn(seed)));
}

function parties(given: Given): { readonly owner: PeerId; readonly partner: PeerId } {
  return { owner: peerOf(given['ownerSeed']), partner: peerOf(given['partnerSeed']) };
}

/** What is said, with hexadecimal text in these fields made bytes again, at any depth. */
function revived<T>(says: unknown, fields: readonly string[]): T {
  const text = JSON.stringify(says);
  return JSON.parse(text, (key: string, value: unknown) => {
    if (!fields.includes(key)) return value;
    if (typeof value === 'string') return bytesIn(value);
    return Array.isArray(value) ? value.map((one: string) => bytesIn(one)) : value;
  }) as T;
}

/** A kind without signatures of its own: written from nothing but what it says. */
function plainKind<T>(
  codec: {
    readonly read: (bytes: Bytes) => Outcome<T, { readonly code: string }>;
    readonly write: (value: T) => Bytes;
  },
  fields: readonly string[],
): VectorKind {
  return { read: codec.read, write: (says) => codec.write(revived<T>(says, fields)) };
}

/** The value of an outcome without the parts that only repeat the input. */
function saying<T, U, E>(outcome: Outcome<T, E>, says: (value: T) => U): Outcome<U, E> {
  return outcome.ok ? succeeded(says(outcome.value)) : outcome;
}

interface Drawing {
  readonly opening: string;
  readonly shards: readonly AuditedShard[];
}

/** What an opened challenge chooses out of given shards. */
function choice(input: Bytes): Outcome<unknown, { readonly code: string }> {
  const { opening, shards, ...given } = revived<Drawing & Given>(
    JSON.parse(new TextDecoder().decode(input)),
    ['merkleRoot'],
  );
  const opened = readOpening(bytesIn(opening), parties(given));
  if (!opened.ok) return opened;
  const { subject } = opened.value.challenge;
  const space = spaceAt(shards, subject.sequence);
  const chosen = choiceOf(opened.value, drawSpaceOf(subject, space));
  return succeeded({
    inventoryRoot: inventoryRoot(space),
    chosen: chosen.map(({ shard, number }) => [shard.name, number]),
  });
}

/** Where what is read is computed and not a document, there is nothing to write. */
function unwritten(): never {
  throw new Error('this kind is only read');
}

export const readOnlyKinds: readonly string[] = ['audit-choice'];

const audits: Readonly<Record<string, VectorKind>> = {
  'audit-challenge': {
    read: (input, given) =>
      saying(readChallenge(input, parties(given)), ({ document: _, ...rest }) => rest),
    write: (says, given) => {
      const { subject } = revived<{ subject: Parameters<typeof signChallenge>[0] }>(says, [
        ...['head', 'inventoryRoot', 'visited'],
      ]);
      const seed = bytesIn(given['ownerSeed']);
      return signChallenge(subject, bytesIn(given['nonce']), seed).document;
    },
  },
  'audit-nonce': {
    read: (input, given) => readNonce(input, expectedBy(given)),
    write: (says, given) =>
      signNonce(bytesIn(given['challenge']), bytesIn(says), bytesIn(given['partnerSeed'])),
  },
  'audit-denial': {
    read: (input, given) => readDenial(input, expectedBy(given)),
    write: (says, given) => {
      const head = revived<Parameters<typeof signDenial>[1]>(says, ['hash']);
      return signDenial(bytesIn(given['challenge']), head, bytesIn(given['partnerSeed']));
    },
  },
  'audit-opening': {
    read: (input, given) =>
      saying(readOpening(input, parties(given)), ({ challenge, ownerNonce, partnerNonce }) => ({
        ...{ challenge: challenge.document, ownerNonce, partnerNonce },
      })),
    write: (says, given) => {
      const fields = ['challenge', 'ownerNonce', 'partnerNonce'] as const;
      const said = revived<Record<(typeof fields)[number], Bytes>>(says, fields);
      const challenge = readChallenge(said.challenge, parties(given));
      if (!challenge.ok) throw new Error(challenge.error.code);
      const { id } = challenge.value;
      const nonceDocument = signNonce(id, said.partnerNonce, bytesIn(given['partnerSeed']));
      const opened = { challenge: challenge.value, nonceDocument, nonce: said.ownerNonce };
      return signOpening(opened, bytesIn(given['ownerSeed']));
    },
  },
  'audit-choice': { read: choice, write: unwritten },
  'audit-answer': {
    read: (input, given) =>
      saying(readAnswer(input, expectedBy(given)), ({ entries }) =>
        entries.map(({ proof, ...asked }) => ({ ...asked, proof: proof ?? null })),
      ),
    write: (says, given) => {
      type Entry = Parameters<typeof signAnswer>[1][number];
      const entries = revived<(Entry & { proof: Entry['proof'] | null })[]>(says, ['hash', 'path']);
      const plain = entries.map((entry) => ({ ...entry, proof: entry.proof ?? undefined }));
      return signAnswer(bytesIn(given['challenge']), plain, bytesIn(given['partnerSeed']));
    },
  },
  'audit-verdict': {
    read: (input, given) => readVerdict(input, parties(given).owner),
    write: (says, given) => {
      const { challenge, findings } = revived<{
        challenge: Bytes;
        findings: Parameters<typeof signVerdict>[1];
      }>(says, ['challenge']);
      return signVerdict(challenge, findings, bytesIn(given['ownerSeed']));
    },
  },
  'audit-transcript': plainKind({ read: decodeTranscript, write: encodeTranscript }, [
    ...['challenge', 'nonce', 'opening', 'answer', 'denial', 'verdict'],
  ]),
  'audit-request': plainKind({ read: decodeAuditRequest, write: encodeAuditRequest }, ['document']),
  'audit-reply': plainKind({ read: decodeAuditReply, write: encodeAuditReply }, ['document']),
};

function expectedBy(given: Given): { readonly challenge: Bytes; readonly partner: PeerId } {
  return { challenge: bytesIn(given['challenge']), partner: parties(given).partner };
}

const agreeing: Readonly<Record<string, VectorKind>> = {
  negotiation: plainKind({ read: decodeNegotiationRequest, write: encodeNegotiationRequest }, [
    ...['profile', 'negotiation', 'agreement', 'schedule'],
  ]),
  'negotiation-reply': plainKind({ read: decodeNegotiationReply, write: encodeNegotiationReply }, [
    ...['profile', 'negotiation', 'agreement', 'schedule'],
  ]),
  redemption: plainKind({ read: decodeRedemption, write: encodeRedemption }, [
    ...['secret', 'agreement'],
  ]),
  'redemption-reply': plainKind({ read: decodeRedemptionReply, write: encodeRedemptionReply }, [
    'agreement',
  ]),
  profile: {
    read: (input, given) => readProfile(input, peerOf(given['seed'])),
    write: (says, given) =>
      signProfile(revived(says, ['schedule', 'promised', 'receiptHash']), bytesIn(given['seed'])),
  },
};

const keeping: Readonly<Record<string, VectorKind>> = {
  notice: {
    read: (input, given) => readNotice(input, peerOf(given['seed'])),
    write: (says, given) => signNotice(says, bytesIn(given['seed'])),
  },
  record: plainKind({ read: decodeRecordMessage, write: encodeRecordMessage }, [
    ...['document', 'receipts'],
  ]),
  'track-receipt': {
    read: (input) =>
      saying(readProposal(input), ({ receipt, signatures }) => ({
        ...{ receipt, countersigned: signatures.countersigner !== undefined },
      })),
    write: (says, given) => {
      const { receipt, countersigned } = revived<{
        receipt: Parameters<typeof proposeReceipt>[0];
        countersigned: boolean;
      }>(says, ['previousHash']);
      const proposal = proposeReceipt(receipt, bytesIn(given['proposerSeed']));
      const read = readProposal(proposal);
      if (!read.ok) throw new Error(read.error.code);
      const seed = given['countersignerSeed'];
      return countersigned ? countersignReceipt(read.value, bytesIn(seed)) : proposal;
    },
  },
  statement: {
    read: (input, given) => {
      const by = peerOf(given['seed']);
      const about = idOf<PeerId>(bytesIn(given['about']));
      return saying(verifyStatement(input, { by, about, now: instantIn(given['now']) }), (said) => {
        const { signed: _, ...statement } = said;
        return statement;
      });
    },
    write: (says, given) => signStatement(revived(says, ['receipt']), bytesIn(given['seed'])),
  },
  inventory: plainKind({ read: decodeInventory, write: encodeInventory }, ['merkleRoot']),
  'ledger-page': {
    read: (input) => decodeLedgerPage(input),
    write: (says) => encodeLedgerPage((says as readonly string[]).map((entry) => bytesIn(entry))),
  },
};

function instantIn(text: string | undefined): Instant {
  return instant(Number(text));
}

export const vectorKinds: Readonly<Record<string, VectorKind>> = {
  ...audits,
  ...agreeing,
  ...keeping,
};

/** As JSON has it: bytes as hexadecimal, what is undefined left out. */
export function plain(value: unknown): unknown {
  const text = JSON.stringify(value, (_, inner: unknown) =>
    inner instanceof Uint8Array ? hexText(inner) : inner,
  );
  return JSON.parse(text);
}
