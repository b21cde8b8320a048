import assert from 'node:assert/strict';
import type { NetworkInterfaceInfo as Interface } from 'node:os';
import { test } from 'node:test';
import { isLocalAddress, isOwnNetwork, routeByAddress } from './address-scope.ts';

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

test('a private address is of this network when an interface is in it', () => {
  const of = (cidr: string, internal = false): Interface => ({
    ...{ address: cidr.split('/')[0] ?? '', netmask: '', mac: '', cidr, internal },
    ...(cidr.includes(':') ? { family: 'IPv6', scopeid: 0 } : { family: 'IPv4' }),
  });
  const interfaces = {
    lo: [of('127.0.0.1/8', true)],
    lan: [of('192.168.7.20/24'), of('fd12:3456::20/64')],
    wan: [of('203.0.113.5/24')],
  };
  const isOwn = (address: string): boolean => isOwnNetwork(address, interfaces);
  for (const address of ['192.168.7.1', 'fd12:3456::9']) assert.ok(isOwn(address), address);
  const others = ['192.168.8.1', '10.0.0.1', '127.0.0.1', '203.0.113.6', 'fd12:9999::9', 'x'];
  for (const address of others) assert.ok(!isOwn(address), address);
  assert.equal(isOwnNetwork('192.168.7.1', {}), false);
});
