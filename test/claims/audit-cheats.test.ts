/**
 * What would have to be possible for an audit to prove nothing, tried by owners and partners who cheat (C16–C19): each trick must come to nothing, for that is
 * what the claims rest on.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import type { Bytes } from '../../src/base/bytes.ts';
import { Prng } from '../../src/base/prng.ts';
import { dayMs, hourMs } from '../../src/base/units.ts';
import {
  type AnswerEntry,
  frameReply,
  readAnswer,
  signAnswer,
  unframeReply,
} from '../../src/core/audits/audit-answer.ts';
import {
  type AuditRequest,
  decodeAuditReply,
  decodeAuditRequest,
  encodeAuditReply,
  encodeAuditRequest,
} from '../../src/core/audits/audit-message.ts';
import { visitedBitmap } from '../../src/core/audits/audit-round.ts';
import { inventoryRoot, spaceAt } from '../../src/core/audits/audited-space.ts';
import { chooseBlocks } from '../../src/core/audits/block-choice.ts';
import {
  type AuditSubject,
  type Challenge,
  sealNonce,
  signChallenge,
} from '../../src/core/audits/challenge.ts';
import { readOpening, signOpening } from '../../src/core/audits/challenge-opening.ts';
import { decodeTranscript } from '../../src/core/audits/transcript.ts';
import { blockBytes } from '../../src/core/vocabulary/limits.ts';
import type { AuditLane } from '../../src/ports/audit-store.ts';
import { sha256 } from '../../src/primitives/hash.ts';
import { merklePath } from '../../src/primitives/merkle.ts';
import { type AuditScene, inAuditScene } from '../sim/audit-scene.ts';

/** What a partner that cheats makes of its honest answer. */
interface Shown {
  readonly entries: readonly AnswerEntry[];
  readonly blocks: readonly Bytes[];
}

/** From now on the partner answers what `forge` makes of its answers, under its own signature. */
function forging(scene: AuditScene, forge: (shown: Shown) => Shown): void {
  const honest = scene.answers;
  const { identitySeed, peerId } = scene.holder;
  const answer: typeof honest.answer = async (agreement, message) => {
    const reply = await honest.answer(agreement, message);
    const parts = reply.ok ? unframeReply(reply.value) : undefined;
    const told = parts && decodeAuditReply(parts.document);
    if (parts === undefined || told?.ok !== true || told.value.type !== 'answer') return reply;
    const opening = decodeAuditRequest(message);
    assert.ok(opening.ok);
    const parties = { owner: scene.owner.peerId, partner: peerId };
    const opened = readOpening(opening.value.document, parties);
    assert.ok(opened.ok);
    const { id } = opened.value.challenge;
    const said = readAnswer(told.value.document, { challenge: id, partner: peerId });
    assert.ok(said.ok);
    const count = parts.blocks.length / blockBytes;
    const blocks = Array.from({ length: count }, (_, place) =>
      parts.blocks.slice(place * blockBytes, (place + 1) * blockBytes),
    );
    const forged = forge({ entries: said.value.entries, blocks });
    const document = signAnswer(id, forged.entries, identitySeed);
    return {
      ok: true,
      value: frameReply(encodeAuditReply({ type: 'answer', document }), forged.blocks),
    };
  };
  scene.answers = Object.assign(Object.create(honest), { answer });
}

/** The owner keeps nothing by which it could check a tag: only what the partner signed counts. */
function forgetPacks({ ownerStores }: AuditScene): void {
  for (const { pack } of ownerStores.packs.all()) ownerStores.packs.remove(pack);
}

function wholeHashes(scene: AuditScene, block: number): readonly Bytes[] {
  const [name] = scene.names;
  const bytes = present(scene.disk.whole(scene.blobOf(present(name, 'a shard'))), 'a blob');
  return Array.from({ length: bytes.length / blockBytes }, (_, number) =>
    sha256(bytes.slice(number * blockBytes, (number + 1) * blockBytes)).map((byte) =>
      number === block ? byte ^ 1 : byte,
    ),
  );
}

test('C16: what was visited just now is not safe to drop: it is asked for again before its round is over', async () => {
  await inAuditScene({ seed: 'C16 again', shards: Array(20).fill(2) }, async (scene) => {
    const visited = new Set<string>();
    let again = 0;
    for (let audit = 0; audit < 11; audit += 1) {
      assert.equal((await scene.audit())?.outcome, 'passed');
      const [document] = scene.desk.transcripts(scene.agreement.agreement, 'passed');
      const transcript = decodeTranscript(present(document, 'a transcript'));
      assert.ok(transcript.ok);
      const parties = { owner: scene.owner.peerId, partner: scene.holder.peerId };
      const opened = readOpening(present(transcript.value.opening, 'an opening'), parties);
      assert.ok(opened.ok);
      const expected = { challenge: opened.value.challenge.id, partner: scene.holder.peerId };
      const answer = readAnswer(present(transcript.value.answer, 'an answer'), expected);
      assert.ok(answer.ok);
      const names = answer.value.entries.map(({ name }) => name);
      again += names.filter((name) => visited.has(name)).length;
      for (const name of names) visited.add(name);
      await scene.clock.sleep(6 * hourMs);
    }
    assert.ok(visited.size < 20, 'the first round is not over');
    assert.ok(again >= 1, `${again} times`);
  });
});

