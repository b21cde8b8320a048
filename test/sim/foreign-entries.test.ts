/** Partners that sign entries which their owner did not ask for: what it keeps of them, and what it thinks of such a partner. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import { hourMs, mebi } from '../../src/base/units.ts';
import type { ShardName } from '../../src/core/vocabulary/ids.ts';
import { appendHolderEntry } from '../../src/engine/holding/held-ledger.ts';
import { type AuditScene, inAuditScene } from './audit-scene.ts';

const eight = [1, 2, 3, 4, 1, 2, 3, 4];

function sign(
  scene: AuditScene,
  action: 'put' | 'delete',
  numbers: { readonly from: number; readonly count: number },
): void {
  const { identitySeed } = scene.holder;
  const hand = { identitySeed, stores: scene.holderStores, clock: scene.clock };
  for (let number = numbers.from; number < numbers.from + numbers.count; number += 1) {
    const name = number.toString(16).padStart(32, 'f') as ShardName;
    const subject = { action, name, blockCount: 1, merkleRoot: new Uint8Array(32) } as const;
    appendHolderEntry(hand, scene.agreement.agreement, subject);
  }
}

function knownEntries({ ownerStores, agreement }: AuditScene): number {
  return ownerStores.ledger.head(agreement.agreement, 'owner')?.sequence ?? 0;
}

test('deletions of what a partner never took are not taken over, and one that insists on them proves nothing', async () => {
  await inAuditScene({ seed: 'bogus deletions', shards: eight }, async (scene) => {
    for (let turn = 0; turn < 3; turn += 1) {
      sign(scene, 'delete', { from: turn * 20, count: 20 });
      await scene.clock.sleep(6 * hourMs + 1);
      const event = await scene.audit();
      assert.deepEqual([event?.outcome, event?.reason], ['silent', 'audit.old-ledger']);
      assert.equal(knownEntries(scene), eight.length);
    }
  });
});

test('a partner that signs more than can be honest is silent until it stops', async () => {
  const terms = { firstLendsBytes: mebi };
  await inAuditScene({ seed: 'without end', shards: [1, 1], terms }, async (scene) => {
    // Entries that could be true are taken over, for others may have our key, and what they say is asked for.
    sign(scene, 'put', { from: 0, count: 300 });
    await scene.clock.sleep(6 * hourMs + 1);
    assert.equal((await scene.audit())?.outcome, 'wrong');
    assert.equal(knownEntries(scene), 302);
    sign(scene, 'put', { from: 300, count: 4_700 });
    await scene.clock.sleep(6 * hourMs + 1);
    const event = await scene.audit();
    assert.deepEqual([event?.outcome, event?.reason], ['silent', 'audit.old-ledger']);
    const known = knownEntries(scene);
    assert.ok(known > 4_096 && known < 4_900, `${known} entries`);
  });
});

test('a deletion of what the partner had is taken over, though nobody here asked for it', async () => {
  await inAuditScene({ seed: 'deleted', shards: eight }, async (scene) => {
    scene.deleteUnheard(present(scene.names[3], 'a shard'));
    await scene.clock.sleep(6 * hourMs + 1);
    assert.equal((await scene.audit())?.outcome, 'passed');
    assert.equal(knownEntries(scene), eight.length + 1);
  });
});
