/** Computers that are given nothing but space to lend and a way to meet others find enough good partners by themselves (C2, C3, C4, C20, C21, C22, C23, C24, C25). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import { hourMs, mebi, minuteMs, secondMs } from '../../src/base/units.ts';
import { calmPlan } from '../../src/sim/fault-plan.ts';
import type { SimPeer } from '../../src/sim/sim-peer.ts';
import { checkAgreements, crowd, partnersOf, settled } from './crowd.ts';

test('twelve computers that know the address of one each find eight partners', async () => {
  const them = crowd('one address', 12, {
    meets: false,
    partnership: (number, first) => ({ bootstrap: number === 0 ? [] : [first] }),
  });
  await settled(them, 8, minuteMs);
  checkAgreements(them.peers);
});

test('computers that meet under a name find partners, and others do not', async () => {
  const them = crowd('a name', 9, {
    meets: true,
    partnership: (number) => ({
      neighbourhood: number < 6 ? 'hill' : 'valley',
      wantedPartners: 2,
    }),
  });
  await settled(them, 2, 5 * minuteMs);
  const { peers } = them;
  checkAgreements(peers);
  const hill = new Set(peers.slice(0, 6).map(({ keys }) => keys.peerId));
  for (const [number, peer] of peers.entries())
    for (const { agreement } of present(peer.computer, 'it runs').partners())
      assert.equal(hill.has(agreement.partner), number < 6);
});

test('partners in other places and on other systems are preferred when there is a choice', async () => {
  const places = ['near', 'near', 'near', 'near', 'far', 'away', 'abroad', 'beyond'];
  const { world, peers } = crowd('places', places.length, {
    meets: true,
    // Only the first one looks around; the others lend, and want nothing.
    partnership: (number) => ({
      wantedPartners: 3,
      place: { household: present(places[number], 'a place') },
      systemVersion: String(number),
      ...(number === 0 ? {} : { wantedBytes: 0 }),
    }),
  });
  await world.run({ untilMs: minuteMs });
  const partners = present(peers[0]?.computer, 'it runs').partners();
  assert.equal(partners.length, 3);
  const households = partners.map(({ place }) => place);
  assert.equal(new Set(households).size, 3);
  assert(!households.includes('household near'));
  assert.equal(new Set(partners.map(({ system }) => system)).size, 3);
});

test('C23: where many share one place, the last seats are kept for the others', async () => {
  for (const seed of ['hill', 'dale']) {
    const placeOf = (number: number): string => (number < 4 ? 'hill' : `house ${number}`);
    const { world, peers } = crowd(seed, 12, {
      meets: false,
      partnership: (number, first) => ({
        bootstrap: number === 0 ? [] : [first],
        wantedPartners: 3,
        place: { household: placeOf(number) },
      }),
    });
    const placesOf = (peer: SimPeer): number =>
      new Set(peer.computer?.partners().map(({ place }) => place)).size;
    while (!peers.every((peer) => placesOf(peer) >= 3)) {
      assert(world.nowMs < minuteMs, `${seed}: ${peers.map(placesOf).join()}`);
      await world.run({ untilMs: world.nowMs + secondMs });
    }
    checkAgreements(peers);
  }
});

test('a dry run ranks with reasons, and signs nothing', async () => {
  const { world, peers } = crowd('dry', 5, {
    meets: true,
    partnership: (number) => ({
      searchIntervalMs: 10 * hourMs,
      wantedPartners: 2,
      ...(number === 4 ? { preset: 'open' } : {}),
    }),
  });
  // By then all have looked once for somebody to meet, and announced themselves.
  await world.run({ untilMs: minuteMs });
  const before = peers.map(partnersOf);
  const computer = present(peers[0]?.computer, 'it runs');
  const signal = new AbortController().signal;
  let report: Awaited<ReturnType<typeof computer.search>> | undefined;
  computer.search({ dryRun: true, signal }).then((done) => {
    report = done;
  });
  await world.run({ until: () => report !== undefined, untilMs: 10 * minuteMs });
  const found = present(report, 'the search ended');
  assert.deepEqual(peers.map(partnersOf), before);
  const other = found.candidates.find(({ peer }) => peer === peers[4]?.keys.peerId);
  assert.equal(other?.rank, undefined);
  assert.deepEqual(
    other?.reasons.map(({ code }) => code),
    ['candidate.preset'],
  );
  for (const { rank, reasons } of found.candidates)
    if (rank !== undefined) assert(reasons.length > 0);
});

test('strangers are lent little at first, and more with every clean stretch of time', async () => {
  const them = crowd('ramp', 3, {
    meets: true,
    partnership: () => ({
      preset: 'open',
      wantedPartners: 2,
      rampBytes: 8 * mebi,
      rampStepMs: minuteMs,
    }),
  });
  const lent = (): readonly number[] =>
    them.peers.flatMap((peer) =>
      present(peer.computer, 'it runs')
        .partners()
        .map(({ weLendBytes }) => weLendBytes),
    );
  await settled(them, 2, minuteMs);
  assert(lent().every((bytes) => bytes > 0 && bytes <= 8 * mebi));
  await them.world.run({ untilMs: 12 * minuteMs });
  checkAgreements(them.peers);
  assert(
    lent().every((bytes) => bytes >= 64 * mebi),
    lent().join(),
  );
});

test('whatever step two computers crash at, both end with the same agreement or none', async () => {
  for (const [node, step] of [0, 1].flatMap((node) =>
    [1, 2, 3, 4, 5, 6, 7, 8].map((step): [number, number] => [node, step]),
  ))
    for (const moment of ['before', 'after'] as const) {
      const crash = { node: `peer ${node}`, step, moment, downMs: 3_000 };
      const them = crowd(`crash ${node} ${step} ${moment}`, 2, {
        meets: false,
        plan: { ...calmPlan, crashes: [crash] },
        partnership: (number, first) => ({
          bootstrap: number === 0 ? [] : [first],
          wantedPartners: 1,
        }),
      });
      await settled(them, 1, 5 * minuteMs);
      checkAgreements(them.peers);
    }
});