test('C16: a round visits every shard, so none goes unasked, whatever chance does', async () => {
  await inAuditScene({ seed: 'C16 every shard', shards: Array(12).fill(3) }, async (scene) => {
    for (let audit = 0; audit < 12; audit += 1) {
      assert.equal((await scene.audit())?.outcome, 'passed');
      await scene.clock.sleep(6 * hourMs);
    }
    const lane = { agreement: scene.agreement.agreement, side: 'auditor' } as const;
    const shards = scene.ownerStores.audits.shards(lane);
    assert.deepEqual(
      shards.map(({ visitedIn }) => visitedIn > 0),
      Array(12).fill(true),
    );
  });
});

test('C17: one that kept the hashes of blocks, and not the blocks, does not pass, even where the owner forgot what it sealed', async () => {
  await inAuditScene({ seed: 'C17 hashes', shards: [4] }, async (scene) => {
    forgetPacks(scene);
    assert.equal((await scene.audit())?.outcome, 'passed', 'its signature is all there is');
    forging(scene, ({ entries, blocks }) => ({
      entries,
      blocks: blocks.map((block) => new Uint8Array(block.length)),
    }));
    assert.equal((await scene.audit())?.outcome, 'silent', 'what is no answer is asked for again');
  });
});

test('C17: one that shows other bytes, well hashed, is held to the root that it signed', async () => {
  await inAuditScene({ seed: 'C17 other bytes', shards: [4] }, async (scene) => {
    forgetPacks(scene);
    forging(scene, ({ entries, blocks }) => {
      const others = blocks.map((block) => block.map((byte, at) => (at === 0 ? byte ^ 1 : byte)));
      const proven = entries.map((entry, place) => {
        const hash = sha256(present(others[place], 'a block'));
        const path = merklePath(wholeHashes(scene, entry.number), entry.number);
        return { ...entry, proof: { hash, path } };
      });
      return { entries: proven, blocks: others };
    });
    const event = await scene.audit();
    assert.equal(event?.outcome, 'wrong');
    assert.equal(event?.findings[0]?.fault, 'other-bytes');
  });
});

test('C17, C18: one that shows a block which it has, in place of the one that chance chose, has not answered', async () => {
  await inAuditScene({ seed: 'C18 instead', shards: [1, 6] }, async (scene) => {
    forging(scene, ({ entries, blocks }) => ({
      entries: entries.slice(0, 1),
      blocks: blocks.slice(0, 1),
    }));
    const event = await scene.audit();
    assert.deepEqual([event?.outcome, event?.reason], ['silent', 'audit.other-blocks']);
    assert.notEqual(event?.pendingSince, undefined);
  });
});

