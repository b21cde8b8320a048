/**
 * Partners that live on what others keep for them meanwhile: one goes when it may restore and comes back with nothing, one comes back, pays and goes again, one takes
 * a new name whenever the old one is burnt. None may ever have more byte-hours than it gave (gain.ts): C is longer than G, and begins anew.
 */
import { present } from '../../base/assert.ts';
import { mebi, minuteMs, secondMs } from '../../base/units.ts';
import { bytesLentBy } from '../../core/agreements/agreement.ts';
import { agreementOf } from '../../engine/partners/partner-space.ts';
import type { SimPeer } from '../sim-peer.ts';
import { VirtualClock } from '../virtual-clock.ts';
import { isLossNotice } from './conduct.ts';
import { cadenceOf, firstAuditMs, latestMs } from './detection.ts';
import { type FairTown, fairTown, fileBytes, requireNoGain } from './fair-town.ts';
import { GainMeter } from './gain.ts';
import type { Scenario, ScenarioEnd, ScenarioParts } from './scenario.ts';
import { Town, townPeriods } from './town.ts';

const { spareAfterMs, graceMs, commitmentMs, probeIntervalMs } = townPeriods;

/** Seldom, for the sake of processor time: so that more is lived through. */
export const auditIntervalMs: number = 40 * secondMs;

/** Its engine would say what it lost; nobody hears that. */
export function keepQuiet(town: Town, cheat: SimPeer): void {
  town.conductOf(cheat).asks = async ({ request, send }) =>
    isLossNotice(request, cheat.keys.peerId)
      ? { ok: false, error: { code: 'peer.unreachable', detail: 'not sent' } }
      : await send(request);
}

/** It keeps nothing of what it took so far. */
export function loseAll({ home }: SimPeer): void {
  for (const blob of home.held.wholeNames()) home.held.lose(blob);
}

/** Whatever comes in is thrown away soon after it was acknowledged, and nobody is told. */
export function keepNothing(town: Town, cheat: SimPeer): void {
  keepQuiet(town, cheat);
  const clock = new VirtualClock(town.world.timeline);
  const drop = async (): Promise<void> => {
    for (;;) {
      loseAll(cheat);
      await clock.sleep(secondMs);
    }
  };
  drop().catch((reason: unknown) => town.fail(String(reason)));
}

async function runHopper(parts: ScenarioParts): Promise<ScenarioEnd> {
  const hop = fairTown(parts);
  const { town, cheat: hopper, victims } = hop;
  const snapshots = await town.settle();
  const first = present(victims[0], 'an owner');
  const cadence = cadenceOf(first, hopper);
  // Gone with everything, as soon as it could restore.
  town.world.crash(hopper.name);
  loseAll(hopper);
  for (const name of ['newcomer 0', 'newcomer 1']) town.arrive(name, 'lender');
  const all = (phase: string) => () =>
    victims.every((victim) => town.phaseAt(victim, hopper) === phase);
  const missedMs = await town.until(
    'it is missed',
    all('suspended'),
    latestMs(spareAfterMs, cadence),
  );
  town.notes.push(`missed after ${missedMs / secondMs} s, T_r is ${spareAfterMs / secondMs} s`);
  const leftMs = graceMs + probeIntervalMs + latestMs(0, cadence) + graceMs / 8 - missedMs;
  const renegedMs = missedMs + (await town.until('it reneged', all('reneged'), leftMs));
  town.notes.push(`reneged after ${renegedMs / secondMs} s, G is ${graceMs / secondMs} s`);
  for (const victim of victims) await town.untilWhole(victim, 'the hopper was gone');
  const usable = hop.gain.usable;
  keepNothing(town, hopper);
  town.world.restart(hopper.name);
  await town.wait(commitmentMs);
  town.require(hop.gain.usable === usable, 'nothing is given back before C has passed once more');
  for (const [at, victim] of victims.entries()) {
    await town.untilWhole(victim, 'the hopper came back');
    await town.mustRestore(victim, present(snapshots[at], 'a snapshot'));
  }
  requireNoGain(hop);
  return town.end();
}

async function runRenewer(parts: ScenarioParts): Promise<ScenarioEnd> {
  const fair = fairTown(parts, { auditIntervalMs });
  const { town, cheat: renewer, victims, gain } = fair;
  const snapshots = await town.settle();
  const cadence = cadenceOf(present(victims[0], 'an owner'), renewer);
  const are = (phase: string) => (): boolean =>
    victims.every((victim) => town.phaseAt(victim, renewer) === phase);
  const hop = async (): Promise<void> => {
    town.world.crash(renewer.name);
    loseAll(renewer);
    const tookMs = await town.until('it reneged', are('reneged'), latestMs(graceMs, cadence));
    town.notes.push(`reneged after ${tookMs / secondMs} s, G is ${graceMs / secondMs} s`);
  };
  await hop();
  const usable = gain.usable;
  // What it stored is still kept, and its engine asks to be taken back: from now on it serves.
  town.world.restart(renewer.name);
  const isBack = are('in-commitment');
  const backMs = await town.until('it is taken back', isBack, latestMs(spareAfterMs, cadence));
  const earlyMs = latestMs(0, cadence);
  // The first of them may have taken it back at once.
  await town.wait(Math.max(0, commitmentMs - earlyMs - backMs));
  town.require(are('in-commitment')(), 'commitment begins anew');
  town.require(gain.usable === usable, 'nothing is given back before C has passed once more');
  const lateMs = latestMs(earlyMs + backMs, cadence);
  const leftMs = await town.until('it is over', are('standing'), lateMs);
  const paidMs = Math.max(backMs, commitmentMs - earlyMs) + leftMs;
  town.notes.push(`paid for ${paidMs / secondMs} s more, C is ${commitmentMs / secondMs} s`);
  for (const victim of victims) await town.untilWhole(victim, 'the renewer paid');
  await hop();
  town.require(gain.usable > usable, 'whoever paid may restore');
  await nobodyElseIsToBlame(fair, snapshots);
  requireNoGain(fair);
  return town.end();
}

