/** Random operations on the catalogue and on its twin give equal observations. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { concatBytes } from '../../base/bytes.ts';
import { instant } from '../../base/units.ts';
import { layoutRow, retiredRow } from '../../ports/layout-store.conformance.ts';
import { candidateRow, recordRow } from '../../ports/peer-stores.conformance.ts';
import {
  agreement,
  agreementRow,
  chunk,
  contentsOf,
  heldRow,
  idBytesFor,
  ledgerRow,
  manifestRow,
  pack,
  packRow,
  peer,
  shardName,
  shardRow,
  snapshot,
} from '../../ports/stores.conformance.ts';
import type { Stores } from '../../ports/stores.ts';
import { twinStores } from '../../sim/twin-stores.ts';
import { type Catalogue, openCatalogue } from './catalogue.ts';

interface Step {
  readonly kind: number;
  readonly a: number;
  readonly b: number;
  readonly flag: boolean;
}

const ids = Array.from({ length: 8 }, (_, number) => number);

const changes: readonly ((stores: Stores, step: Step) => void)[] = [
  (stores, { a, b, flag }) =>
    stores.packs.add(
      packRow(a, { spooled: flag, storedAt: instant(b) }),
      contentsOf([a, b, a + b, b]),
    ),
  (stores, { a }) => stores.packs.remove(pack(a)),
  (stores, { a, flag, b }) =>
    stores.packs.update(pack(a), flag ? { spooled: b > 3 } : { indexed: b > 3 }),
  (stores, { a, b, flag }) =>
    stores.shards.put(
      shardRow(a, b, {
        ...{ phase: flag ? 'held' : ((['planned', 'lost', 'wrong'] as const)[b % 3] ?? 'lost') },
        partner: peer(a ^ b),
      }),
    ),
  (stores, { a, b }) =>
    stores.snapshots.put({
      ...{ snapshot: snapshot(a), body: Uint8Array.of(b), takenAt: instant(b), phase: 'captured' },
    }),
  (stores, { a, flag }) => stores.snapshots.setPhase(snapshot(a), flag ? 'protected' : 'complete'),
  (stores, { a, b, flag }) =>
    stores.agreements.put(
      agreementRow(a, { partner: peer(b), phase: flag ? 'standing' : 'ended', since: instant(b) }),
    ),
  (stores, { a, b }) =>
    stores.ledger.append(ledgerRow(b, { agreement: agreement(a & 1), epoch: a >> 2 })),
  (stores, { a, b, flag }) =>
    stores.held.put(
      heldRow(a, { owner: peer(b & 1), blockCount: b, trashedAt: flag ? instant(b) : undefined }),
    ),
  (stores, { a, b }) => stores.held.remove(peer(b & 1), shardName(a)),
  (stores, { a, b }) =>
    stores.manifests.put(manifestRow(a, { owner: peer(b & 1), incarnation: b, sequence: a & 3 })),
  (stores, { a, b }) => stores.manifests.remove(peer(b & 1), idBytesFor(a)),
  (stores, { a, b }) => stores.manifests.putReceipt(peer(b), idBytesFor(a), Uint8Array.of(b)),
  (stores, { a, b, flag }) =>
    stores.layouts.begin(
      layoutRow(a, { begunAt: instant(b) }),
      Array.from({ length: b & 3 }, (_, index) =>
        shardRow(a, index, { phase: flag ? 'held' : 'planned', partner: peer(b) }),
      ),
    ),
  (stores, { a, b }) => stores.layouts.putShard(shardRow(a, b & 3, { phase: 'held' })),
  (stores, { a, b }) => stores.layouts.adopt(pack(a), [retiredRow(b)]),
  (stores, { a, b }) => stores.layouts.drop(pack(a), [retiredRow(b, { retiredAt: instant(a) })]),
  (stores, { a }) => stores.layouts.forgetRetired(peer(a), shardName(a)),
  (stores, { a, b, flag }) =>
    stores.candidates.put(
      candidateRow(a, { seenAt: instant(b), profile: flag ? Uint8Array.of(b) : undefined }),
    ),
  (stores, { a }) => stores.candidates.remove(peer(a)),
  (stores, { a, b, flag }) =>
    flag ? stores.observations.put(peer(a), Uint8Array.of(b)) : stores.observations.remove(peer(a)),
  (stores, { a, b }) =>
    stores.records.append(
      recordRow(b, { agreement: agreement(a & 1), partner: peer(a >> 1), signedAt: instant(a) }),
    ),
];

/** What the change did, as a word: the class of what it threw, or nothing. */
function apply(stores: Stores, step: Step): string {
  try {
    changes[step.kind]?.(stores, step);
    return 'done';
  } catch (problem) {
    return problem instanceof Error ? problem.name : 'unknown';
  }
}