test('C18: every block of all that is held is as likely as any other', () => {
  const draws = new Prng('C18 evenly');
  const shards = [1, 3, 8].map((blockCount, place) => ({
    ...{ name: `${place}0`.repeat(16) as never, blockCount, merkleRoot: draws.bytes(32) },
    ...{ sequence: 1, deletedBy: undefined, visitedIn: 0 },
  }));
  const from = { space: shards, stratum: [], coverageCount: 0, uniformCount: 1 };
  const counts = new Map<string, number>();
  const [binding, games] = [draws.bytes(32), 3_600];
  for (let game = 0; game < games; game += 1) {
    const nonce = draws.bytes(32);
    const owner = { sealed: sealNonce(binding, nonce), nonce };
    const chosen = chooseBlocks(binding, { owner, partner: draws.bytes(32) }, from);
    assert.ok(chosen.ok);
    const { shard, number } = present(chosen.value[0], 'a block');
    const key = `${shard.name} ${number}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  assert.equal(counts.size, 12);
  for (const count of counts.values()) assert.ok(count > 220 && count < 390, `${count} of 300`);
});

/** An owner that says what it likes to the partner, past its own engine. */
class CheatingOwner {
  readonly #scene: AuditScene;
  readonly #draws = new Prng('cheating owner');

  constructor(scene: AuditScene) {
    this.#scene = scene;
  }

  get #lane(): AuditLane {
    return { agreement: this.#scene.agreement.agreement, side: 'answerer' };
  }

  /** What an honest owner would ask now; the partner has followed its ledger. */
  subject(change: Partial<AuditSubject> = {}): AuditSubject {
    const { owner, holder, holderStores, clock } = this.#scene;
    const { agreement } = this.#lane;
    const head = present(holderStores.ledger.head(agreement, 'holder'), 'a ledger');
    const space = spaceAt(holderStores.audits.shards(this.#lane), head.sequence);
    const account = holderStores.audits.account(this.#lane);
    const { round, roundStart } = account ?? { round: 0, roundStart: 0 };
    return {
      ...{ owner: owner.peerId, partner: holder.peerId, agreement, epoch: head.epoch },
      ...{ sequence: head.sequence, head: head.hash, inventoryRoot: inventoryRoot(space) },
      ...{ round, roundStart, visited: visitedBitmap(space, round) },
      ...{ coverageCount: 1, uniformCount: 1, time: clock.now(), ...change },
    };
  }

  seal(
    change: Partial<AuditSubject> = {},
    nonce: Uint8Array = this.#draws.bytes(32),
  ): { readonly challenge: Challenge; readonly nonce: Uint8Array } {
    const { identitySeed } = this.#scene.owner;
    return { challenge: signChallenge(this.subject(change), nonce, identitySeed), nonce };
  }

  /** The reply's document, or the code of the refusal. */
  async say(type: AuditRequest['type'], document: Bytes): Promise<Bytes | string> {
    const { answers, holderStores } = this.#scene;
    const row = present(holderStores.agreements.all()[0], 'an agreement');
    const reply = await answers.answer(row, encodeAuditRequest({ type, document }));
    if (!reply.ok) return reply.error.code;
    const told = decodeAuditReply(present(unframeReply(reply.value), 'a reply').document);
    assert.ok(told.ok);
    return told.value.document;
  }
}

test('C19: an owner that opens another number than it sealed is shown nothing', async () => {
  await inAuditScene({ seed: 'C19 opening', shards: [8] }, async (scene) => {
    await scene.audit();
    const cheat = new CheatingOwner(scene);
    const { challenge } = cheat.seal();
    const nonceDocument = await cheat.say('challenge', challenge.document);
    assert.ok(typeof nonceDocument !== 'string', 'r2 is told');
    const parts = { challenge, nonceDocument, nonce: new Uint8Array(32).fill(5) };
    const opening = signOpening(parts, scene.owner.identitySeed);
    assert.equal(await cheat.say('opening', opening), 'request.malformed');
    const from = { space: [], stratum: [], coverageCount: 0, uniformCount: 0 };
    const owner = { sealed: challenge.sealedNonce, nonce: parts.nonce };
    const partner = new Uint8Array(32);
    const chosen = chooseBlocks(challenge.binding, { owner, partner }, from);
    assert.equal(!chosen.ok && chosen.error.code, 'audit.opening-mismatch');
  });
});

test('C19: a challenge gets the same r2 however often it is asked, so nobody waits for a better one', async () => {
  await inAuditScene({ seed: 'C19 again', shards: [8] }, async (scene) => {
    await scene.audit();
    const cheat = new CheatingOwner(scene);
    const { challenge } = cheat.seal();
    const first = await cheat.say('challenge', challenge.document);
    scene.restart('holder');
    assert.deepEqual(await cheat.say('challenge', challenge.document), first);
  });
});

test('C19: an owner that likes the choice of no seal gets no other one until it opens, and pays for every one', async () => {
  await inAuditScene({ seed: 'C19 grinding', shards: [30, 30] }, async (scene) => {
    await scene.audit();
    const cheat = new CheatingOwner(scene);
    const many = { coverageCount: 0, uniformCount: 9 };
    assert.notEqual(
      typeof (await cheat.say('challenge', cheat.seal(many).challenge.document)),
      'string',
    );
    assert.equal(
      await cheat.say('challenge', cheat.seal(many).challenge.document),
      'audit.unopened',
    );
    await scene.clock.sleep(6 * hourMs + 1);
    assert.notEqual(
      typeof (await cheat.say('challenge', cheat.seal(many).challenge.document)),
      'string',
    );
    await scene.clock.sleep(6 * hourMs + 1);
    assert.equal(
      await cheat.say('challenge', cheat.seal(many).challenge.document),
      'request.quota',
    );
    await scene.clock.sleep(dayMs);
    assert.notEqual(
      typeof (await cheat.say('challenge', cheat.seal(many).challenge.document)),
      'string',
    );
  });
});

test('C19: an owner cannot narrow what is drawn from: neither by marks of its own nor by leaving shards out', async () => {
  await inAuditScene({ seed: 'C19 narrowing', shards: [1, 1, 1, 1] }, async (scene) => {
    await scene.audit();
    const cheat = new CheatingOwner(scene);
    const narrowed = [
      { visited: Uint8Array.of(0b0111) },
      { visited: new Uint8Array(0) },
      { inventoryRoot: inventoryRoot([]) },
    ];
    for (const change of narrowed)
      assert.equal(
        await cheat.say('challenge', cheat.seal(change).challenge.document),
        'audit.other-account',
      );
    assert.notEqual(
      typeof (await cheat.say('challenge', cheat.seal().challenge.document)),
      'string',
    );
  });
});
