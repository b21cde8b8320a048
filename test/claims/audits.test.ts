/** Claims about periodic verification, on an owner and a partner in a simulated world. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import { concatBytes, equalBytes } from '../../src/base/bytes.ts';
import { Prng } from '../../src/base/prng.ts';
import { dayMs, hourMs } from '../../src/base/units.ts';
import { drawSpaceOf } from '../../src/core/audits/answerer.ts';
import { type AnswerEntry, readAnswer } from '../../src/core/audits/audit-answer.ts';
import { spaceAt } from '../../src/core/audits/audited-space.ts';
import { type ChosenBlock, chooseBlocks } from '../../src/core/audits/block-choice.ts';
import { sealNonce } from '../../src/core/audits/challenge.ts';
import { type OpenedChallenge, readOpening } from '../../src/core/audits/challenge-opening.ts';
import { decodeTranscript } from '../../src/core/audits/transcript.ts';
import { blockBytes } from '../../src/core/vocabulary/limits.ts';
import { sha256 } from '../../src/primitives/hash.ts';
import { type AuditScene, inAuditScene } from '../sim/audit-scene.ts';

const shards = [1, 5, 16, 30];

interface Kept {
  readonly opened: OpenedChallenge;
  readonly entries: readonly AnswerEntry[];
}

/** The audits that the owner keeps, oldest first. */
function keptAudits({ desk, agreement, owner, holder }: AuditScene): readonly Kept[] {
  const parties = { owner: owner.peerId, partner: holder.peerId };
  const documents = desk.transcripts(agreement.agreement, 'passed').toReversed();
  return documents.map((bytes) => {
    const transcript = decodeTranscript(bytes);
    assert.ok(transcript.ok);
    const opened = readOpening(present(transcript.value.opening, 'an opening'), parties);
    assert.ok(opened.ok);
    const { id } = opened.value.challenge;
    const answer = present(transcript.value.answer, 'an answer');
    const read = readAnswer(answer, { challenge: id, partner: holder.peerId });
    assert.ok(read.ok);
    return { opened: opened.value, entries: read.value.entries };
  });
}

test('C16, C17: partners are asked periodically for blocks, and show the very blocks that were backed up', async () => {
  await inAuditScene({ seed: 'C16', shards }, async (scene) => {
    await scene.run(2 * dayMs);
    assert.ok(scene.events.length >= 8, 'every six hours');
    assert.ok(scene.events.every(({ outcome }) => outcome === 'passed'));
    for (const { entries } of keptAudits(scene))
      for (const { name, number, proof } of entries) {
        const read = await scene.disk.attach().read(scene.blobOf(name));
        assert.ok(read.ok);
        const block = read.value.subarray(number * blockBytes, (number + 1) * blockBytes);
        assert.ok(equalBytes(sha256(block), present(proof, 'a proof').hash));
      }
  });
});

test('C16, C17: a partner with other bytes than were backed up does not pass', async () => {
  await inAuditScene({ seed: 'C17', shards: [3] }, async (scene) => {
    const blob = scene.blobOf(present(scene.names[0], 'a shard'));
    const disk = scene.disk.attach();
    const read = await disk.read(blob);
    assert.ok(read.ok);
    const [first, second, third] = [0, 1, 2].map((number) =>
      read.value.subarray(number * blockBytes, (number + 1) * blockBytes),
    );
    await disk.write(
      blob,
      concatBytes([present(second, ''), present(first, ''), present(third, '')]),
    );
    assert.equal((await scene.audit())?.outcome, 'wrong', 'right blocks in the wrong places');
    assert.notEqual(scene.events.at(-1)?.findings.length, 0);
  });
});

test('C18: the block is random: over many audits every block of every shard is asked for', async () => {
  await inAuditScene({ seed: 'C18', shards: [2, 3, 4] }, async (scene) => {
    const asked = new Set<string>();
    for (let audit = 0; audit < 60; audit += 1) {
      assert.equal((await scene.audit())?.outcome, 'passed');
      const last = present(keptAudits(scene).at(-1), 'an audit');
      for (const { name, number } of last.entries) asked.add(`${name} ${number}`);
      await scene.clock.sleep(6 * hourMs);
    }
    assert.equal(asked.size, 9);
  });
});

