import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseMultiaddr } from '../http2/multiaddr.ts';
import { addressRecord, recordedAddresses } from './dht-discovery.ts';

const address = fc
  .tuple(fc.ipV4(), fc.integer({ min: 1, max: 65_535 }))
  .map(([host, port]) => `/ip4/${host}/tcp/${port}`);

test('the addresses of a record come back in their order, as many as a record holds', () => {
  fc.assert(
    fc.property(fc.array(address, { maxLength: 12 }), (addresses) => {
      const back = recordedAddresses(addressRecord(addresses));
      assert.deepEqual(back, addresses.slice(0, 8));
    }),
  );
});

test('whatever stands in a record, only well-formed addresses are read from it', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
      const read = recordedAddresses(bytes);
      assert.ok(read.length <= 8 && read.every((one) => parseMultiaddr(one).ok));
    }),
  );
});
