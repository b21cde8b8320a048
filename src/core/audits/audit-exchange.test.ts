/** Both machines of an audit against each other, over mail that is lost, repeated, reordered and changed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { present } from '../../base/assert.ts';
import { type Bytes, bigEndian, equalBytes } from '../../base/bytes.ts';
import { Prng } from '../../base/prng.ts';
import { instant } from '../../base/units.ts';
import { sha256 } from '../../primitives/hash.ts';
import { merklePath, merkleRoot } from '../../primitives/merkle.ts';
import { publicKeyOf } from '../../primitives/signature.ts';
import { ledgerStart, nextAcknowledgement, readEntry } from '../agreements/acknowledgement.ts';
import { type AgreementId, idOf, type PeerId, type ShardName } from '../vocabulary/ids.ts';
import { blockBytes } from '../vocabulary/limits.ts';
import {
  type AnswererEffect,
  type AnswererState,
  drawSpaceOf,
  type LedgerAccount,
  nothingAsked,
  stepAnswerer,
} from './answerer.ts';
import { signAnswer } from './audit-answer.ts';
import { visitedBitmap } from './audit-round.ts';
import { type AuditedShard, inventoryRoot } from './audited-space.ts';
import {
  type AuditorEffect,
  type AuditorState,
  type Judgement,
  noAudits,
  pendingMaximum,
  type SealedAudit,
  stepAuditor,
} from './auditor.ts';
import { type AuditSubject, readChallenge, signChallenge } from './challenge.ts';
import { readOpening } from './challenge-opening.ts';
import { readNonce } from './nonce-reply.ts';
import { decodeTranscript, encodeTranscript, judgeTranscript, provesLoss } from './transcript.ts';

const ownerSeed = new Uint8Array(32).fill(1);
const holderSeed = new Uint8Array(32).fill(2);
const owner = idOf<PeerId>(publicKeyOf(ownerSeed));
const partner = idOf<PeerId>(publicKeyOf(holderSeed));
const parties = { owner, partner };
const agreement = idOf<AgreementId>(new Uint8Array(32).fill(3));
const begin = 1_700_000_000_000;
const intervalMs = 1_000;

function blockOf(shard: number, number: number): Bytes {
  return new Uint8Array(blockBytes).fill((shard * 16 + number) & 0xff);
}

interface Held {
  readonly shard: AuditedShard;
  readonly blocks: readonly Bytes[];
}

const blockCounts = [1, 3, 2, 5];
const held: readonly Held[] = blockCounts.map((blockCount, number) => {
  const blocks = Array.from({ length: blockCount }, (_, at) => blockOf(number, at));
  const shard = {
    ...{ name: idOf<ShardName>(bigEndian(number, 16)), blockCount, sequence: number + 1 },
    ...{ merkleRoot: merkleRoot(blocks.map((block) => sha256(block))) },
    ...{ deletedBy: undefined, visitedIn: 0 },
  };
  return { shard, blocks };
});

const entries: ReturnType<typeof nextAcknowledgement>[] = [];
for (const { shard } of held) {
  const before = entries.at(-1)?.head ?? ledgerStart(agreement, 0);
  const entry = { ...shard, agreement, action: 'put' as const, time: instant(begin) };
  entries.push(nextAcknowledgement(before, entry, holderSeed));
}
const head = present(entries.at(-1), 'a ledger with entries').head;

/** One owner and one partner, each with its own marks, as their engines keep them. */
class Pair {
  auditor: AuditorState = noAudits;
  answerer: AnswererState = nothingAsked;
  ownerMarks = new Map<ShardName, number>();
  holderMarks = new Map<ShardName, number>();
  round = { round: 1, roundStart: held.length };
  readonly judged: Judgement[] = [];
  readonly charged: number[] = [];
  readonly lost = new Set<ShardName>();
  now = begin;
  readonly #draws: Prng;

  constructor(seed: string | number) {
    this.#draws = new Prng(seed);
  }

  space(marks: ReadonlyMap<ShardName, number>): readonly AuditedShard[] {
    return held.map(({ shard }) => ({ ...shard, visitedIn: marks.get(shard.name) ?? 0 }));
  }