/** The victims have all that was theirs, and hold nothing against others than the cheat. */
export async function nobodyElseIsToBlame(
  { town, cheat, victims }: FairTown,
  snapshots: Awaited<ReturnType<Town['settle']>>,
): Promise<void> {
  for (const [at, victim] of victims.entries()) {
    await town.mustRestore(victim, present(snapshots[at], 'a snapshot'));
    for (const peer of town.peers)
      if (peer !== cheat) town.require(!town.holdsWrong(victim, peer), `${peer.name} was honest`);
  }
}

/** So many names, one after the other. */
const lives = 3;
/** What strangers lend each other at first. */
const rampBytes: number = 64 * mebi;

async function runWhitewasher(parts: ScenarioParts): Promise<ScenarioEnd> {
  const partnership = { rampBytes, rampStepMs: 4 * minuteMs };
  const town = new Town(parts, { peers: 5, owners: 2, wantedPartners: 4, partnership, fileBytes });
  const [one, other] = [present(town.owners[0], 'an owner'), present(town.owners[1], 'another')];
  const honest = new GainMeter(town, one, [other]);
  const [snapshot] = await town.settle();
  // Somebody goes for good, so that a place is free.
  town.world.crash(present(town.peers.at(-1), 'a lender').name);
  const gains: GainMeter[] = [];
  let washer: SimPeer | undefined;
  for (let life = 0; life < lives; life += 1) {
    if (washer !== undefined) town.world.crash(washer.name);
    washer = town.arrive(`washer ${life}`, 'owner');
    gains.push(new GainMeter(town, washer, [one, other]));
    await lifeOf(town, washer, one);
  }
  const burnt = town.peers.filter(({ name }) => name.startsWith('washer'));
  if (washer !== undefined) town.world.crash(washer.name);
  const isOver = (peer: SimPeer): boolean =>
    [one, other].every((owner) => town.phaseAt(owner, peer) !== 'standing');
  town.require(burnt.every(isOver), 'no name ever comes out of commitment');
  await town.until('the first name reneged', () => town.phaseAt(one, at(burnt, 0)) === 'reneged');
  const usable = gains.reduce((sum, gain) => sum + gain.usable, 0);
  town.notes.push(
    ...gains.map((gain, life) => `life ${life}: ${gain}`),
    `an honest peer ${honest}`,
  );
  town.require(usable === 0, 'nothing is given back to any of its names');
  town.require(
    gains.every(({ gain }) => gain <= 0),
    'it has nothing for nothing',
  );
  town.require(usable <= honest.usable, 'an honest peer has more of others');
  town.arrive('a newcomer', 'lender');
  await town.untilWhole(one, 'the names were burnt');
  await town.mustRestore(one, present(snapshot, 'a snapshot'));
  return town.end();
}

const at = (peers: readonly SimPeer[], index: number): SimPeer => present(peers[index], 'a peer');

/** Becomes a partner as everybody does at first, takes what it is sent, keeps none of it, and is found out by the next audit. */
async function lifeOf(town: Town, washer: SimPeer, owner: SimPeer): Promise<void> {
  const { peerId } = washer.keys;
  const rowOf = () => owner.home.stores.agreements.ofPartner(peerId);
  await town.until(`${washer.name} is taken`, () => town.phaseAt(owner, washer) !== undefined);
  await town.until(`${washer.name} is in force`, () => town.phaseAt(owner, washer) !== 'proposed');
  const row = present(rowOf(), 'an agreement');
  town.require(row.phase === 'in-commitment', 'a new name is in commitment');
  town.require(bytesLentBy(agreementOf(row), owner.keys.peerId) <= rampBytes, 'and at the ramp');
  await town.backUp(washer);
  const holds = (): boolean =>
    owner.home.stores.shards.ofPartner(peerId).some(({ phase }) => phase === 'held');
  await town.until(`${washer.name} is sent shards`, holds);
  keepNothing(town, washer);
  const cadence = cadenceOf(owner, washer);
  const predictedMs = firstAuditMs(owner, washer);
  const isFound = (): boolean => town.holdsWrong(owner, washer);
  const tookMs = await town.until('it is found out', isFound, latestMs(predictedMs, cadence));
  town.notes.push(`found out after ${tookMs / secondMs} s`);
}

export const hopperScenarios: readonly Scenario[] = [
  {
    name: 'grace-hopper',
    about:
      'a partner goes with everything when it may restore, and comes back: C is longer than G, and begins anew',
    run: runHopper,
  },
  {
    name: 'renewer',
    about:
      'a partner goes with everything, comes back while what it stored is kept, pays C, and goes again: it gained nothing',
    run: runRenewer,
  },
  {
    name: 'whitewasher',
    about:
      'a partner keeps nothing and takes a new name whenever it was found out: each begins at the ramp and in commitment',
    run: runWhitewasher,
  },
];
