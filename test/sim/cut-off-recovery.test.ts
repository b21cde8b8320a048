/** A computer whose recovery has not ended takes up no life of its own: it finds nobody, nobody finds it, and nothing is backed up. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import { minuteMs } from '../../src/base/units.ts';
import { simAddress } from '../../src/sim/network.ts';
import { SimPeer } from '../../src/sim/sim-peer.ts';
import { crowd, partnersOf, played, settled } from './crowd.ts';
import { kernels, quiet, request, smallFiles } from './scene.ts';

test('while a recovery waits for partners nobody new becomes one, and no backup is taken', async () => {
  const them = crowd('cut off', 5, { meets: true, partnership: () => ({ wantedPartners: 2 }) });
  const { world, link } = them;
  const [heir, ...others] = them.peers;
  assert(heir !== undefined);
  // Before anybody looks for partners.
  await world.run({ untilMs: 20 });
  const computer = present(heir.computer, 'it runs');
  const nowhere = new SimPeer({ world, link, kernels, name: 'lost' });
  const peers = [{ peer: undefined, address: simAddress(nowhere.keys.peerId) }];
  const recover = () => played(them, () => computer.recover(peers, { floor: undefined, ...quiet }));
  const first = await recover();
  assert.equal(first.ok ? '' : first.error.code, 'recover.no-partner');
  assert.deepEqual([computer.isRecovering(), computer.isRecoverable()], [true, true]);
  await settled({ ...them, peers: others }, 2, minuteMs);
  await world.run({ untilMs: world.nowMs + minuteMs });
  assert.deepEqual([partnersOf(heir), computer.agreements().length], [0, 0]);
  heir.files.makeFolder('/home');
  const draws = world.prng.fork('files');
  smallFiles(heir.files, (count) => draws.bytes(count));
  const backup = await played(them, () => computer.backup(request, quiet));
  assert.equal(backup.ok ? '' : backup.error.code, 'recovery.unfinished');
  assert.equal(computer.snapshots().length, 0);
  const again = await recover();
  assert.equal(again.ok ? '' : again.error.code, 'recover.no-partner', 'it can be tried again');
});

test('a recovery that was given nobody to ask begins nothing', async () => {
  const them = crowd('nobody named', 3, {
    meets: true,
    partnership: () => ({ wantedPartners: 2 }),
  });
  await them.world.run({ untilMs: 20 });
  const computer = present(them.peers[0]?.computer, 'it runs');
  const asked = await played(them, () => computer.recover([], { floor: undefined, ...quiet }));
  assert.equal(asked.ok ? '' : asked.error.code, 'recover.no-partner');
  assert.equal(computer.isRecovering(), false);
  await settled(them, 2, minuteMs);
});