class CalledOff extends Error {}

function applyAll(stores: Stores, steps: readonly Step[], keep: boolean): string[] {
  const results: string[] = [];
  try {
    stores.transact(() => {
      for (const step of steps) results.push(apply(stores, step));
      if (!keep) throw new CalledOff();
    });
  } catch (problem) {
    assert(problem instanceof CalledOff);
  }
  return results;
}

/** Amounts come in no order. */
function sorted(rows: readonly unknown[]): readonly string[] {
  return rows.map((row) => JSON.stringify(row)).sort();
}

function observe(stores: Stores): unknown {
  return {
    packs: stores.packs.all(),
    spooled: stores.packs.spooled(),
    contents: ids.map((id) => stores.packs.contents(pack(id))),
    places: Array.from({ length: 16 }, (_, number) => stores.chunks.place(chunk(number))),
    known: stores.chunks.known(concatBytes(ids.map(idBytesFor))),
    count: stores.chunks.count(),
    shards: ids.map((id) => [stores.shards.ofPack(pack(id)), stores.shards.ofPartner(peer(id))]),
    incomplete: stores.shards.incompletePacks(),
    standings: stores.shards.standings(),
    amounts: ids.map((id) => sorted(stores.shards.amountsAt(peer(id)))),
    snapshots: [stores.snapshots.all(), stores.snapshots.heads()],
    agreements: [stores.agreements.all(), ids.map((id) => stores.agreements.ofPartner(peer(id)))],
    ledger: [0, 1].map((id) => stores.ledger.head(agreement(id), 'owner')),
    held: [0, 1].map((id) => [
      stores.held.page(peer(id), shardName(2), 3),
      stores.held.blockCount(peer(id)),
      stores.held.trashed(peer(id)),
    ]),
    owners: stores.held.owners(),
    manifests: [0, 1].map((id) => stores.manifests.ofOwner(peer(id))),
    receipts: ids.map((id) => stores.manifests.receipts(idBytesFor(id))),
    layouts: [stores.layouts.all(), ids.map((id) => stores.layouts.shards(pack(id)))],
    retired: stores.layouts.retired(),
    candidates: stores.candidates.all(),
    observations: ids.map((id) => stores.observations.get(peer(id))),
    records: ids.map((id) => [
      stores.records.ofAgreement(agreement(id)),
      stores.records.newestWith(peer(id)),
    ]),
  };
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.nat(changes.length - 1),
  a: fc.nat(7),
  b: fc.nat(7),
  flag: fc.boolean(),
});

const batch = fc.record({ steps: fc.array(step, { maxLength: 12 }), keep: fc.boolean() });

test('catalogue and twin cannot be told apart', () => {
  const folder = mkdtempSync(join(tmpdir(), 'covault-twin-'));
  let fileNumber = 0;
  const fresh = (): Catalogue => {
    fileNumber += 1;
    const outcome = openCatalogue(join(folder, `${fileNumber}.db`));
    assert(outcome.ok);
    return outcome.value;
  };
  try {
    fc.assert(
      fc.property(
        fc.array(batch, { maxLength: 8 }),
        fc.array(step, { maxLength: 12 }),
        (batches, alone) => {
          const catalogue = fresh();
          const twin = twinStores();
          for (const one of alone) assert.equal(apply(catalogue, one), apply(twin, one));
          for (const { steps, keep } of batches) {
            assert.deepEqual(applyAll(catalogue, steps, keep), applyAll(twin, steps, keep));
            assert.deepEqual(observe(catalogue), observe(twin));
          }
          assert.deepEqual(observe(catalogue), observe(twinStores(twin.image())));
          catalogue.close();
        },
      ),
      { numRuns: 60 },
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
