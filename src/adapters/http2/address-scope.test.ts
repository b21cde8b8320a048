import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLocalAddress, routeByAddress } from './address-scope.ts';

test('loopback, private and link-local addresses are local, in every spelling', () => {
  const addresses = ['127.0.0.1', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.7.1'];
  addresses.push('169.254.1.1', '::1', 'fe80::1', 'fe80::1%eth0', 'fd00::7', '::ffff:10.0.0.1');
  for (const address of addresses) assert.ok(isLocalAddress(address), address);
});

test('public, carrier-shared and malformed addresses are not local', () => {
  const addresses = ['192.0.2.7', '172.32.0.1', '100.64.0.1', '2001:db8::1', '::ffff:8.8.8.8', ''];
  for (const address of addresses) assert.ok(!isLocalAddress(address), address);
});

test('a connection without a known other end counts as direct', () => {
  assert.equal(routeByAddress(undefined), 'direct');
  assert.equal(routeByAddress('192.168.0.9'), 'lan');
});
