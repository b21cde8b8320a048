import assert from 'node:assert/strict';
import test from 'node:test';
import { distanceKm, domainsOf, sharePlace, traitsOf } from './failure-domain.ts';
import { networkPrefixOf } from './network-prefix.ts';

test('a network is known by 24 bits of IPv4 and 48 of IPv6', () => {
  assert.equal(networkPrefixOf('203.0.113.77'), '203.0.113.0/24');
  assert.equal(networkPrefixOf('/ip4/203.0.113.77/tcp/4747'), '203.0.113.0/24');
  assert.equal(networkPrefixOf('::ffff:203.0.113.77'), '203.0.113.0/24');
  assert.equal(networkPrefixOf('2001:DB8:1:2::7'), '2001:db8:1::/48');
  assert.equal(networkPrefixOf('/ip6/2001:db8::7/tcp/1'), '2001:db8:0::/48');
  assert.equal(networkPrefixOf('2001:0db8:0001:2:3:4:5:6'), '2001:db8:1::/48');
});

test('addresses that say nothing of the place have no network', () => {
  const silent = [
    ...['127.0.0.1', '10.1.2.3', '192.168.1.7', '172.16.0.1', '172.31.9.9', '100.64.0.1'],
    ...['169.254.1.1', '0.0.0.0', '224.0.0.251', '255.255.255.255', '::1', 'fe80::1', 'fd00::1'],
    ...['::ffff:127.0.0.1', '/dns/example.org/tcp/1', '', '1.2.3', '1.2.3.256', '2001:db8', ':::'],
    ...['2001::1::2', '2001:db8:1:2:3:4:5:6:7', '2001:xyz::'],
  ];
  for (const address of silent) assert.equal(networkPrefixOf(address), undefined, address);
});

test('C23: one household, one network, and two at home share a place', () => {
  assert.equal(sharePlace({ household: 'a' }, { household: 'a' }), true);
  assert.equal(sharePlace({ networkPrefix: 'a' }, { networkPrefix: 'a', household: 'b' }), true);
  assert.equal(sharePlace({ atHome: true }, { atHome: true }), true);
  assert.equal(sharePlace({}, {}), false);
  assert.equal(sharePlace({ household: 'a' }, { household: 'b' }), false);
  assert.equal(sharePlace({ atHome: true }, { atHome: false }), false);
});

test('what was seen of a peer is believed before what it says', () => {
  const said = traitsOf(undefined, { networkPrefix: '203.0.113.0/24' });
  assert.deepEqual(said, { networkPrefix: '203.0.113.0/24' });
  assert.deepEqual(domainsOf({ ...said, household: 'elsewhere', system: 'linux' }), {
    place: '203.0.113.0/24',
    system: 'linux',
  });
  assert.deepEqual(domainsOf({ household: 'ours', system: 'linux', osVersion: '6.8' }), {
    place: 'household ours',
    system: 'linux 6.8',
  });
  assert.deepEqual(domainsOf({ system: '' }), {});
});

test('C23: distances are those along the great circle', () => {
  const at = (latitude: number, longitude: number) => ({ coordinates: { latitude, longitude } });
  const near = (km: number | undefined, expected: number) =>
    assert.ok(km !== undefined && Math.abs(km - expected) < expected * 0.01 + 1, `${km}`);
  near(distanceKm(at(0, 0), at(0, 1)), 111);
  near(distanceKm(at(0, -180), at(0, 179)), 111);
  near(distanceKm(at(90, 0), at(-90, 17)), 20_015);
  near(distanceKm(at(51, 0), at(41, -74)), 5_560);
  assert.equal(distanceKm(at(47, 8), at(47, 8)), 0);
  assert.equal(distanceKm(at(47, 8), {}), undefined);
});
