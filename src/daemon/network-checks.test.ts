import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '../base/units.ts';
import type { PartnerView } from '../engine/partners/partnerships.ts';
import { partnerChecks } from './network-checks.ts';

/** As much of a partner as the check looks at. */
function checked(change: Partial<PartnerView>): string {
  const view = {
    agreement: { partner: 'ab'.repeat(32), partnerName: 'attic' },
    ...{ reachable: true, lacks: { lost: 0, wrong: 0 }, failing: undefined, route: 'lan' },
    ...change,
  } as PartnerView;
  return partnerChecks([view])
    .map(({ level, finding }) => `${level} ${finding}`)
    .join();
}

test('a partner that answers is well only while it has what it took, and is counted on', () => {
  const since = instant(Date.UTC(2026, 0, 3, 12));
  assert.equal(checked({}), 'ok reachable over the local network');
  assert.match(checked({ reachable: false }), /^warn cannot be reached now/);
  assert.equal(checked({ lacks: { lost: 2, wrong: 1 } }), 'fail has 1 shard of ours wrong');
  assert.equal(checked({ lacks: { lost: 2, wrong: 0 } }), 'warn lost 2 shards of ours');
  const suspended = (failing: Omit<NonNullable<PartnerView['failing']>, 'since'>): string =>
    checked({ failing: { ...failing, since } });
  assert.match(
    suspended({ cause: 'wrong', answers: true }),
    /^warn suspended since 2026-01-03: it had shards of ours wrong or missing/,
  );
  assert.match(suspended({ cause: 'silence', answers: false }), /: it is silent$/);
  assert.match(suspended({ cause: 'silence', answers: true }), /: it answers, but proves/);
  assert.match(suspended({ cause: 'losses', answers: true }), /: it lost everything again$/);
});
