/** Computers of a simulated world that find partners by themselves, and what must hold of what they sign. */
import assert from 'node:assert/strict';
import { present } from '../../src/base/assert.ts';
import { hourMs, mebi, secondMs } from '../../src/base/units.ts';
import { decodeSignedAgreement, verifyAgreement } from '../../src/core/agreements/agreement.ts';
import type { ComputerSettings } from '../../src/engine/computer.ts';
import { agreementOf } from '../../src/engine/partners/partner-space.ts';
import type { PartnershipSettings } from '../../src/engine/partners/partnership-settings.ts';
import type { Transport } from '../../src/ports/transport.ts';
import { durable } from '../../src/sim/checkers.ts';
import type { FaultPlan } from '../../src/sim/fault-plan.ts';
import { simAddress } from '../../src/sim/network.ts';
import { SimLink } from '../../src/sim/sim-link.ts';
import { SimMeeting } from '../../src/sim/sim-meeting.ts';
import { SimPeer } from '../../src/sim/sim-peer.ts';
import { VirtualClock } from '../../src/sim/virtual-clock.ts';
import { SimWorld } from '../../src/sim/world.ts';
import { kernels } from './scene.ts';

export const lentBytes: number = 960 * mebi;

export const seeking: Partial<PartnershipSettings> = {
  seek: true,
  searchIntervalMs: 2 * secondMs,
  probeIntervalMs: 5 * secondMs,
  receiptPeriodMs: 20 * secondMs,
};

export interface Crowd {
  readonly world: SimWorld;
  readonly link: SimLink;
  readonly peers: readonly SimPeer[];
}

/** `count` computers; how each finds the others is in `partnership`. */
export function crowd(
  seed: string,
  count: number,
  options: {
    readonly meets: boolean;
    readonly plan?: FaultPlan;
    readonly keepTrace?: boolean;
    readonly partnership: (number: number, first: string) => Partial<PartnershipSettings>;
    readonly settings?: (number: number) => Partial<ComputerSettings>;
    /** What a computer does to its own transport; undefined: nothing. */
    readonly transport?: (number: number) => ((transport: Transport) => Transport) | undefined;
  },
): Crowd {
  const { plan, keepTrace } = options;
  const world = new SimWorld(seed, {
    ...(plan === undefined ? {} : { plan }),
    ...(keepTrace === undefined ? {} : { keepTrace }),
  });
  const link = new SimLink(world);
  const meeting = new SimMeeting(new VirtualClock(world.timeline), world.prng.fork('meeting'));
  const peers: SimPeer[] = [];
  for (let number = 0; number < count; number += 1) {
    const transport = options.transport?.(number);
    const first = peers[0] === undefined ? '' : simAddress(peers[0].keys.peerId);
    peers.push(
      new SimPeer({
        ...{ world, link, kernels, name: `peer ${number}` },
        ...(options.meets ? { meeting } : {}),
        ...(transport === undefined ? {} : { transport }),
        settings: {
          offeredBytes: lentBytes,
          partnership: { ...seeking, ...options.partnership(number, first) },
          ...options.settings?.(number),
        },
      }),
    );
  }
  for (const peer of peers) peer.spawn();
  return { world, link, peers };
}

export function partnersOf(peer: SimPeer): number {
  return peer.computer?.partners().length ?? 0;
}

/** Until everybody has so many partners, and nothing is half signed. */
export async function settled(
  { world, peers }: Crowd,
  least: number,
  untilMs: number,
): Promise<void> {
  const isSettled = (peer: SimPeer): boolean =>
    partnersOf(peer) >= least &&
    (peer.computer?.agreements() ?? []).every(({ row }) => row.phase !== 'proposed');
  while (!peers.every(isSettled)) {
    assert(world.nowMs < untilMs, peers.map(partnersOf).join());
    await world.run({ untilMs: world.nowMs + secondMs });
  }
}

/** Every agreement is signed by both, kept by both, and nobody lends more than it has. */
export function checkAgreements(peers: readonly SimPeer[]): void {
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

/** Until something holds, within an hour. */
export async function waitUntil(
  { world }: Pick<Crowd, 'world'>,
  what: string,
  holds: () => boolean,
): Promise<void> {
  const limitMs = world.nowMs + hourMs;
  while (!holds()) {
    assert(world.nowMs < limitMs, `in vain: ${what}`);
    await world.run({ untilMs: world.nowMs + secondMs });
  }
}

/** Runs `work` to its end, on the world's time, within an hour. */
export async function played<T>(
  { world }: Pick<Crowd, 'world'>,
  work: () => Promise<T>,
): Promise<T> {
  let isOver = false;
  const running = work().finally(() => {
    isOver = true;
  });
  const end = await world.run({ until: () => isOver, untilMs: world.nowMs + hourMs });
  assert.equal(end, 'reached');
  return await running;
}
