import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import { Prng } from '../../src/base/prng.ts';
import { dayMs, hourMs } from '../../src/base/units.ts';
import type { PackId, StripeId } from '../../src/core/vocabulary/ids.ts';
import { twinStores } from '../../src/sim/twin-stores.ts';
import { type AuditScene, inAuditScene } from './audit-scene.ts';

const eight = [1, 2, 3, 4, 1, 2, 3, 4];

function outcomes({ events }: AuditScene): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { outcome } of events) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  return counts;
}

test('an honest partner passes audit after audit, every six hours, and both count the same', async () => {
  await inAuditScene({ seed: 'honest', shards: eight }, async (scene) => {
    await scene.run(3 * dayMs);
    const passed = scene.events.length;
    assert.ok(passed >= 12 && passed <= 13, `${passed} audits in three days`);
    assert.ok(
      scene.events.every(({ outcome, provenBlocks }) => outcome === 'passed' && provenBlocks),
    );
    assert.equal(scene.desk.standing(scene.agreement.agreement).passed, passed);
    const lane = { agreement: scene.agreement.agreement, side: 'answerer' } as const;
    assert.equal(scene.holderStores.audits.account(lane)?.passed, passed);
    const visited = scene.ownerStores.audits.shards({ ...lane, side: 'auditor' });
    const held = scene.holderStores.audits.shards(lane);
    assert.deepEqual(visited, held, 'both have marked the same shards in the same round');
    assert.equal(scene.desk.transcripts(scene.agreement.agreement, 'passed').length, passed);
  });
});

test('an audit wakes the rest of the computer when it says something new, and when a deletion waits for its end', async () => {
  await inAuditScene({ seed: 'wakes', shards: eight }, async (scene) => {
    assert.equal((await scene.audit())?.outcome, 'passed');
    assert.equal(scene.wakes, 1, 'the first one');
    assert.equal((await scene.audit())?.outcome, 'passed');
    assert.equal(scene.wakes, 1, 'as before');
    const left = { pack: 'aa'.repeat(32) as PackId, retiredAt: scene.clock.now(), reserve: false };
    const name = present(scene.names[0], 'a shard');
    scene.ownerStores.layouts.retire([{ ...left, partner: scene.holder.peerId, name }]);
    await scene.audit();
    assert.equal(scene.wakes, 2, 'a shard is to be deleted');
    scene.ownerStores.layouts.forgetRetired(scene.holder.peerId, name);
    await scene.away();
    assert.equal((await scene.audit())?.outcome, 'offline');
    assert.equal(scene.wakes, 3, 'it is away');
    assert.equal((await scene.audit())?.outcome, 'offline');
    assert.equal(scene.wakes, 3, 'still');
  });
});

test('a freeloader that dropped one shard is found wrong within one round, told why, and the shard counts as lost', async () => {
  await inAuditScene({ seed: 'freeloader', shards: eight }, async (scene) => {
    const dropped = present(scene.names[3], 'a shard');
    scene.disk.remove(scene.blobOf(dropped));
    await scene.run((eight.length + 1) * 6 * hourMs);
    const wrong = scene.events.filter(({ outcome }) => outcome === 'wrong');
    assert.equal(wrong.length, 1, 'once; afterwards it is known');
    const found = wrong[0]?.findings.map(({ name, fault }) => [name, fault]);
    assert.deepEqual(found?.[0], [dropped, 'missing']);
    const lost = scene.ownerStores.shards
      .ofPartner(scene.holder.peerId)
      .filter(({ phase }) => phase === 'lost');
    assert.equal(lost.length, 1);
    const row = present(scene.holderStores.agreements.all()[0], 'an agreement');
    const told = scene.answers.failures(row).filter((failure) => failure.told);
    assert.equal(told.length, 1);
    assert.deepEqual(told[0]?.findings, wrong[0]?.findings);
    assert.ok(scene.seen.includes('verdict'));
  });
});

