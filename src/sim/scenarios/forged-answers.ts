/**
 * A partner that answers audits otherwise than its engine would: with blocks that it made up, or with none.
 *
 * Its engine still knows everything, so what an honest partner would show is at hand, with the hashes beside the way to the root: a cheat can keep these, for they
 * are small. Whatever it puts in place of a block is signed by it and sent.
 */
import { assert, present } from '../../base/assert.ts';
import { type Bytes, equalBytes, hexText } from '../../base/bytes.ts';
import {
  type AnswerEntry,
  blocksOfAnswer,
  frameReply,
  readAnswer,
  signAnswer,
  unframeReply,
} from '../../core/audits/audit-answer.ts';
import {
  decodeAuditReply,
  decodeAuditRequest,
  encodeAuditReply,
} from '../../core/audits/audit-message.ts';
import { readOpening } from '../../core/audits/challenge-opening.ts';
import type { PeerId, ShardName } from '../../core/vocabulary/ids.ts';
import type { IncomingRequest, OutgoingReply } from '../../ports/transport.ts';
import { sha256 } from '../../primitives/hash.ts';
import type { SimPeer } from '../sim-peer.ts';
import { type Answering, bodyOf, bytesOfBody, isAudit } from './conduct.ts';

export interface ShownBlock {
  readonly owner: PeerId;
  readonly name: ShardName;
  readonly number: number;
  /** As it was sent: what an honest partner would show. */
  readonly bytes: Bytes;
}

/** What is shown instead; undefined: the partner admits that it has not got it. */
export type Forging = (block: ShownBlock) => Bytes | undefined;

/** To be set as what a cheat answers: audits with forged blocks, everything else as `others` has it. */
export function forgingAnswers(
  cheat: SimPeer,
  forge: Forging,
  others: Answering = (request, engine) => engine(request),
): Answering {
  return async (request, engine, transport) => {
    if (!isAudit(request)) return await others(request, engine, transport);
    const asked: Bytes = new Uint8Array(await bytesOfBody(request.body));
    const reply = await engine({ ...request, body: bodyOf(asked) });
    return forgedReply({ cheat, forge }, { asked, from: request.from }, reply);
  };
}

/** The challenge that an audit message opens; undefined when it is another message. */
export function openingIn(asked: Bytes, owner: PeerId, partner: PeerId): Bytes | undefined {
  const message = decodeAuditRequest(asked);
  if (!message.ok || message.value.type !== 'opening') return undefined;
  const opened = readOpening(message.value.document, { owner, partner });
  return opened.ok ? opened.value.challenge.id : undefined;
}

function forgedReply(
  { cheat, forge }: { readonly cheat: SimPeer; readonly forge: Forging },
  { asked, from }: { readonly asked: Bytes; readonly from: IncomingRequest['from'] },
  reply: OutgoingReply,
): OutgoingReply {
  const partner = cheat.keys.peerId;
  const challenge = openingIn(asked, from, partner);
  if (challenge === undefined || !(reply.body instanceof Uint8Array)) return reply;
  const parts = present(unframeReply(new Uint8Array(reply.body)), 'our own reply is framed');
  const told = decodeAuditReply(parts.document);
  if (!told.ok || told.value.type !== 'answer') return reply;
  const answer = readAnswer(told.value.document, { challenge, partner });
  assert(answer.ok, 'our own answer can be read');
  const shown = present(blocksOfAnswer(answer.value, parts.blocks), 'our own blocks');
  const blocks: Bytes[] = [];
  const entries = answer.value.entries.map((entry, place): AnswerEntry => {
    const bytes = shown[place];
    const { name, number, proof } = entry;
    const made = bytes && forge({ owner: from, name, number, bytes });
    if (made === undefined) return { name, number, proof: undefined };
    blocks.push(made);
    return { name, number, proof: { hash: sha256(made), path: proof?.path ?? [] } };
  });
  const document = signAnswer(challenge, entries, cheat.keys.identitySeed);
  const body = frameReply(encodeAuditReply({ type: 'answer', document }), blocks);
  return { ...reply, body };
}

/** For the trace: what two cheats show is told apart by it. */
export function traceOf(block: ShownBlock, made: Bytes | undefined): Record<string, string> {
  const kind = made === undefined ? 'admitted' : hexText(sha256(made)).slice(0, 16);
  const isHonest = made !== undefined && equalBytes(made, block.bytes);
  return { shown: kind, honest: String(isHonest) };
}