  account(change: Partial<LedgerAccount> = {}): LedgerAccount {
    const space = this.space(this.holderMarks);
    const known = { entryHash: head.hash, head, nextEntryAt: undefined, space };
    return { ...known, inventoryRoot: inventoryRoot(change.space ?? space), ...change };
  }

  subject(change: Partial<AuditSubject> = {}): AuditSubject {
    const space = this.space(this.ownerMarks);
    return {
      ...{ owner, partner, agreement, epoch: 0, sequence: head.sequence, head: head.hash },
      ...{ inventoryRoot: inventoryRoot(space), ...this.round },
      visited: visitedBitmap(space, this.round.round),
      ...{ coverageCount: 1, uniformCount: 1, time: instant(this.now) },
      ...change,
    };
  }

  seal(change: Partial<AuditSubject> = {}): SealedAudit {
    const nonce = this.#draws.bytes(32);
    const challenge = signChallenge(this.subject(change), nonce, ownerSeed);
    return { challenge, nonce, since: instant(this.now) };
  }

  due(change: Partial<AuditSubject> = {}): readonly AuditorEffect[] {
    return this.auditorStep({ type: 'due', sealed: this.seal(change) });
  }

  auditorStep(event: Parameters<typeof stepAuditor>[1]): readonly AuditorEffect[] {
    const { state, effects } = stepAuditor(this.auditor, event, ownerSeed);
    this.auditor = state;
    for (const effect of effects) if (effect.type === 'judged') this.#judge(effect);
    return effects;
  }

  /** What the partner answers to a challenge document. */
  challenge(document: Bytes, account = this.account(), allowance = 100): readonly AnswererEffect[] {
    const challenge = readChallenge(document, parties);
    if (!challenge.ok) return [];
    const { state, effects } = stepAnswerer(
      this.answerer,
      {
        type: 'challenge-received',
        challenge: challenge.value,
        ...{ account, allowance, intervalMs, now: instant(this.now) },
      },
      holderSeed,
    );
    this.answerer = state;
    for (const effect of effects)
      if (effect.type === 'charge') this.charged.push(effect.blockCount);
    return effects;
  }

  opening(
    document: Bytes,
    account = this.account(),
    { isPaid = true, allowance = 100 } = {},
  ): readonly AnswererEffect[] {
    const opened = readOpening(document, parties);
    if (!opened.ok) return [];
    const event = { type: 'opening-received', opened: opened.value, account } as const;
    const { state, effects } = stepAnswerer(
      this.answerer,
      { ...event, isPaid, allowance, now: instant(this.now) },
      holderSeed,
    );
    this.answerer = state;
    for (const effect of effects)
      if (effect.type === 'charge-again') this.charged.push(effect.blockCount);
    return effects;
  }

  nonceReceived(document: Bytes): readonly AuditorEffect[] {
    const { auditor } = this;
    if (auditor.phase !== 'sealed') return [];
    const { id, subject } = auditor.sealed.challenge;
    const from = drawSpaceOf(subject, this.space(this.ownerMarks));
    const event = { challenge: id, document, from, now: instant(this.now) };
    return this.auditorStep({ type: 'nonce-received', ...event });
  }

  /** The signed answer to a `prove` effect, and the blocks behind it. */
  answer(effects: readonly AnswererEffect[]): { document: Bytes; blocks: Bytes } | undefined {
    const prove = effects.find((effect) => effect.type === 'prove');
    if (prove?.type !== 'prove') return undefined;
    const { opened, chosen } = prove.audit;
    const shown: Bytes[] = [];
    const proofs = chosen.map(({ shard, number }) => {
      const { blocks } = present(
        held.find((each) => each.shard.name === shard.name),
        'held',
      );
      this.#mark(this.holderMarks, shard.name, opened.challenge.subject.round);
      if (this.lost.has(shard.name)) return { name: shard.name, number, proof: undefined };
      const hashes = blocks.map((block) => sha256(block));
      const block = present(blocks[number], 'a block');
      shown.push(block);
      const proof = { hash: sha256(block), path: merklePath(hashes, number) };
      return { name: shard.name, number, proof };
    });
    const { id } = opened.challenge;
    this.answerer = stepAnswerer(
      this.answerer,
      { type: 'answered', challenge: id },
      holderSeed,
    ).state;
    return { document: signAnswer(id, proofs, holderSeed), blocks: Buffer.concat(shown) as Bytes };
  }

