/** A partner that stores here and takes nothing in: it never may restore, and honest partners may all the same (C30). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import { hourMs, minuteMs, secondMs } from '../../src/base/units.ts';
import { encodeRefusal } from '../../src/core/wire/refusal.ts';
import type { PartnershipSettings } from '../../src/engine/partners/partnership-settings.ts';
import type { IncomingRequest, OutgoingReply, Transport } from '../../src/ports/transport.ts';
import { durable } from '../../src/sim/checkers.ts';
import { crowd, settled } from './crowd.ts';
import { backUp, smallFiles } from './scene.ts';

/** A partner without room is tried again after five minutes. */
const commitmentMs = 2 * hourMs;
const periods: Partial<PartnershipSettings> = {
  ...{ graceMs: hourMs, commitmentMs, noticeMs: 10 * minuteMs, wantedPartners: 3 },
  ...{ deleteLockMs: 10 * minuteMs, spareAfterMs: 20 * minuteMs, auditIntervalMs: 10 * minuteMs },
  ...{ searchIntervalMs: 20 * secondMs, probeIntervalMs: minuteMs, receiptPeriodMs: hourMs },
};

const full: OutgoingReply = {
  status: 507,
  body: encodeRefusal({ code: 'shard.no-space', detail: 'the disk has no room' }),
};

/** Whatever it lends, it has no room for any shard. */
function takesNothing(transport: Transport): Transport {
  const isUpload = ({ method, path }: IncomingRequest): boolean =>
    method === 'PUT' && path.startsWith('/v1/shards/');
  return {
    self: transport.self,
    request: (to, request, options) => transport.request(to, request, options),
    identify: (address, signal) => transport.identify(address, signal),
    serve: (handler, standingOf) =>
      transport.serve(
        async (request) => (isUpload(request) ? full : await handler(request)),
        standingOf,
      ),
    route: (peer) => transport.route(peer),
    close: () => transport.close(),
  };
}

test('C30: whoever refuses all that it is sent stays in commitment, and nobody else does', async () => {
  const them = crowd('refused room', 4, {
    meets: true,
    partnership: () => periods,
    transport: (number) => (number === 3 ? takesNothing : undefined),
  });
  const [owner, , , refuser] = them.peers.map((peer) => present(peer, 'a computer'));
  assert(owner !== undefined && refuser !== undefined);
  owner.files.makeFolder('/home');
  const draws = them.world.prng.fork('files');
  smallFiles(owner.files, (count) => draws.bytes(count));
  await settled(them, 3, 10 * minuteMs);
  const phaseOf = (peer: typeof owner): string | undefined =>
    durable(owner).agreements.ofPartner(peer.keys.peerId)?.phase;
  for (let ranMs = 0; ranMs < commitmentMs + hourMs / 2; ranMs += 10 * minuteMs) {
    owner.files.writeFile(`/home/at-${ranMs}`, draws.bytes(10_000));
    void backUp(present(owner.computer, 'the owner runs'));
    await them.world.run({ untilMs: them.world.nowMs + 10 * minuteMs });
  }
  assert.equal(phaseOf(refuser), 'in-commitment');
  for (const honest of them.peers.slice(1, 3)) assert.equal(phaseOf(honest), 'standing');
});
