import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventLog } from '../../ports/event-log.ts';
import { mapPorts, type PortMapper } from './port-mapping.ts';
import { defaultGateway } from './router-mapper.ts';

const log: EventLog = { write: () => undefined };

function mapper(asked: string[], refuses: (port: number) => boolean): PortMapper {
  return {
    map: async (port, protocol) => {
      asked.push(`${protocol} ${port}`);
      if (refuses(port)) throw new Error('refused');
      return { externalHost: '203.0.113.9', externalPort: port + 1 };
    },
    close: async () => {
      asked.push('closed');
    },
  };
}

test('both protocols of a port are asked for, and the address outside is told', async () => {
  const asked: string[] = [];
  const mapping = mapPorts([4747], { mapper: mapper(asked, () => false), log });
  await mapping.tried;
  assert.deepEqual(mapping.addresses, ['/ip4/203.0.113.9/tcp/4748']);
  await mapping.close();
  assert.deepEqual(asked, ['tcp 4747', 'udp 4747', 'closed']);
  assert.deepEqual(mapping.addresses, []);
});

test('a router that refuses one port may still send on another', async () => {
  const mapping = mapPorts([1, 2], { mapper: mapper([], (port) => port === 1), log });
  await mapping.tried;
  assert.deepEqual(mapping.addresses, ['/ip4/203.0.113.9/tcp/3']);
  await mapping.close();
});

test('mappings are renewed, and gone when the router refuses', async () => {
  let isWilling = true;
  const asked: string[] = [];
  const reluctant = mapper(asked, () => !isWilling);
  const mapping = mapPorts([5], { mapper: reluctant, log, renewEveryMs: 5 });
  await mapping.tried;
  isWilling = false;
  const until = AbortSignal.timeout(2_000);
  while (mapping.addresses.length > 0) {
    assert.ok(!until.aborted, 'renewed in time');
    await new Promise((resolve) => setImmediate(resolve));
  }
  await mapping.close();
});

test('the default gateway is read from the table of routes', () => {
  const head = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\n';
  const local = 'eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\n';
  assert.equal(defaultGateway(head + local), undefined);
  const route = 'eth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\n';
  assert.equal(defaultGateway(head + local + route), '192.168.1.1');
});