for (const fault of ['missing', 'wrong'] as const)
  test(`a shard that is ${fault}, of the stripe that its pack is to have, never counts as held there`, async () => {
    await inAuditScene({ seed: 'next stripe', shards: [] }, async (scene) => {
      const name = await (fault === 'missing' ? scene.addShard(1) : scene.addForgedShard(1));
      const { shards, packs, layouts } = scene.ownerStores;
      const row = present(shards.ofPartner(scene.holder.peerId)[0], 'a shard');
      const { pack } = row;
      const { code, stripe } = present(packs.get(pack), 'its pack');
      assert.ok(code !== undefined && stripe !== undefined);
      const begunAt = scene.clock.now();
      layouts.begin({ pack, code, stripe, reason: 'code', begunAt }, [row]);
      packs.update(pack, { stripe: 'cc'.repeat(32) as StripeId });
      if (fault === 'missing') scene.disk.remove(scene.blobOf(name));
      assert.equal((await scene.audit())?.outcome, 'wrong');
      const now = [...layouts.shards(pack), ...shards.ofPack(pack)].map(({ phase }) => phase);
      assert.deepEqual(now, [fault === 'missing' ? 'lost' : 'wrong', 'held']);
    });
  });

test('one flipped bit anywhere in a shard is found when the shard is drawn', async () => {
  await inAuditScene({ seed: 'rot', shards: [4] }, async (scene) => {
    scene.disk.rot(scene.blobOf(present(scene.names[0], 'a shard')));
    assert.equal((await scene.audit())?.outcome, 'wrong');
  });
});

test('what is lost on the way, restarts and absence are never held against an honest partner', async () => {
  for (const seed of ['weather-1', 'weather-2', 'weather-3', 'weather-4'])
    await inAuditScene({ seed, shards: eight }, async (scene) => {
      const draws = new Prng(seed);
      const mishaps = ['reply-lost', 'request-lost', 'nonsense'] as const;
      scene.mishap = () => (draws.chance(0.25) ? draws.pick(mishaps) : undefined);
      for (let turn = 0; turn < 40; turn += 1) {
        if (draws.chance(0.2)) scene.restart('owner');
        if (draws.chance(0.2)) scene.restart('holder');
        if (draws.chance(0.1)) await scene.away();
        await scene.audit();
        await scene.begin().catch(() => undefined);
        if (draws.chance(0.2)) await scene.addShard(1 + draws.below(4));
        await scene.clock.sleep(6 * hourMs);
      }
      scene.mishap = () => undefined;
      for (let turn = 0; turn < 3; turn += 1) {
        await scene.clock.sleep(6 * hourMs);
        await scene.audit();
      }
      assert.equal(outcomes(scene).get('wrong'), undefined, JSON.stringify(scene.events));
      assert.equal(scene.events.at(-1)?.outcome, 'passed');
      assert.equal(scene.events.at(-1)?.pendingSince, undefined, 'nothing is left unanswered');
      assert.ok((outcomes(scene).get('passed') ?? 0) > 3);
    });
});

test('a partner that falls silent on seeing the choice is asked for the same blocks until it answers', async () => {
  await inAuditScene({ seed: 'dodger', shards: eight }, async (scene) => {
    scene.mishap = (type) => (type === 'opening' ? 'request-lost' : undefined);
    const first = await scene.audit();
    assert.equal(first?.outcome, 'silent');
    const since = present(first?.pendingSince, 'a pending challenge');
    const lane = { agreement: scene.agreement.agreement, side: 'auditor' } as const;
    const pending = scene.ownerStores.audits.open(lane)[0]?.document;
    scene.restart('owner');
    scene.restart('holder');
    await scene.clock.sleep(6 * hourMs);
    // It answers whatever comes, but for what is pending.
    let isFirst = true;
    scene.mishap = (type) => {
      const isPending = type === 'opening' && isFirst;
      if (isPending) isFirst = false;
      return isPending ? 'request-lost' : undefined;
    };
    const second = await scene.audit();
    assert.equal(second?.outcome, 'silent', 'another challenge that it answers does not clear it');
    assert.equal(second?.pendingSince, since);
    assert.deepEqual(scene.ownerStores.audits.open(lane)[0]?.document, pending);
    assert.ok(scene.desk.awaits(lane.agreement), 'deletions wait');
    scene.mishap = () => undefined;
    const third = await scene.audit();
    assert.equal(third?.outcome, 'passed');
    assert.equal(third?.pendingSince, undefined);
  });
});