  answered(challenge: Bytes, answer: { document: Bytes; blocks: Bytes }): readonly AuditorEffect[] {
    return this.auditorStep({
      ...{ type: 'answer-received', challenge, ...answer },
      hasGoodTag: ({ name, number }, block) => {
        const of = held.findIndex(({ shard }) => shard.name === name);
        return equalBytes(block, blockOf(of, number));
      },
    });
  }

  /** One whole audit with nothing lost on the way. */
  audit(change: Partial<AuditSubject> = {}): Judgement | undefined {
    const before = this.judged.length;
    for (const effect of this.due(change))
      if (effect.type === 'send-challenge')
        for (const reply of this.challenge(effect.challenge.document))
          if (reply.type === 'reply-nonce')
            for (const next of this.nonceReceived(reply.document))
              if (next.type === 'send-opening') this.deliver(next.audit.opened.document);
    return this.judged[before];
  }

  /** Brings an opening to the partner, and its answer back. */
  deliver(document: Bytes): void {
    const answer = this.answer(this.opening(document));
    const opened = readOpening(document, parties);
    assert.ok(opened.ok);
    if (answer !== undefined) this.answered(opened.value.challenge.id, answer);
  }

  #mark(marks: Map<ShardName, number>, name: ShardName, round: number): void {
    if (this.round.round === round) marks.set(name, round);
  }

  #judge(judged: Judgement): void {
    this.judged.push(judged);
    const audit = judged.settled?.audit;
    if (audit === undefined || !('opened' in audit)) return;
    for (const { shard } of audit.chosen)
      this.#mark(this.ownerMarks, shard.name, audit.opened.challenge.subject.round);
  }
}

function nonceIn(effects: readonly AnswererEffect[]): Bytes {
  const reply = effects.find((effect) => effect.type === 'reply-nonce');
  assert.ok(reply?.type === 'reply-nonce', 'the partner gave its nonce');
  return reply.document;
}

function refusalIn(effects: readonly AnswererEffect[]): string | undefined {
  const refusal = effects.find((effect) => effect.type === 'refuse');
  return refusal?.type === 'refuse' ? refusal.code : undefined;
}

/** A pair whose challenge the partner has answered with its nonce. */
function opened(seed: string | number, change: Partial<AuditSubject> = {}) {
  const pair = new Pair(seed);
  const [sent] = pair.due(change);
  assert.ok(sent?.type === 'send-challenge');
  const nonce = nonceIn(pair.challenge(sent.challenge.document));
  const [next] = pair.nonceReceived(nonce);
  assert.ok(next?.type === 'send-opening');
  return { pair, challenge: sent.challenge, nonce, audit: next.audit };
}

test('an honest partner passes, and a round visits every shard before any is due again', () => {
  const pair = new Pair('honest');
  for (let audit = 0; pair.ownerMarks.size < held.length; audit += 1) {
    assert.ok(audit < held.length, 'one shard of those that are left is drawn every time');
    assert.equal(pair.audit({ uniformCount: 0 })?.outcome, 'passed');
    assert.deepEqual(pair.ownerMarks, pair.holderMarks);
  }
  pair.round = { round: 2, roundStart: held.length };
  assert.equal(pair.audit()?.outcome, 'passed');
});

test('a partner that lost what is asked for is wrong, by its own signed word', () => {
  const pair = new Pair('lost');
  for (const { shard } of held) pair.lost.add(shard.name);
  const judged = pair.audit();
  assert.equal(judged?.outcome, 'wrong');
  assert.ok(judged?.findings.every(({ fault }) => fault === 'missing'));
  assert.equal(pair.auditor.pending.length, 0);
});

