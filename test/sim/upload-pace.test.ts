/** A partner that takes uploads too slowly is given up; our own limit on uploads is no reason to. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../src/base/prng.ts';
import { kibi, minuteMs, secondMs } from '../../src/base/units.ts';
import { idOf, type PeerId } from '../../src/core/vocabulary/ids.ts';
import { PartnerClient } from '../../src/engine/partners/partner-client.ts';
import { graceMs, leastBytesPerSecond, UploadPace } from '../../src/engine/sending/upload-pace.ts';
import { RateLimit } from '../../src/engine/work/rate-limit.ts';
import type { IncomingRequest } from '../../src/ports/transport.ts';
import { SimNetwork, simAddress } from '../../src/sim/network.ts';
import type { VirtualClock } from '../../src/sim/virtual-clock.ts';
import { onVirtualTime } from '../../src/sim/virtual-run.ts';

const asker = idOf<PeerId>(new Uint8Array(32).fill(1));
const answerer = idOf<PeerId>(new Uint8Array(32).fill(2));
const never = new AbortController().signal;

/** Uploads 1 MiB to a partner that rests so long after each 1 KiB. */
async function upload(
  clock: VirtualClock,
  restMs: number,
  limit = new RateLimit(clock, undefined),
): Promise<{ readonly code: string; readonly tookMs: number; readonly heard: boolean[] }> {
  const network = new SimNetwork({ clock, prng: new Prng(1), windowBytes: 1 });
  const answer = async ({ body }: IncomingRequest): Promise<{ status: number }> => {
    for await (const part of body) if (part.length > 0) await clock.sleep(restMs);
    return { status: 200 };
  };
  await network.transport(answerer).serve(answer, () => 'partner');
  const heard: boolean[] = [];
  const client = new PartnerClient(network.transport(asker), {
    clock,
    addresses: () => [],
    heard: (_, answered) => heard.push(answered),
  });
  async function* slices(): AsyncGenerator<Uint8Array> {
    for (let slice = 0; slice < 1_024; slice += 1) {
      await limit.take(1 * kibi, never);
      yield new Uint8Array(1 * kibi);
    }
  }
  const began = clock.now();
  const to = { peer: answerer, addresses: [simAddress(answerer)] };
  const shard = {
    name: idOf<never>(new Uint8Array(16)),
    blockCount: 16,
    firstBlock: 0,
    merkleRoot: new Uint8Array(32),
    body: slices(),
  };
  const reply = await client.putShard(to, shard, never);
  return { code: reply.ok ? 'ok' : reply.error.code, tookMs: clock.now() - began, heard };
}

test('a partner that takes a little now and then, never silent, is given up after minutes', async () => {
  await onVirtualTime(async (clock) => {
    const { code, tookMs, heard } = await upload(clock, 29 * secondMs);
    assert.equal(code, 'peer.silent');
    assert.ok(tookMs >= graceMs && tookMs < 4 * minuteMs, `${tookMs}`);
    assert.deepEqual(heard, [], 'it is there, only slow');
  });
});

test('a partner that takes as much as must be is waited for', async () => {
  await onVirtualTime(async (clock) => {
    const { code, tookMs } = await upload(clock, 400);
    assert.equal(code, 'ok');
    assert.ok(tookMs > 4 * minuteMs, `${tookMs}`);
  });
});

test('what our own limit on uploads takes does not count', async () => {
  await onVirtualTime(async (clock) => {
    const { code, tookMs } = await upload(clock, 0, new RateLimit(clock, 100));
    assert.equal(code, 'ok');
    assert.ok(tookMs > 40 * minuteMs, 'far slower than any partner may be');
  });
});

test('a computer that slept, or a clock that was set, does not make a partner slow', async () => {
  await onVirtualTime(async (clock) => {
    const pace = new UploadPace(clock);
    const ended = new AbortController();
    let isLate = false;
    const watching = pace.watch(() => {
      isLate = true;
    }, ended.signal);
    await clock.sleep(30 * secondMs);
    clock.jump(60 * minuteMs);
    await clock.sleep(30 * secondMs);
    clock.jump(-90 * minuteMs);
    await clock.sleep(30 * secondMs);
    assert.equal(isLate, false);
    const bytes = new Uint8Array(60 * leastBytesPerSecond);
    for await (const part of pace.watched(bytes)) assert.equal(part.length, bytes.length);
    await clock.sleep(minuteMs);
    assert.equal(isLate, false, 'what was taken buys time');
    await clock.sleep(2 * minuteMs);
    assert.equal(isLate, true);
    await watching;
  });
});