test('an opening that arrives after a later seal is answered, whatever was deleted in between', async () => {
  await inAuditScene({ seed: 'overtaken', shards: eight }, async (scene) => {
    // In the same breath in which the owner seals over a ledger that is one entry older.
    scene.deleteUnheard(present(scene.names[3], 'a shard'));
    scene.mishap = (type) => (type === 'opening' ? 'request-lost' : undefined);
    const first = await scene.audit();
    assert.equal(first?.outcome, 'silent');
    const since = present(first?.pendingSince, 'a pending challenge');
    for (let turn = 0; turn < 3; turn += 1) {
      await scene.clock.sleep(7 * hourMs);
      let isFirst = true;
      scene.mishap = (type) => {
        const isPending = type === 'opening' && isFirst;
        if (isPending) isFirst = false;
        return isPending ? 'request-lost' : undefined;
      };
      assert.equal((await scene.audit())?.pendingSince, since);
    }
    scene.mishap = () => undefined;
    scene.restart('holder');
    await scene.clock.sleep(7 * hourMs);
    const last = await scene.audit();
    assert.deepEqual([last?.outcome, last?.reason, last?.pendingSince], ['passed', '', undefined]);
  });
});

test('a challenge that waits longer than a tenth of the grace period counts as unanswered, once and for good', async () => {
  await inAuditScene({ seed: 'unanswered', shards: eight }, async (scene) => {
    const lane = laneOf(scene);
    const unanswered = (): number => scene.ownerStores.audits.account(lane)?.unanswered ?? 0;
    scene.mishap = (type) => (type === 'opening' ? 'request-lost' : undefined);
    await scene.audit();
    await scene.clock.sleep(2.9 * dayMs);
    await scene.audit();
    assert.equal(unanswered(), 0, 'it may still come');
    await scene.clock.sleep(0.2 * dayMs);
    await scene.audit();
    scene.restart('owner');
    await scene.audit();
    assert.equal(unanswered(), 1, 'the first; the others have not waited for so long');
    scene.mishap = () => undefined;
    assert.equal((await scene.audit())?.outcome, 'passed');
    assert.equal(scene.desk.standing(lane.agreement).pending, 0, 'it was asked on, and answered');
    assert.equal(unanswered(), 1, 'that it was late stays');
  });
});

test('an owner may not draw more than the read quota, opened or not', async () => {
  await inAuditScene({ seed: 'quota', shards: eight }, async (scene) => {
    let passed = 0;
    for (let audit = 0; audit < 20; audit += 1)
      if ((await scene.audit())?.outcome === 'passed') passed += 1;
    assert.equal(passed, 12, '24 blocks a day at two an audit');
    assert.equal(scene.events.at(-1)?.reason, 'request.quota');
    assert.equal(scene.events.at(-1)?.outcome, 'unclear');
    await scene.clock.sleep(dayMs);
    assert.equal((await scene.audit(8))?.provenBlocks, 8);
  });
});

test('an owner that lost its catalogue audits on, over the ledger that its partner shows', async () => {
  await inAuditScene({ seed: 'recovered', shards: eight }, async (scene) => {
    assert.equal((await scene.audit())?.outcome, 'passed');
    scene.forgetOwner();
    assert.equal((await scene.audit())?.outcome, 'passed');
    assert.equal(scene.ownerStores.audits.account(laneOf(scene))?.sequence, eight.length);
  });
});

