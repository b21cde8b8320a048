import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { instant } from '../../base/units.ts';
import type { Protection } from '../../core/placement/code-choice.ts';
import { contentsOf, packRow, shardRow, snapshot } from '../../ports/stores.conformance.ts';
import type { PackStanding, SnapshotHead, SnapshotPhase } from '../../ports/stores.ts';
import { twinStores } from '../../sim/twin-stores.ts';
import {
  type PackProtection,
  presentPhase,
  protectionProgress,
  snapshotStandings,
} from './protection.ts';

const code = { id: 'reed-solomon', dataShards: 2, parityShards: 2 } as const;
const protections: readonly Protection[] = ['unprotected', 'protected', 'complete'];

const packs: fc.Arbitrary<readonly PackProtection[]> = fc.array(
  fc
    .record({
      storedAt: fc.nat(30),
      protection: fc.constantFrom(...protections),
      indexed: fc.boolean(),
      kind: fc.constantFrom<PackStanding['kind']>('data', 'tree', 'index'),
    })
    .map(({ storedAt, protection, indexed, kind }) => ({
      row: { ...standing(), storedAt: instant(storedAt), indexed, kind },
      protection,
    })),
  { maxLength: 30 },
);

const heads: fc.Arbitrary<readonly SnapshotHead[]> = fc
  .uniqueArray(fc.nat(30), { maxLength: 8 })
  .map((times) =>
    times
      .sort((left, right) => left - right)
      .map((at) => ({ snapshot: snapshot(at), takenAt: instant(at), phase: 'captured' })),
  );

function standing(): PackStanding {
  const { pack, lengthBytes, storedAt } = packRow(1);
  const counts = { placed: 4, held: 4, missing: 0 };
  return {
    pack,
    kind: 'data',
    lengthBytes,
    storedAt,
    code,
    indexed: true,
    spooled: true,
    ...counts,
  };
}

test('a snapshot is as safe as the least safe of the packs stored before the next began', () => {
  fc.assert(
    fc.property(heads, packs, fc.option(fc.nat(30), { nil: undefined }), (rows, all, began) => {
      const run = began === undefined ? undefined : instant(began);
      const found = snapshotStandings(rows, all, { runBeganAt: run, lost: [] });
      rows.forEach((head, index) => {
        const next = rows[index + 1]?.takenAt;
        const until = next ?? (run !== undefined && run > head.takenAt ? run : 1e9);
        const own = all.filter(({ row }) => row.kind !== 'index' && row.storedAt < until);
        const least = Math.min(2, ...own.map(({ protection }) => protections.indexOf(protection)));
        assert.deepEqual(found[index], {
          snapshot: head,
          packCount: own.length,
          protection: protections[least],
          indexed: own.every(({ row }) => row.indexed),
          parityShards: own.length === 0 ? 0 : 2,
        });
      });
    }),
  );
});

test('a phase that was reached is not told when shards were lost since', () => {
  const stores = twinStores();
  stores.packs.add(packRow(1, { code, storedAt: instant(1) }), contentsOf([]));
  for (const index of [0, 1, 2, 3]) stores.shards.put(shardRow(1, index, { phase: 'held' }));
  const row = { snapshot: snapshot(1), body: new Uint8Array(0), takenAt: instant(1) };
  stores.snapshots.put({ ...row, phase: 'complete' });
  const phases: SnapshotPhase[] = [protectionProgress(stores).phase];
  for (const [index, phase] of (['lost', 'wrong'] as const).entries()) {
    stores.shards.put(shardRow(1, index, { phase }));
    phases.push(protectionProgress(stores, snapshot(1)).phase);
  }
  assert.deepEqual(phases, ['complete', 'protected', 'captured']);
  assert.equal(presentPhase('captured', 'complete'), 'captured');
});
