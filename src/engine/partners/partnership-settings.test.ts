import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dayMs, hourMs } from '../../base/units.ts';
import { policyOf, presets } from '../../core/agreements/policy.ts';
import { circleCriteria, openCriteria } from '../../core/partners/criteria.ts';
import { partnershipSettings } from './partnership-settings.ts';

test('C24: whoever looks for partners and whoever is asked want the same hours together', () => {
  const criteria = { circle: circleCriteria, open: openCriteria };
  const hours = { circle: 0, open: 14 };
  for (const preset of presets) {
    const space = { freeBytes: 1e9, wantedBytes: 1e9, cleanMs: 0 };
    const { schedule } = policyOf({ preset, trusted: false, ...space });
    assert.equal(schedule.leastOverlapHours, hours[preset]);
    assert.equal(criteria[preset].overlapHoursMinimum, hours[preset]);
    assert.equal(partnershipSettings({ preset }).overlapHours, hours[preset]);
  }
});

test('C30: nobody gets a spare over a weekend, whatever the preset', () => {
  const weekendMs = 63 * hourMs;
  for (const preset of presets) {
    const { spareAfterMs, graceMs } = partnershipSettings({ preset });
    assert.ok(spareAfterMs > weekendMs && spareAfterMs <= graceMs / 2);
    assert.equal(spareAfterMs, 3 * dayMs);
  }
});
