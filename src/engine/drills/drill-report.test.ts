import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { instant } from '../../base/units.ts';
import { idOf, type PeerId } from '../../core/vocabulary/ids.ts';
import { twinStores } from '../../sim/twin-stores.ts';
import { type DrillReport, drillStanding, keepDrill, offenders, proves } from './drill-report.ts';

const count = fc.nat({ max: 2 ** 40 });
const plain = { noNullPrototype: true };
const partner = fc.record(
  {
    partner: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((id) => idOf<PeerId>(id)),
    blocks: count,
    wrongBlocks: count,
    refusals: count,
    code: fc.constantFrom('', 'peer.silent', 'peer.unreachable', 'request.not-partner'),
  },
  plain,
);
const problem = fc.record(
  {
    path: fc.option(
      fc.uint8Array({ minLength: 1, maxLength: 64 }).map((path) => new Uint8Array(path)),
      { nil: undefined },
    ),
    code: fc.constantFrom('restore.integrity', 'restore.too-few-partners'),
    detail: fc.string({ maxLength: 100 }),
  },
  plain,
);
const report: fc.Arbitrary<DrillReport> = fc.record(
  {
    at: count.map(instant),
    files: count,
    bytes: count,
    packs: count,
    partners: fc.array(partner, { maxLength: 8 }),
    problems: fc.array(problem, { maxLength: 4 }),
    announced: fc.boolean(),
  },
  plain,
);

test('what is kept of a drill is what was found, and the last proof stays until the next', () => {
  fc.assert(
    fc.property(report, report, (first, second) => {
      const stores = twinStores();
      assert.equal(drillStanding(stores), undefined);
      keepDrill(stores, first);
      const proven = proves(first) ? first.at : undefined;
      assert.deepEqual(drillStanding(stores), { last: first, provenAt: proven });
      keepDrill(stores, second);
      const later = proves(second) ? second.at : proven;
      assert.deepEqual(drillStanding(stores), { last: second, provenAt: later });
    }),
  );
});

test('nobody is blamed for having been away', () => {
  const id = idOf<PeerId>(new Uint8Array(32));
  const away = { partner: id, blocks: 0, wrongBlocks: 0, refusals: 1, code: 'peer.unreachable' };
  const base = { at: instant(0), files: 1, bytes: 1, packs: 1, problems: [], announced: false };
  assert.deepEqual(offenders({ ...base, partners: [away] }), []);
  const denies = { ...away, code: 'request.not-partner' };
  assert.deepEqual(offenders({ ...base, partners: [denies] }), [denies]);
});
