import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bigEndian } from '../../base/bytes.ts';
import { dayMs, hourMs } from '../../base/units.ts';
import { sha256 } from '../../primitives/hash.ts';
import { idOf, type ShardName } from '../vocabulary/ids.ts';
import { auditAllowance, auditCadence, coverageMs, newcomerMs } from './audit-cadence.ts';
import { roundAllowed, stratumOf, visitedBitmap } from './audit-round.ts';
import type { AuditedShard } from './audited-space.ts';
import { chooseBlocks } from './block-choice.ts';
import { blocksPerAuditMaximum, sealNonce } from './challenge.ts';

function spaceOf(visits: readonly number[]): readonly AuditedShard[] {
  return visits.map((visitedIn, number) => ({
    ...{ name: idOf<ShardName>(bigEndian(number, 16)), blockCount: 4, sequence: number + 1 },
    ...{ merkleRoot: new Uint8Array(32), deletedBy: undefined, visitedIn },
  }));
}

const visits = fc.array(fc.constantFrom(0, 1, 7), { minLength: 1, maxLength: 60 });

test('the stratum of a round is what was there when it began and was not drawn in it', () => {
  fc.assert(
    fc.property(visits, fc.nat(60), (marks, roundStart) => {
      const space = spaceOf(marks);
      const stratum = stratumOf(space, { roundStart }, visitedBitmap(space, 7));
      const expected = marks.flatMap((mark, index) =>
        mark !== 7 && index + 1 <= roundStart ? [index] : [],
      );
      assert.deepEqual(stratum, expected);
    }),
  );
});

test("an owner cannot narrow what is left: only its partner's own marks are accepted, bit for bit", () => {
  fc.assert(
    fc.property(visits, fc.nat(), (marks, place) => {
      const space = spaceOf(marks);
      const known = { round: 7, roundStart: space.length };
      const visited = visitedBitmap(space, 7);
      const claim = { ...known, sequence: space.length, visited };
      assert.ok(roundAllowed(known, claim, space));
      const bit = place % (Math.ceil(space.length / 8) * 8);
      const forged = new Uint8Array(Math.ceil(space.length / 8));
      forged.set(visited);
      forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.ok(!roundAllowed(known, { ...claim, visited: forged }, space));
      assert.ok(!roundAllowed(known, { ...claim, roundStart: space.length - 1 }, space));
    }),
  );
});

test('a new round may begin at any time, over everything, and with nothing marked', () => {
  const space = spaceOf([0, 7, 7, 0]);
  const known = { round: 7, roundStart: 4 };
  const fresh = { round: 8, roundStart: 4, sequence: 4, visited: new Uint8Array(0) };
  assert.ok(roundAllowed(known, fresh, space));
  assert.ok(roundAllowed(undefined, fresh, space));
  assert.ok(!roundAllowed(known, { ...fresh, roundStart: 3 }, space));
  assert.ok(!roundAllowed(known, { ...fresh, visited: Uint8Array.of(1) }, space));
});

test('every shard is sampled within 90 days of audits, however many there are', () => {
  const binding = new Uint8Array(32);
  for (const [shardCount, intervalMs] of [
    [1, 6 * hourMs],
    [300, 6 * hourMs],
    [1_000, 6 * hourMs],
    [3_000, 3 * hourMs],
    [40_000, 12 * hourMs],
  ] as const) {
    const terms = { auditIntervalMs: intervalMs, trusted: true, readQuota: 3 };
    const cadence = auditCadence(terms, { ageMs: 0, shardCount });
    assert.ok(cadence.coverageCount + cadence.uniformCount <= blocksPerAuditMaximum);
    const audits = Math.floor(coverageMs / cadence.intervalMs);
    let stratum = Array.from({ length: shardCount }, (_, index) => index);
    const space = spaceOf(new Array<number>(shardCount).fill(0));
    for (let audit = 0; audit < audits && stratum.length > 0; audit += 1) {
      const nonce = sha256(bigEndian(audit, 8));
      const owner = { sealed: sealNonce(binding, nonce), nonce };
      const from = { space, stratum, coverageCount: cadence.coverageCount, uniformCount: 0 };
      const chosen = chooseBlocks(binding, { owner, partner: nonce }, from);
      assert.ok(chosen.ok);
      const drawn = new Set(chosen.value.map(({ shard }) => shard.sequence - 1));
      stratum = stratum.filter((index) => !drawn.has(index));
    }
    assert.equal(stratum.length, 0, `${shardCount} shards`);
  }
});

test('strangers are audited twice as often at first, and one audit never asks for more than fits', () => {
  const terms = { auditIntervalMs: 3 * hourMs, trusted: false, readQuota: 3 };
  const young = auditCadence(terms, { ageMs: newcomerMs - 1, shardCount: 10 });
  assert.deepEqual(young, { intervalMs: 1.5 * hourMs, coverageCount: 1, uniformCount: 1 });
  assert.equal(auditCadence(terms, { ageMs: newcomerMs, shardCount: 10 }).intervalMs, 3 * hourMs);
  const trusted = { ...terms, trusted: true };
  assert.equal(auditCadence(trusted, { ageMs: 0, shardCount: 10 }).intervalMs, 3 * hourMs);
  const many = auditCadence(trusted, { ageMs: 0, shardCount: 1_000_000 });
  assert.equal(many.coverageCount, 63);
  assert.ok((coverageMs / many.intervalMs) * many.coverageCount >= 1_000_000);
});

test('the quota covers the audits that the owner is to make, and three times as much', () => {
  const terms = { auditIntervalMs: 6 * hourMs, trusted: true, readQuota: 3 };
  assert.equal(auditAllowance(terms, { ageMs: 0, shardCount: 10 }), 24);
  const rare = { ...terms, auditIntervalMs: 30 * dayMs };
  assert.equal(auditAllowance(rare, { ageMs: 0, shardCount: 10 }), 3 * (4 + 1));
});
