/**
 * Computers that have never heard of each other, as different as those of real people: where and when they are there, how fast they are, what they lend and
 * run, and how they behaved before.
 *
 * All is drawn from the world's seed. What a computer would have measured of itself in the weeks before lies in its stores when it first starts.
 */
import { assert, present } from '../base/assert.ts';
import type { Prng } from '../base/prng.ts';
import { dayMs, gibi, hourMs, instant, kibi, mebi } from '../base/units.ts';
import {
  beginObservation,
  encodeObservation,
  type Observation,
  observeStretch,
  observeTransfer,
} from '../core/partners/observation.ts';
import type { Place, Preset } from '../core/wire/profile.ts';
import type { PartnershipSettings } from '../engine/partners/partnership-settings.ts';
import type { Kernels } from '../primitives/kernels/kernels.ts';
import type { SimLink } from './sim-link.ts';
import type { SimMeeting } from './sim-meeting.ts';
import { SimPeer } from './sim-peer.ts';
import { worldBegins } from './virtual-clock.ts';
import type { SimWorld } from './world.ts';

/** One computer, as it really is. */
export interface Inhabitant {
  readonly preset: Preset;
  readonly place: Required<Pick<Place, 'household' | 'country'>> & Place;
  readonly networkPrefix: string;
  readonly system: string;
  readonly systemVersion: string;
  readonly architecture: string;
  /** Hours of the day (UTC) in which it is on line: from, and for how long. */
  readonly hours: { readonly from: number; readonly count: number };
  /** Average bytes a second, up and down. */
  readonly bandwidth: number;
  readonly offeredBytes: number;
  /** 0: it only lends. undefined: as much as it lends. */
  readonly wantedBytes: number | undefined;
  /** Average bytes a second that it demands of others. */
  readonly demandedBandwidth: number;
}

const countries: readonly (readonly [string, number, number])[] = [
  ['DE', 51, 10],
  ['PT', 39, -9],
  ['NO', 60, 10],
  ['CA', 45, -75],
  ['US', 37, -122],
  ['BR', -23, -46],
  ['ZA', -34, 18],
  ['KE', -1, 37],
  ['IN', 19, 73],
  ['JP', 36, 140],
  ['AU', -34, 151],
  ['NZ', -41, 175],
];

const systems: readonly (readonly [string, readonly string[]])[] = [
  ['linux', ['6.1', '6.8', '6.12']],
  ['windows', ['10', '11']],
  ['darwin', ['23', '24']],
];

/** Always, in the evening, at work, at night: as often as their weights say. */
const habits: readonly (readonly [number, { readonly from: number; readonly count: number }])[] = [
  [6, { from: 0, count: 24 }],
  [2, { from: 15, count: 9 }],
  [2, { from: 8, count: 10 }],
  [1, { from: 22, count: 8 }],
];

/** Most live alone; some share a household, and with it a network. `openShare`: of them, those that agree with strangers. */
export function drawInhabitants(
  prng: Prng,
  count: number,
  { openShare = 0.3 }: { readonly openShare?: number } = {},
): readonly Inhabitant[] {
  const inhabitants: Inhabitant[] = [];
  let home: Pick<Inhabitant, 'place' | 'networkPrefix'> | undefined;
  for (let number = 0; number < count; number += 1) {
    const draws = prng.fork(number);
    home = home !== undefined && draws.chance(0.15) ? home : drawHome(draws, number);
    inhabitants.push({ ...home, ...drawComputer(draws, openShare) });
  }
  return inhabitants;
}

function drawHome(draws: Prng, number: number): Pick<Inhabitant, 'place' | 'networkPrefix'> {
  const [country, latitude, longitude] = draws.pick(countries);
  return {
    place: {
      household: `household ${number}`,
      country,
      coordinates: {
        latitude: latitude + draws.between(-3, 3),
        longitude: longitude + draws.between(-3, 3),
      },
    },
    networkPrefix: `${20 + Math.floor(number / 65_536)}.${Math.floor(number / 256) % 256}.${number % 256}.0/24`,
  };
}