test('C19: owner sends H(r1), partner answers r2, owner reveals r1, and both compute the blocks from r1 and r2', async () => {
  await inAuditScene({ seed: 'C19', shards }, async (scene) => {
    await scene.audit();
    assert.deepEqual(scene.seen, ['challenge', 'opening']);
    const { opened, entries } = present(keptAudits(scene)[0], 'an audit');
    const { binding, sealedNonce, subject } = opened.challenge;
    assert.deepEqual(sealNonce(binding, opened.ownerNonce), sealedNonce);
    const nonces = {
      owner: { sealed: sealedNonce, nonce: opened.ownerNonce },
      partner: opened.partnerNonce,
    };
    // Computed from what the partner has stored, and again from what the owner has.
    for (const [stores, side] of [
      [scene.holderStores, 'answerer'],
      [scene.ownerStores, 'auditor'],
    ] as const) {
      const lane = { agreement: scene.agreement.agreement, side };
      const space = spaceAt(stores.audits.shards(lane), subject.sequence);
      const chosen = chooseBlocks(binding, nonces, drawSpaceOf(subject, space));
      assert.ok(chosen.ok);
      assert.deepEqual(
        chosen.value.map(({ shard: { name }, number }: ChosenBlock) => [name, number]),
        entries.map(({ name, number }) => [name, number]),
      );
    }
  });
});

test('C19: neither side can steer the number: not with any nonce of its own, not by breaking off', async () => {
  await inAuditScene({ seed: 'C19 steering', shards: [8] }, async (scene) => {
    // Breaking off: the partner falls silent on seeing the choice, and is asked for the same blocks.
    scene.mishap = (type) => (type === 'opening' ? 'request-lost' : undefined);
    await scene.audit();
    scene.restart('holder');
    scene.restart('owner');
    scene.mishap = () => undefined;
    const lane = { agreement: scene.agreement.agreement, side: 'auditor' } as const;
    const pending = present(scene.ownerStores.audits.open(lane)[0], 'a pending challenge');
    await scene.audit();
    const answered = keptAudits(scene).map(({ opened }) => opened.challenge.id);
    assert.ok(answered.some((id) => equalBytes(id, pending.challenge)));
  });
  const draws = new Prng('C19');
  const binding = draws.bytes(32);
  const shard = {
    ...{ name: '00'.repeat(16) as never, blockCount: 8, merkleRoot: draws.bytes(32), sequence: 1 },
    ...{ deletedBy: undefined, visitedIn: 0 },
  };
  const from = { space: [shard], stratum: [0], coverageCount: 1, uniformCount: 0 };
  const numberOf = (owner: Uint8Array, partner: Uint8Array): number => {
    const sealed = sealNonce(binding, owner);
    const chosen = chooseBlocks(binding, { owner: { sealed, nonce: owner }, partner }, from);
    assert.ok(chosen.ok);
    return present(chosen.value[0], 'a block').number;
  };
  // Each picks the best of a hundred nonces, without knowing the other's: it gets what it wants one time in eight.
  for (const steer of ['owner', 'partner'] as const) {
    let hits = 0;
    for (let game = 0; game < 800; game += 1) {
      const [guess, real] = [draws.bytes(32), draws.bytes(32)];
      const own = Array.from({ length: 100 }, () => draws.bytes(32));
      const number = (mine: Uint8Array, other: Uint8Array): number =>
        steer === 'owner' ? numberOf(mine, other) : numberOf(other, mine);
      const best = present(own.find((mine) => number(mine, guess) === 5) ?? own[0], 'a nonce');
      if (number(best, real) === 5) hits += 1;
    }
    assert.ok(hits > 60 && hits < 140, `${steer}: ${hits} of 800`);
  }
});

test('C37, C38, C39: in an audit the keyed hash verifies the block, also where the partner signed for another one', async () => {
  await inAuditScene({ seed: 'C37', shards: [] }, async (scene) => {
    const name = await scene.addForgedShard(2);
    const event = await scene.audit();
    assert.equal(event?.outcome, 'wrong');
    assert.deepEqual([event?.findings[0]?.name, event?.findings[0]?.fault], [name, 'bad-tag']);
  });
});