test('at most one seal is unopened: repeats get the same nonce, another is refused for one interval', () => {
  const pair = new Pair('one');
  const first = pair.seal();
  const nonce = nonceIn(pair.challenge(first.challenge.document));
  const again = pair.seal({ time: instant(begin + 1) });
  assert.equal(refusalIn(pair.challenge(again.challenge.document)), 'audit.unopened');
  pair.now += intervalMs - 1;
  assert.equal(refusalIn(pair.challenge(again.challenge.document)), 'audit.unopened');
  assert.deepEqual(nonceIn(pair.challenge(first.challenge.document)), nonce);
  pair.now += 1;
  const other = nonceIn(pair.challenge(again.challenge.document));
  assert.ok(!equalBytes(other, nonce));
  // Even a challenge that was given up, and whose partner forgot everything, gets the nonce that it got.
  pair.answerer = nothingAsked;
  assert.deepEqual(nonceIn(pair.challenge(first.challenge.document)), nonce);
  assert.deepEqual(pair.charged, [2, 2, 2]);
});

test('once it is opened a challenge stays until it is answered, over any restart and other audits', () => {
  const { pair, audit } = opened('sticky');
  pair.auditorStep({
    type: 'unanswered',
    challenge: audit.opened.challenge.id,
    reason: 'peer.silent',
  });
  pair.auditorStep({ type: 'unreached', challenge: audit.opened.challenge.id });
  assert.deepEqual(
    pair.judged.map(({ outcome }) => outcome),
    ['silent', 'offline'],
  );
  assert.equal(pair.auditor.pending.length, 1);
  // The partner dies before it gets the opening; the next challenge begins another round, for its account may be another.
  pair.answerer = { ...nothingAsked, round: pair.answerer.round };
  pair.round = { round: 2, roundStart: held.length };
  assert.equal(pair.audit()?.outcome, 'passed');
  assert.equal(pair.judged.at(-1)?.outcome, 'passed');
  assert.equal(pair.auditor.pending.length, 1, 'an answer clears only its own');
  const before = readOpening(audit.opened.document, parties);
  assert.ok(before.ok);
  pair.deliver(audit.opened.document);
  assert.equal(pair.judged.at(-1)?.outcome, 'passed');
  assert.deepEqual(pair.judged.at(-1)?.challenge, before.value.challenge.id);
  assert.equal(pair.auditor.pending.length, 0);
});

test('an answer that is asked for too often counts as if it were drawn anew, while there is quota for it', () => {
  const { pair, audit } = opened('again');
  const { document } = audit.opened;
  const unpaid = (allowance: number): readonly AnswererEffect[] =>
    pair.opening(document, pair.account(), { isPaid: false, allowance });
  assert.ok(pair.answer(unpaid(0)), 'its seal waits to be opened, and was charged');
  assert.ok(pair.answer(pair.opening(document)), 'answered often by now, and not too often');
  assert.deepEqual(pair.charged, [2]);
  assert.ok(pair.answer(unpaid(2)));
  assert.deepEqual(pair.charged, [2, 2]);
  assert.equal(refusalIn(unpaid(1)), 'request.quota');
  assert.deepEqual(pair.charged, [2, 2]);
  pair.opening(document);
  assert.ok(pair.answer(unpaid(0)), 'what is not answered yet is not asked for again');
});

test('a dodger that answers other challenges keeps the one it cannot answer, and has an end of new ones', () => {
  const pair = new Pair('dodger');
  for (let round = 1; round <= pendingMaximum + 5; round += 1) {
    pair.round = { round, roundStart: held.length };
    for (const effect of pair.due())
      if (effect.type === 'send-challenge') {
        pair.nonceReceived(nonceIn(pair.challenge(effect.challenge.document)));
        pair.answerer = nothingAsked;
      }
  }
  assert.equal(pair.auditor.pending.length, pendingMaximum);
  assert.deepEqual(pair.due(), []);
});

