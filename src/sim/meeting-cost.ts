/**
 * What finding partners costs (C2): so many computers that never met, whole engines all of them, look for partners at once until everybody has enough; then they
 * are left alone. What each of them asked, answered and sent is counted.
 */
import { dayMs, hourMs, minuteMs } from '../base/units.ts';
import { isInForce } from '../core/partners/lifecycle-phase.ts';
import { fullShards } from '../core/placement/code-choice.ts';
import type { Kernels } from '../primitives/kernels/kernels.ts';
import { Census } from './census.ts';
import { drawInhabitants, type Neighbour, neighboursOf } from './neighbourhood.ts';
import { SimLink } from './sim-link.ts';
import { SimMeeting } from './sim-meeting.ts';
import { VirtualClock } from './virtual-clock.ts';
import { SimWorld } from './world.ts';

export interface MeetingCostOptions {
  readonly peers: number;
  readonly seed: string;
  readonly kernels: Kernels;
  /** How long the idle time is watched; what is counted is told for a day. */
  readonly idleHours: number;
  /** Of the computers, those that agree with strangers and want twenty partners; the others want eight. */
  readonly openShare: number;
  readonly onProgress?: (line: string) => void;
}

/** Of one stretch of time, for one computer. */
export interface Spent {
  /** Requests asked, by resource, on average. */
  readonly asked: ReadonlyMap<string, number>;
  readonly requests: number;
  /** Of the computer that asked most, and of the one that was asked most. */
  readonly mostAsked: number;
  readonly mostAnswered: number;
  /** Sent and received, on average. */
  readonly bytes: number;
  readonly lookups: number;
}

export interface MeetingCost {
  readonly peers: number;
  /** Virtual time until everybody had enough partners, or nobody found more. */
  readonly meetingMs: number;
  /** Those that want partners and have fewer than they want. */
  readonly short: number;
  readonly meeting: Spent;
  readonly idleDay: Spent;
}

const stepMs: number = minuteMs / 12;
const longestMs: number = 3 * hourMs;
const stepsMaximum = 1_000_000_000;

export async function meetingCost(options: MeetingCostOptions): Promise<MeetingCost> {
  const { peers, seed, kernels, idleHours, openShare, onProgress } = options;
  const world = new SimWorld(seed);
  const census = new Census();
  const link = new SimLink(world, { census });
  const meeting = new SimMeeting(new VirtualClock(world.timeline), world.prng.fork('meeting'));
  const inhabitants = drawInhabitants(world.prng.fork('people'), peers, { openShare });
  const neighbours = neighboursOf(inhabitants, { world, link, meeting, kernels });
  for (const { peer } of neighbours) peer.spawn();
  while (shortOf(neighbours) > 0 && world.nowMs < longestMs) {
    await world.run({ untilMs: world.nowMs + stepMs, maxSteps: stepsMaximum });
    onProgress?.(`${world.nowMs / 1_000} s: ${shortOf(neighbours)} of ${peers} want more partners`);
  }
  const meetingMs = world.nowMs;
  const met = spent(census, { peers, lookups: meeting.lookups, share: 1 });
  const short = shortOf(neighbours);
  // What was under way comes to its end first.
  await world.run({ untilMs: world.nowMs + 10 * minuteMs, maxSteps: stepsMaximum });
  const lookupsBefore = meeting.lookups;
  census.clear();
  const untilMs = world.nowMs + idleHours * hourMs;
  while (world.nowMs < untilMs) {
    await world.run({ untilMs: Math.min(untilMs, world.nowMs + hourMs), maxSteps: stepsMaximum });
    onProgress?.(`${Math.round(world.nowMs / minuteMs)} min: idle`);
  }
  const share = dayMs / (idleHours * hourMs);
  const idleDay = spent(census, { peers, lookups: meeting.lookups - lookupsBefore, share });
  return { peers, meetingMs, short, meeting: met, idleDay };
}

/** How many want partners and have fewer than they want. */
function shortOf(neighbours: readonly Neighbour[]): number {
  return neighbours.filter(({ inhabitant, peer }) => {
    if (inhabitant.wantedBytes === 0) return false;
    const rows = peer.home.stores.agreements.all();
    const have = rows.filter(({ phase }) => isInForce(phase)).length;
    return have < fullShards({ preset: inhabitant.preset });
  }).length;
}

function spent(
  census: Census,
  {
    peers,
    lookups,
    share,
  }: { readonly peers: number; readonly lookups: number; readonly share: number },
): Spent {
  const asked = new Map<string, number>();
  const most = { asked: 0, answered: 0 };
  let bytes = 0;
  for (const counts of census.peers.values()) {
    const one = { asked: 0, answered: 0 };
    for (const [resource, count] of counts) {
      asked.set(resource, (asked.get(resource) ?? 0) + (count.asked * share) / peers);
      one.asked += count.asked;
      one.answered += count.answered;
      bytes += count.bytes;
    }
    most.asked = Math.max(most.asked, one.asked);
    most.answered = Math.max(most.answered, one.answered);
  }
  return {
    asked,
    requests: [...asked.values()].reduce((sum, count) => sum + count, 0),
    mostAsked: Math.round(most.asked * share),
    mostAnswered: Math.round(most.answered * share),
    bytes: (bytes * share) / peers,
    lookups: (lookups * share) / peers,
  };
}
