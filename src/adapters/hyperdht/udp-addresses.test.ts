import assert from 'node:assert/strict';
import { test } from 'node:test';
import { certainAddress, udpAddresses } from './udp-addresses.ts';

test('a peer’s DHT node is looked for at the UDP port of its TCP addresses, IPv4 only', () => {
  const addresses = ['/ip4/5.5.0.3/tcp/4747', '/ip6/::1/tcp/4747', '/dns/a.example/tcp/1', 'odd'];
  assert.deepEqual(udpAddresses(addresses), [
    { host: '5.5.0.3', port: 4747 },
    { host: 'a.example', port: 1 },
  ]);
});

test('only an address that no NAT translates, or that a person named, is certain', () => {
  const outside = '/ip4/5.5.0.3/tcp/4747';
  const inside = '/ip4/192.168.1.7/tcp/4747';
  assert.deepEqual(certainAddress([inside, outside], []), { host: '5.5.0.3', port: 4747 });
  assert.equal(certainAddress([inside], []), undefined);
  assert.equal(certainAddress([], ['/dns/a.example/tcp/1']), undefined);
  assert.equal(certainAddress(['/ip4/100.64.0.1/tcp/4747'], []), undefined);
  const forwarded = { host: '5.5.0.9', port: 4747 };
  assert.deepEqual(certainAddress([inside], ['/ip4/5.5.0.9/tcp/4747']), forwarded);
  assert.equal(certainAddress([inside], ['/ip4/5.5.0.9/tcp/80']), undefined);
});