for (const life of ['first', 'second'] as const)
  test(`an owner that lost everything audits what its inventory found at a partner in its ${life} life`, async () => {
    await inAuditScene({ seed: `inherited ${life}`, shards: eight }, async (scene) => {
      assert.equal((await scene.audit())?.outcome, 'passed');
      if (life === 'second') {
        scene.reviveHolder();
        await scene.run(dayMs);
      }
      scene.forgetOwner('nothing');
      const before = scene.events.length;
      await scene.run(dayMs);
      const since = scene.events.slice(before).map(({ outcome }) => outcome);
      assert.ok(since.length >= 3, `${since.length} audits in a day`);
      assert.ok(since.every((outcome) => outcome === 'passed'));
    });
  });

test('an owner that missed an acknowledgement catches up instead of choosing among fewer shards', async () => {
  await inAuditScene({ seed: 'behind', shards: [1] }, async (scene) => {
    const { agreement } = scene.agreement;
    const missed = scene.ownerStores.image();
    await scene.addShard(2);
    const known = scene.ownerStores.ledger.head(agreement, 'owner');
    scene.ownerStores = twinStores(missed);
    scene.restart('owner');
    await scene.clock.sleep(7 * hourMs);
    assert.equal((await scene.audit())?.outcome, 'passed');
    assert.deepEqual(scene.ownerStores.ledger.head(agreement, 'owner')?.hash, known?.hash);
  });
});

test('a partner in a later life has told that it lost everything, and its shards count as lost', async () => {
  await inAuditScene({ seed: 'new-life', shards: eight }, async (scene) => {
    assert.equal((await scene.audit())?.outcome, 'passed');
    scene.forgetHolder();
    const event = await scene.audit();
    assert.deepEqual([event?.outcome, event?.reason], ['unclear', 'lost-epoch']);
    const rows = scene.ownerStores.shards.ofPartner(scene.holder.peerId);
    assert.ok(rows.every(({ phase }) => phase === 'lost'));
    const again = await scene.audit();
    assert.deepEqual([again?.outcome, again?.reason], ['unclear', 'audit.known-loss']);
  });
});

test('shards that a partner kept into its next life are signed for again, and audited', async () => {
  await inAuditScene({ seed: 'kept', shards: eight }, async (scene) => {
    assert.equal((await scene.audit())?.outcome, 'passed');
    scene.disk.remove(scene.blobOf(present(scene.names[5], 'a shard')));
    scene.reviveHolder();
    assert.equal((await scene.audit())?.reason, 'lost-epoch');
    const lane = laneOf(scene);
    assert.equal(scene.ownerStores.ledger.head(lane.agreement, 'owner')?.epoch, 1);
    const rows = scene.ownerStores.shards.ofPartner(scene.holder.peerId);
    const phases = rows.map(({ phase }) => phase).sort();
    assert.deepEqual(phases, [...Array(7).fill('held'), 'lost'], 'it lists all but one');
    await scene.run(3 * dayMs);
    assert.deepEqual([...outcomes(scene).keys()].sort(), ['passed', 'unclear']);
    assert.equal(outcomes(scene).get('unclear'), 1);
    const shards = scene.ownerStores.audits.shards(lane);
    assert.equal(shards.length, 7, 'what is not there is not signed for');
    assert.ok(
      shards.every(({ visitedIn }) => visitedIn > 0),
      'all were asked for',
    );
  });
});

test('one that says it lives anew, and lists what it signed for in no life but an earlier one, is silent', async () => {
  await inAuditScene({ seed: 'other life', shards: eight }, async (scene) => {
    scene.reviveHolder();
    scene.mishap = (type) => (type === 'ledger' ? 'refused' : undefined);
    for (let turn = 0; turn < 3; turn += 1) {
      const event = await scene.audit();
      assert.deepEqual([event?.outcome, event?.reason], ['silent', 'audit.other-life']);
      assert.equal(event?.toldLost, 0);
      await scene.clock.sleep(7 * hourMs);
    }
  });
});

