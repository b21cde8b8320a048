/** Computers that are given nothing but space to lend and a way to meet others find enough good partners by themselves (C2, C3, C20–C25). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import { mebi, minuteMs, secondMs } from '../../src/base/units.ts';
import { decodeSignedAgreement, verifyAgreement } from '../../src/core/agreements/agreement.ts';
import type { ComputerSettings } from '../../src/engine/computer.ts';
import { agreementOf } from '../../src/engine/partner-space.ts';
import type { PartnershipSettings } from '../../src/engine/partnership-settings.ts';
import { durable } from '../../src/sim/checkers.ts';
import { simAddress } from '../../src/sim/network.ts';
import { SimLink } from '../../src/sim/sim-link.ts';
import { SimMeeting } from '../../src/sim/sim-meeting.ts';
import { SimPeer } from '../../src/sim/sim-peer.ts';
import { VirtualClock } from '../../src/sim/virtual-clock.ts';
import { SimWorld } from '../../src/sim/world.ts';
import { kernels } from './scene.ts';

const lentBytes = 960 * mebi;

const seeking: Partial<PartnershipSettings> = {
  seek: true,
  searchIntervalMs: 2 * secondMs,
  probeIntervalMs: 5 * secondMs,
  receiptPeriodMs: 20 * secondMs,
};

interface Crowd {
  readonly world: SimWorld;
  readonly peers: readonly SimPeer[];
}

/** `count` computers; how each finds the others is in `partnership`. */
function crowd(
  seed: string,
  count: number,
  options: {
    readonly meets: boolean;
    readonly partnership: (number: number, first: string) => Partial<PartnershipSettings>;
    readonly settings?: (number: number) => Partial<ComputerSettings>;
  },
): Crowd {
  const world = new SimWorld(seed);
  const link = new SimLink(world);
  const meeting = new SimMeeting(new VirtualClock(world.timeline), world.prng.fork('meeting'));
  const peers: SimPeer[] = [];
  for (let number = 0; number < count; number += 1) {
    const first = peers[0] === undefined ? '' : simAddress(peers[0].keys.peerId);
    peers.push(
      new SimPeer({
        ...{ world, link, kernels, name: `peer ${number}` },
        ...(options.meets ? { meeting } : {}),
        settings: {
          offeredBytes: lentBytes,
          partnership: { ...seeking, ...options.partnership(number, first) },
          ...options.settings?.(number),
        },
      }),
    );
  }
  for (const peer of peers) peer.spawn();
  return { world, peers };
}

function partnersOf(peer: SimPeer): number {
  return peer.computer?.partners().length ?? 0;
}

/** Until everybody has so many partners, and nothing is half signed. */
async function settled({ world, peers }: Crowd, least: number, untilMs: number): Promise<void> {
  const isSettled = (peer: SimPeer): boolean =>
    partnersOf(peer) >= least &&
    (peer.computer?.agreements() ?? []).every(({ row }) => row.phase !== 'proposed');
  while (!peers.every(isSettled)) {
    assert(world.nowMs < untilMs, peers.map(partnersOf).join());
    await world.run({ untilMs: world.nowMs + secondMs });
  }
}

/** Every agreement is signed by both, kept by both, and nobody lends more than it has. */
function checkAgreements(peers: readonly SimPeer[]): void {
  for (const peer of peers) {
    const rows = durable(peer)
      .agreements.all()
      .filter(({ phase }) => phase !== 'proposed');
    let lent = 0;
    for (const row of rows) {
      const signed = decodeSignedAgreement(row.document);
      assert(signed.ok && verifyAgreement(signed.value).ok, 'both have signed');
      const other = present(
        peers.find(({ keys }) => keys.peerId === row.partner),
        'the partner is one of us',
      );
      const theirs = durable(other).agreements.get(row.agreement);
      assert.deepEqual(theirs?.document, row.document);
      const { first, terms } = agreementOf(row);
      lent += first === row.partner ? terms.secondLendsBytes : terms.firstLendsBytes;
      assert.equal(terms.firstLendsBytes, terms.secondLendsBytes);
      assert(terms.commitmentMs > terms.graceMs);
    }
    assert(lent <= lentBytes, `${peer.name} lends ${lent}`);
    assert.equal(new Set(rows.map(({ partner }) => partner)).size, rows.length);
  }
}

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
