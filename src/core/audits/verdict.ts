/**
 * How an audit ends, and how its partner is told (C17, C37–C39).
 *
 * Five outcomes. Only bytes, or the partner's own signed word, make it *wrong*; whatever is no valid answer is *silence*, and the same is asked again.
 */
import { present } from '../../base/assert.ts';
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import { decodeDocument, encodeDocument } from '../../base/document.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { hashBytes } from '../../primitives/hash.ts';
import { verifyMerklePath } from '../../primitives/merkle.ts';
import { bytesOf, idOf, type PeerId, type ShardName, shardNameBytes } from '../vocabulary/ids.ts';
import { blocksMaximum } from '../wire/blocks.ts';
import { decodeRecord, recordSignedBy, signRecord } from '../wire/signed-record.ts';
import type { AuditAnswer, BlockAsked, BlockProof } from './audit-answer.ts';
import type { ChosenBlock } from './block-choice.ts';
import { blocksPerAuditMaximum } from './challenge.ts';

/** `offline`: no connection. `silent`: connected, and no valid answer. `unclear`: our own fault, or nothing can be told. */
export type AuditOutcome = 'passed' | 'wrong' | 'offline' | 'silent' | 'unclear';

const faults = ['missing', 'other-bytes', 'bad-tag', 'denied-ledger', 'lost-epoch'] as const;

/**
 * `missing`: it says it has lost the block. `other-bytes`: what it shows is not under the root that it signed. `bad-tag`: the keyed hash says it is not what
 * was sent. `denied-ledger`: it denies entries that it signed. `lost-epoch`: it lost everything since it was asked.
 */
export type AuditFault = (typeof faults)[number];

/** One block that was not as it should be. */
export interface Finding extends BlockAsked {
  readonly fault: AuditFault;
}

/** Whether a block's tag is that of this place; undefined where the owner cannot tell, having forgotten the shard. */
export type TagCheck = (asked: BlockAsked, block: Bytes) => boolean | undefined;

/** What is wrong with an answer to these blocks, in their order; nothing: passed. `blocks` are those of the answer (`blocksOfAnswer`). */
export function judgeBlocks(
  chosen: readonly ChosenBlock[],
  given: { readonly answer: AuditAnswer; readonly blocks: readonly (Bytes | undefined)[] },
  hasGoodTag: TagCheck,
): readonly Finding[] {
  const findings: Finding[] = [];
  chosen.forEach((asked, place) => {
    const { proof } = present(given.answer.entries[place], 'the answer speaks of every block');
    const fault = faultOf(asked, { proof, block: given.blocks[place] }, hasGoodTag);
    const { shard, number } = asked;
    if (fault !== undefined) findings.push({ name: shard.name, number, fault });
  });
  return findings;
}

function faultOf(
  { shard, number }: ChosenBlock,
  { proof, block }: { readonly proof: BlockProof | undefined; readonly block: Bytes | undefined },
  hasGoodTag: TagCheck,
): AuditFault | undefined {
  if (proof === undefined || block === undefined) return 'missing';
  const claim = {
    ...{ root: shard.merkleRoot, leafCount: shard.blockCount },
    ...{ leafIndex: number, hash: proof.hash },
  };
  if (!verifyMerklePath(claim, proof.path)) return 'other-bytes';
  return hasGoodTag({ name: shard.name, number }, block) === false ? 'bad-tag' : undefined;
}

const kind = { magic: 'covault/audit-verdict', version: 1, limitBytes: 8_192 };

/** Told to the partner when it was wrong: which blocks, and why. */
export function signVerdict(
  challenge: Uint8Array,
  findings: readonly Finding[],
  identitySeed: Uint8Array,
): Bytes {
  const body = encodeDocument(kind, [
    challenge,
    findings.map(({ name, number, fault }) => [bytesOf(name), number, fault]),
  ]);
  return signRecord('audit-verdict', body, identitySeed);
}

export interface Verdict {
  /** Id of the challenge. */
  readonly challenge: Bytes;
  readonly findings: readonly Finding[];
}

export type VerdictFailure = { readonly code: 'audit.malformed' | 'audit.bad-signature' };

export function readVerdict(document: Uint8Array, owner: PeerId): Outcome<Verdict, VerdictFailure> {
  const record = decodeRecord(document, kind.limitBytes);
  if (!record.ok) return failed({ code: 'audit.malformed' });
  if (!recordSignedBy('audit-verdict', record.value, owner))
    return failed({ code: 'audit.bad-signature' });
  const read = decodeDocument(kind, record.value.body, (fields) => ({
    challenge: fields.fixed(hashBytes),
    findings: fields.list(blocksPerAuditMaximum, (list) =>
      list.record((finding) => ({
        name: idOf<ShardName>(finding.fixed(shardNameBytes)),
        number: finding.uint(blocksMaximum),
        fault: finding.choice(faults),
      })),
    ),
  }));
  return read.ok ? succeeded(read.value) : failed({ code: 'audit.malformed' });
}

/** Whether a verdict is about blocks that the challenge asked for, and no others. */
export function speaksOf(
  verdict: Verdict,
  challenge: Bytes,
  asked: readonly BlockAsked[],
): boolean {
  return (
    equalBytes(verdict.challenge, challenge) &&
    verdict.findings.every(({ name, number }) =>
      asked.some((block) => block.name === name && block.number === number),
    )
  );
}