function drawComputer(draws: Prng, openShare: number): Omit<Inhabitant, 'place' | 'networkPrefix'> {
  const [system, versions] = draws.pick(systems);
  const bandwidth = draws.pick([128 * kibi, mebi, 4 * mebi, 16 * mebi]);
  const onlyLends = draws.chance(0.04);
  return {
    preset: draws.chance(openShare) ? 'open' : 'circle',
    system,
    systemVersion: draws.pick(versions),
    architecture: draws.pick(['x64', 'x64', 'arm64']),
    hours: drawHabit(draws),
    bandwidth,
    offeredBytes: draws.pick([12, 50, 200, 1_000]) * (onlyLends ? 16 : 1) * gibi,
    wantedBytes: onlyLends ? 0 : undefined,
    demandedBandwidth: draws.chance(0.2) ? 512 * kibi : 0,
  };
}

function drawHabit(draws: Prng): Inhabitant['hours'] {
  let left = draws.below(habits.reduce((sum, [weight]) => sum + weight, 0));
  for (const [weight, hours] of habits) {
    if (left < weight) return hours;
    left -= weight;
  }
  return present(habits[0], 'a habit')[1];
}

const weeksBefore = 2;

/** What the computer measured of itself before the world began. */
export function pastOf({ hours, bandwidth }: Inhabitant): Observation {
  const days = weeksBefore * 7;
  const first = instant(worldBegins - (days + 1) * dayMs);
  let past = beginObservation(first);
  for (let day = 0; day < days; day += 1) {
    const begin = instant(first + day * dayMs + hours.from * hourMs);
    const end = instant(begin + hours.count * hourMs);
    past = observeStretch(past, { from: begin, until: end, online: true });
    const next = instant(begin + dayMs);
    past = observeStretch(past, { from: end, until: next, online: false });
  }
  for (const direction of ['up', 'down'] as const)
    past = observeTransfer(past, { direction, bytes: bandwidth * 60, durationMs: 60_000 });
  // It has just been started again: the night before the world began says nothing.
  return { ...past, lastSeenAt: worldBegins };
}

export interface NeighbourhoodParts {
  readonly world: SimWorld;
  readonly link: SimLink;
  readonly meeting?: SimMeeting;
  readonly kernels: Kernels;
  /** What differs from the defaults, for all. */
  readonly partnership?: Partial<PartnershipSettings>;
  /** What a spool and its cache may take; small, for there are many. */
  readonly spoolCapBytes?: number;
}

/** One computer as it really is, and the engine that runs on it. */
export interface Neighbour {
  readonly inhabitant: Inhabitant;
  readonly peer: SimPeer;
}

/** The computers of these people, not started yet. */
export function neighboursOf(
  inhabitants: readonly Inhabitant[],
  parts: NeighbourhoodParts,
): readonly Neighbour[] {
  return inhabitants.map((inhabitant, number) => {
    const { world, link, meeting, kernels, spoolCapBytes } = parts;
    const { offeredBytes, system, architecture } = inhabitant;
    const peer = new SimPeer({
      ...{ world, link, kernels, name: `peer ${number}` },
      ...(meeting === undefined ? {} : { meeting }),
      ...(spoolCapBytes === undefined ? {} : { spoolCapBytes }),
      settings: {
        ...{ offeredBytes, system, architecture },
        partnership: { ...partnershipOf(inhabitant), ...parts.partnership },
      },
    });
    const { stores } = peer.home;
    stores.observations.put(peer.keys.peerId, encodeObservation(pastOf(inhabitant)));
    return { inhabitant, peer };
  });
}

function partnershipOf(inhabitant: Inhabitant): Partial<PartnershipSettings> {
  const { preset, place, networkPrefix, systemVersion, wantedBytes, demandedBandwidth } =
    inhabitant;
  assert(place.household !== undefined, 'everybody lives somewhere');
  return {
    ...{ seek: true, preset, place, networkPrefix, systemVersion, wantedBytes },
    bandwidth: demandedBandwidth,
  };
}