test('a ledger that is not its own is denied with a signature, and the denial is proof', () => {
  const pair = new Pair('denial');
  const [sent] = pair.due();
  assert.ok(sent?.type === 'send-challenge');
  const account = pair.account({ entryHash: undefined, head: ledgerStart(agreement, 0) });
  const [denial] = pair.challenge(sent.challenge.document, account);
  assert.ok(denial?.type === 'reply-denial');
  const { id } = sent.challenge;
  pair.auditorStep({ type: 'denial-received', challenge: id, document: denial.document });
  assert.deepEqual([pair.judged[0]?.outcome, pair.judged[0]?.reason], ['wrong', 'denied-ledger']);
  assert.equal(pair.auditor.phase, 'resting');
  const later = pair.due();
  const [next] = pair.challenge(
    ...([later[0]?.type === 'send-challenge' ? later[0].challenge.document : id] as const),
    pair.account({ entryHash: undefined, head: ledgerStart(agreement, 1) }),
  );
  assert.ok(next?.type === 'reply-denial' && later[0]?.type === 'send-challenge');
  const denied = { challenge: later[0].challenge.id, document: next.document };
  pair.auditorStep({ type: 'denial-received', ...denied });
  assert.equal(pair.judged.at(-1)?.reason, 'lost-epoch');
});

test('another account of shards, round, quota or an old head is refused, and charges nothing', () => {
  const pair = new Pair('refused');
  const ask = (change: Partial<AuditSubject>): string | undefined =>
    refusalIn(pair.challenge(pair.seal(change).challenge.document));
  assert.equal(ask({ inventoryRoot: new Uint8Array(32) }), 'audit.other-account');
  assert.equal(ask({ visited: Uint8Array.of(1) }), 'audit.other-account');
  assert.equal(ask({ roundStart: 1 }), 'audit.other-account');
  const sealed = pair.seal().challenge.document;
  assert.equal(refusalIn(pair.challenge(sealed, pair.account(), 1)), 'request.quota');
  const old = pair.account({ nextEntryAt: instant(begin - intervalMs - 1) });
  assert.equal(refusalIn(pair.challenge(sealed, old)), 'audit.old-ledger');
  assert.deepEqual(pair.charged, []);
});

test('no byte of any message can be changed', () => {
  const { pair, challenge, nonce, audit } = opened('mutation');
  const answer = present(pair.answer(pair.opening(audit.opened.document)), 'an answer');
  const read = { challenge: challenge.id, partner };
  const documents: readonly [Bytes, (bytes: Bytes) => boolean][] = [
    [challenge.document, (bytes) => readChallenge(bytes, parties).ok],
    [nonce, (bytes) => readNonce(bytes, read).ok],
    [audit.opened.document, (bytes) => readOpening(bytes, parties).ok],
    [
      answer.document,
      (bytes) => {
        const state = pair.auditor;
        const step = { ...answer, document: bytes };
        const [effect] = pair.answered(challenge.id, step);
        pair.auditor = state;
        return effect?.type === 'judged' && effect.outcome !== 'silent';
      },
    ],
  ];
  for (const [document, accepts] of documents) assert.ok(accepts(document));
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), fc.nat(3), (place, flip, which) => {
      const [document, accepts] = present(documents[which], 'a document');
      const changed = new Uint8Array(document);
      const at = place % changed.length;
      changed[at] = (changed[at] ?? 0) ^ flip;
      assert.ok(!accepts(changed), `byte ${at}`);
      assert.ok(!accepts(document.slice(0, at)));
    }),
    { numRuns: 300 },
  );
});

