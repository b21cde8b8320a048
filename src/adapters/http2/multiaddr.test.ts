import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatMultiaddr, parseMultiaddr, reachableAddresses } from './multiaddr.ts';

test('addresses of every kind are read and written back', () => {
  const address = fc.oneof(
    fc.ipV4().map((host) => ({ kind: 'ip4' as const, host })),
    fc.ipV6().map((host) => ({ kind: 'ip6' as const, host })),
    fc.domain().map((host) => ({ kind: 'dns' as const, host })),
  );
  fc.assert(
    fc.property(address, fc.integer({ min: 0, max: 65_535 }), (host, port) => {
      const parsed = parseMultiaddr(formatMultiaddr({ ...host, port }));
      assert.deepEqual(parsed, { ok: true, value: { ...host, port } });
    }),
  );
});

test('any other text is refused', () => {
  const wrong = [
    '',
    '/',
    '/ip4/192.0.2.7',
    '/ip4/192.0.2.7/udp/4747',
    '/ip4/192.0.2.7/tcp/4747/',
    '/ip4/192.0.2.7/tcp/04747',
    '/ip4/192.0.2.7/tcp/65536',
    '/ip4/192.0.2.7/tcp/-1',
    '/ip4/192.0.2.300/tcp/1',
    '/ip4/192.0.2.07/tcp/1',
    '/ip4/::1/tcp/1',
    '/ip6/192.0.2.7/tcp/1',
    '/ip6/fe80::1%eth0/tcp/1',
    '/dns//tcp/1',
    '/dns/a..b/tcp/1',
    '/dns/-a/tcp/1',
    `/dns/${'a.'.repeat(200)}a/tcp/1`,
    'ip4/192.0.2.7/tcp/1',
    '/ip5/192.0.2.7/tcp/1',
  ];
  for (const text of wrong) assert.equal(parseMultiaddr(text).ok, false, text);
});

test('text from anywhere is read without throwing', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const parsed = parseMultiaddr(text);
      if (parsed.ok) assert.equal(formatMultiaddr(parsed.value), text);
    }),
  );
});

test('the unspecified address stands for those that others can reach', () => {
  const interfaces = [
    { address: '127.0.0.1', family: 'IPv4', internal: true },
    { address: '192.0.2.7', family: 'IPv4', internal: false },
    { address: '169.254.3.4', family: 'IPv4', internal: false },
    { address: 'fe80::1', family: 'IPv6', internal: false },
    { address: '2001:db8::7', family: 'IPv6', internal: false },
  ];
  const reach = (kind: 'ip4' | 'ip6', host: string): readonly string[] =>
    reachableAddresses({ kind, host, port: 4747 }, interfaces);
  assert.deepEqual(reach('ip4', '0.0.0.0'), ['/ip4/192.0.2.7/tcp/4747']);
  assert.deepEqual(reach('ip6', '::'), ['/ip6/2001:db8::7/tcp/4747']);
  assert.deepEqual(reach('ip4', '127.0.0.1'), ['/ip4/127.0.0.1/tcp/4747']);
});
