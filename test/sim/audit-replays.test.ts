/** Openings that are sent again and again: how much an owner gets for them, and that an honest one is answered in the end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import type { Bytes } from '../../src/base/bytes.ts';
import { dayMs, hourMs } from '../../src/base/units.ts';
import { unframeReply } from '../../src/core/audits/audit-answer.ts';
import { encodeAuditRequest } from '../../src/core/audits/audit-message.ts';
import { blockBytes } from '../../src/core/vocabulary/limits.ts';
import { transcriptOf } from '../../src/engine/audits/answered-audits.ts';
import { type AuditScene, inAuditScene } from './audit-scene.ts';

const eight = [1, 2, 3, 4, 1, 2, 3, 4];

/** Blocks that the partner gives for an opening, or the code with which it refuses. */
async function replay(scene: AuditScene, document: Bytes): Promise<number | string> {
  const row = present(scene.holderStores.agreements.all()[0], 'an agreement');
  const reply = await scene.answers.answer(row, encodeAuditRequest({ type: 'opening', document }));
  if (!reply.ok) return reply.error.code;
  return present(unframeReply(reply.value), 'a reply').blocks.length / blockBytes;
}

/** Of the audits that the owner passed, newest first. */
function openings(scene: AuditScene): readonly Bytes[] {
  const { agreement } = scene.agreement;
  const rows = scene.ownerStores.audits.settled({ agreement, side: 'auditor' }, 'passed', 100);
  return rows.map((row) => present(transcriptOf(row).opening, 'an opening'));
}

/** What each of so many replays brought. */
async function replays(
  scene: AuditScene,
  document: Bytes,
  times: number,
): Promise<{ readonly blocks: number; readonly refused: number }> {
  let [blocks, refused] = [0, 0];
  for (let time = 0; time < times; time += 1) {
    const given = await replay(scene, document);
    if (typeof given === 'number') blocks += given;
    else {
      assert.equal(given, 'request.quota');
      refused += 1;
    }
  }
  return { blocks, refused };
}

test('one opening brings its blocks eight times more, and then what is left of the quota of the day', async () => {
  await inAuditScene({ seed: 'replays', shards: eight }, async (scene) => {
    assert.equal((await scene.audit())?.provenBlocks, 2);
    const opening = present(openings(scene)[0], 'an opening');
    assert.deepEqual(await replays(scene, opening, 500), { blocks: 16 + 22, refused: 481 });
    await scene.clock.sleep(dayMs);
    assert.deepEqual(await replays(scene, opening, 500), { blocks: 24, refused: 488 });
    await scene.clock.sleep(dayMs);
    assert.equal((await scene.audit())?.outcome, 'passed', 'whoever does not repeat goes on');
  });
});

test('an opening of which nothing is known here any more is charged from the first time on', async () => {
  await inAuditScene({ seed: 'forgotten', shards: eight }, async (scene) => {
    await scene.audit();
    const opening = present(openings(scene)[0], 'an opening');
    for (let audit = 0; audit < 33; audit += 1) {
      await scene.clock.sleep(6 * hourMs);
      assert.equal((await scene.audit())?.outcome, 'passed');
    }
    await scene.clock.sleep(dayMs);
    const { agreement } = scene.agreement;
    const drawn = (): number | undefined =>
      scene.holderStores.audits.account({ agreement, side: 'answerer' })?.drawnBlocks;
    assert.equal(await replay(scene, opening), 2);
    assert.equal(drawn(), 2, 'it counts as if it were drawn today');
    assert.equal((await replays(scene, opening, 500)).blocks, 16 + 22);
  });
});

test('an opening that a later seal overtook is answered though the quota is used up: it was charged when it was sealed', async () => {
  await inAuditScene({ seed: 'overtaken quota', shards: eight }, async (scene) => {
    scene.mishap = (type) => (type === 'opening' ? 'request-lost' : undefined);
    await scene.audit();
    await scene.clock.sleep(7 * hourMs);
    await scene.audit();
    await scene.clock.sleep(7 * hourMs);
    scene.mishap = () => undefined;
    const lane = { agreement: scene.agreement.agreement, side: 'answerer' } as const;
    const { audits } = scene.holderStores;
    const account = present(audits.account(lane), 'an account');
    audits.putAccount({ ...account, dayStart: scene.clock.now(), drawnBlocks: 1_000 });
    scene.restart('holder');
    const event = await scene.audit();
    assert.equal(event?.pendingSince, undefined, 'both are answered');
    assert.equal(event?.reason, 'request.quota', 'a new challenge is not');
  });
});

test('old openings between which shards were deleted have the ledger gone through a few times in an interval, and are all answered in the end', async () => {
  await inAuditScene({ seed: 'recalled', shards: Array(14).fill(1) }, async (scene) => {
    for (let turn = 0; turn < 12; turn += 1) {
      assert.equal((await scene.audit())?.outcome, 'passed');
      scene.deleteUnheard(present(scene.names[turn], 'a shard'));
      await scene.clock.sleep(7 * hourMs);
    }
    await scene.audit();
    await scene.clock.sleep(dayMs);
    const old = openings(scene).slice(1);
    assert.equal(old.length, 12);
    let waiting = old;
    const answered: number[] = [];
    for (let turn = 0; turn < 2; turn += 1) {
      const left: Bytes[] = [];
      for (const opening of waiting)
        if (typeof (await replay(scene, opening)) === 'string') left.push(opening);
      answered.push(waiting.length - left.length);
      waiting = left;
      await scene.clock.sleep(6 * hourMs);
    }
    assert.deepEqual(answered, [8, 4]);
  });
});