test('other blocks than those of the answer are no answer, and one wrong byte under a right signature is proof', () => {
  const { pair, challenge, audit } = opened('bytes', { coverageCount: 4, uniformCount: 4 });
  const answer = present(pair.answer(pair.opening(audit.opened.document)), 'an answer');
  const changed = new Uint8Array(answer.blocks);
  changed[70_000 % changed.length] = (changed[70_000 % changed.length] ?? 0) ^ 1;
  pair.answered(challenge.id, { ...answer, blocks: changed as Bytes });
  assert.equal(pair.judged.at(-1)?.outcome, 'silent');
  const { shard, number } = present(audit.chosen[0], 'a block');
  const bad = new Uint8Array(blockBytes).fill(9);
  const first = { name: shard.name, number, proof: { hash: sha256(bad), path: [] } };
  const rest = audit.chosen.slice(1).map((each) => {
    return { name: each.shard.name, number: each.number, proof: undefined };
  });
  const document = signAnswer(challenge.id, [first, ...rest], holderSeed);
  pair.answered(challenge.id, { document, blocks: bad });
  assert.equal(pair.judged.at(-1)?.outcome, 'wrong');
  assert.equal(pair.judged.at(-1)?.findings[0]?.fault, 'other-bytes');
});

test('the transcript lets a stranger tell what was lost, and nobody else can make one', () => {
  const pair = new Pair('stranger');
  for (const { shard } of held) pair.lost.add(shard.name);
  const judged = pair.audit();
  const audit = judged?.settled?.audit;
  assert.ok(judged?.settled !== undefined && audit !== undefined && 'opened' in audit);
  const kept = encodeTranscript({
    opening: audit.opened.document,
    answer: judged.settled.evidence,
  });
  const transcript = decodeTranscript(kept);
  assert.ok(transcript.ok);
  const read = judgeTranscript(transcript.value, parties);
  assert.ok(read.ok);
  const proven = entries.filter(({ document }) => {
    const entry = readEntry({ agreement, holder: partner }, document);
    return entry.ok && provesLoss(read.value, entry.value.acknowledgement);
  });
  assert.equal(proven.length, new Set(audit.chosen.map(({ shard }) => shard.name)).size);
  assert.ok(!judgeTranscript(transcript.value, { owner: partner, partner: owner }).ok);
});

test('whatever happens to the mail, no honest partner is wrong, seals and pending stay bounded, and quiet mail ends it', () => {
  fc.assert(
    fc.property(fc.nat(), fc.array(fc.nat(6), { minLength: 5, maxLength: 60 }), (seed, script) => {
      const pair = new Pair(seed);
      const draws = new Prng(`mail ${seed}`);
      const mail: (() => void)[] = [];
      const post = (effects: readonly AuditorEffect[]): void => {
        for (const effect of effects) {
          if (effect.type === 'send-challenge')
            mail.push(() => {
              const replies = pair.challenge(effect.challenge.document);
              for (const reply of replies)
                if (reply.type === 'reply-nonce')
                  mail.push(() => post(pair.nonceReceived(reply.document)));
            });
          if (effect.type === 'send-opening')
            mail.push(() => {
              const answer = pair.answer(pair.opening(effect.audit.opened.document));
              const { id } = effect.audit.opened.challenge;
              if (answer !== undefined) mail.push(() => post(pair.answered(id, answer)));
            });
        }
      };
      const ask = (): void => {
        const begins = pair.auditor.pending.length > 0;
        if (begins || pair.ownerMarks.size === held.length)
          pair.round = { round: pair.round.round + 1, roundStart: held.length };
        if (pair.ownerMarks.size === held.length) pair.ownerMarks.clear();
        for (const audit of pair.auditor.pending) post([{ type: 'send-opening', audit }]);
        post(pair.due());
      };
      for (const action of script) {
        if (action === 0) ask();
        if (action === 1) mail.splice(draws.below(mail.length + 1), 1);
        if (action === 2) mail.push(...mail.slice(0, 1));
        if (action === 3) pair.now += intervalMs;
        if (action >= 4) mail.splice(draws.below(mail.length + 1), 1)[0]?.();
        assert.ok(pair.auditor.pending.length <= pendingMaximum);
      }
      mail.length = 0;
      for (let turn = 0; turn < 4; turn += 1) {
        pair.now += intervalMs;
        pair.auditorStep({ type: 'seal-given-up' });
        ask();
        while (mail.length > 0) mail.shift()?.();
      }
      assert.equal(pair.auditor.pending.length, 0, 'everything that was opened is answered');
      assert.ok(pair.judged.every(({ outcome }) => outcome !== 'wrong'));
    }),
    { numRuns: 150 },
  );
});