test('a partner that refuses from the first day on is unjudged, and one that told its loss is that once', async () => {
  await inAuditScene({ seed: 'refuses', shards: eight }, async (scene) => {
    scene.mishap = (type) => (type === 'challenge' ? 'refused' : undefined);
    const event = await scene.audit();
    assert.deepEqual([event?.outcome, event?.unjudged], ['unclear', true]);
    scene.mishap = () => undefined;
    assert.equal((await scene.audit())?.unjudged, false);
    scene.forgetHolder();
    const lost = await scene.audit();
    assert.deepEqual([lost?.toldLost, lost?.unjudged], [8, true]);
    const again = await scene.audit();
    assert.deepEqual([again?.toldLost, again?.unjudged], [undefined, false]);
  });
});

test('what a partner lost of what it signed for again is found out like anything else', async () => {
  await inAuditScene({ seed: 'kept and lost', shards: eight }, async (scene) => {
    scene.reviveHolder();
    await scene.audit();
    const name = present(scene.names[3], 'a shard');
    scene.disk.remove(scene.blobOf(name));
    await scene.run(5 * dayMs);
    const wrong = scene.events.find(({ outcome }) => outcome === 'wrong');
    assert.deepEqual(
      wrong?.findings.map((finding) => [finding.name, finding.fault]),
      [[name, 'missing']],
    );
  });
});

test('what was known to be lost is held against nobody when it is asked for, and anything else is', async () => {
  await inAuditScene({ seed: 'known loss', shards: [4] }, async (scene) => {
    const { ownerStores, holder, clock } = scene;
    const name = present(scene.names[0], 'a shard');
    const row = present(ownerStores.shards.ofPartner(holder.peerId)[0], 'a row');
    const retired = { partner: holder.peerId, name, pack: row.pack, retiredAt: clock.now() };
    const asked = async (): Promise<string | undefined> => {
      await clock.sleep(6 * hourMs);
      const event = await scene.audit();
      return `${event?.outcome} ${event?.reason}`;
    };
    scene.disk.remove(scene.blobOf(name));
    ownerStores.shards.put({ ...row, phase: 'lost' });
    assert.equal(await asked(), 'unclear audit.known-loss', 'it said so, or was found out before');
    assert.equal(scene.seen.includes('verdict'), false);
    // Repaired: another partner holds what this one lost.
    ownerStores.shards.put({ ...row, partner: scene.owner.peerId });
    ownerStores.layouts.retire([{ ...retired, reserve: false }]);
    assert.equal(await asked(), 'unclear audit.known-loss');
    ownerStores.layouts.retire([{ ...retired, reserve: true }]);
    assert.equal(await asked(), 'wrong missing', 'what is in reserve is counted on');
    ownerStores.layouts.forgetRetired(holder.peerId, name);
    ownerStores.shards.put({ ...row, phase: 'held' });
    assert.equal(await asked(), 'wrong missing');
    assert.equal(ownerStores.shards.ofPack(row.pack)[0]?.phase, 'lost');
    assert.equal(scene.seen.includes('verdict'), true);
  });
});

test('a partner that is away is offline, and is audited as soon as it comes back', async () => {
  await inAuditScene({ seed: 'away', shards: eight }, async (scene) => {
    await scene.away();
    const stop = new AbortController();
    const running = scene.desk.run(stop.signal);
    await scene.clock.sleep(hourMs);
    assert.equal(scene.events.at(-1)?.outcome, 'offline');
    await scene.begin();
    scene.desk.cameBack(scene.holder.peerId);
    await scene.clock.sleep(10_000);
    assert.equal(scene.events.at(-1)?.outcome, 'passed');
    stop.abort();
    await running;
  });
});

function laneOf(scene: AuditScene) {
  return { agreement: scene.agreement.agreement, side: 'auditor' } as const;
}
