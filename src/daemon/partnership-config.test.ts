import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Config, checkedConfig } from '../adapters/disk/config-file.ts';
import { present } from '../base/assert.ts';
import { dayMs } from '../base/units.ts';
import type { PartnershipSettings } from '../engine/partners/partnership-settings.ts';
import { partnershipOf, seeks, systemVersionOf } from './partnership-config.ts';

function config(value: unknown): Config {
  const checked = checkedConfig(value);
  return present(checked.ok ? checked.value : undefined, 'a configuration that can be');
}

function settings(value: unknown): PartnershipSettings {
  const outcome = partnershipOf(config(value));
  return present(outcome.ok ? outcome.value : undefined, 'settings that go together');
}

const lend = { spaceBytes: 50e9 };
const network = { bootstrap: ['/ip4/192.0.2.7/tcp/4747'] };

test('partners are looked for when there is something to lend and a way to meet others', () => {
  assert.equal(seeks(config({})), false);
  assert.equal(seeks(config({ lend })), false);
  assert.equal(seeks(config({ network })), false);
  assert.equal(seeks(config({ lend, network })), true);
  assert.equal(seeks(config({ network, partners: { wantedBytes: 1e9 } })), true);
  assert.equal(seeks(config({ lend, network: { dht: 'public' } })), true);
  assert.equal(seeks(config({ lend, network: { multicast: true } })), true);
  assert.equal(seeks(config({ lend, network, partners: { seek: false } })), false);
  assert.equal(seeks(config({ partners: { seek: true } })), true);
});

test('strangers get the terms for strangers, unless a person says otherwise', () => {
  assert.equal(settings({ lend }).preset, 'circle');
  const found = settings({ lend, network });
  assert.deepEqual([found.preset, found.graceMs, found.rampBytes], ['open', 30 * dayMs, 1e9]);
  assert.equal(settings({ lend, network, partners: { preset: 'circle' } }).graceMs, 30 * dayMs);
});

test('a knob that is set stands in the place of the preset’s', () => {
  const set = settings({
    lend,
    network,
    partners: {
      graceSeconds: 2.5,
      commitmentSeconds: 5,
      overlapHours: 0,
      searchIntervalSeconds: 1,
    },
  });
  assert.deepEqual([set.graceMs, set.commitmentMs, set.overlapHours], [2_500, 5_000, 0]);
  assert.deepEqual([set.searchIntervalMs, set.deleteLockMs], [1_000, 30 * dayMs]);
  assert.deepEqual(set.bootstrap, network.bootstrap);
});

test('a commitment period that is no longer than grace is refused by name (C30)', () => {
  for (const partners of [{ graceSeconds: 40 * 86_400 }, { commitmentSeconds: 10 }]) {
    const outcome = partnershipOf(config({ partners }));
    assert.ok(!outcome.ok && outcome.error.code === 'config.bad-value');
    assert.equal(outcome.error.name, 'partners.commitmentSeconds');
    assert.match(outcome.error.detail, /longer than the grace period/);
  }
});

test('a place is told in whole degrees, and only when it is whole', () => {
  const place = { country: 'DE', latitude: 52.52, longitude: 179.9, household: 'attic' };
  assert.deepEqual(settings({ place }).place, {
    country: 'DE',
    coordinates: { latitude: 53, longitude: -180 },
    household: 'attic',
  });
  assert.deepEqual(settings({ place: { latitude: 1 } }).place, {});
});

test('the network is that of an announced address', () => {
  const announce = ['/ip4/192.168.1.2/tcp/1', '/ip4/203.0.113.9/tcp/4747'];
  assert.equal(settings({ network: { announce } }).networkPrefix, '203.0.113.0/24');
});

test('of a system version the part counts that fails together', () => {
  assert.deepEqual(['6.8.0-45-generic', '24.1.0', '10', 'odd'].map(systemVersionOf), [
    '6.8',
    '24.1',
    '10',
    '',
  ]);
});
