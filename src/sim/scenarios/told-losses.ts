/**
 * Partners that say, signed, that they lost everything, and live on being believed: one goes for good with its word given, one comes back again and again. A told loss
 * costs what was not served (docs/decisions/0014), so neither ever has more byte-hours than it gave (gain.ts).
 */
import { present } from '../../base/assert.ts';
import { mebi, secondMs } from '../../base/units.ts';
import { signNotice } from '../../core/wire/notice.ts';
import type { SimPeer } from '../sim-peer.ts';
import { VirtualClock } from '../virtual-clock.ts';
import { bytesOfBody } from './conduct.ts';
import { cadenceOf, latestMs } from './detection.ts';
import { type FairTown, fairTown, requireNoGain } from './fair-town.ts';
import { auditIntervalMs, keepQuiet, loseAll, nobodyElseIsToBlame } from './hoppers.ts';
import type { Scenario, ScenarioEnd, ScenarioParts } from './scenario.ts';
import { townPeriods } from './town.ts';

const { spareAfterMs, graceMs } = townPeriods;

/** Everybody is told at once that everything is lost, past the engine of whoever says so. */
async function tellOfLoss({ town, cheat, victims }: FairTown): Promise<void> {
  const time = new VirtualClock(town.world.timeline).now();
  const [by, transport] = [cheat.keys.peerId, town.link.network.transport(cheat.keys.peerId)];
  const subject = { type: 'lost-data', shards: [] } as const;
  for (const { keys } of victims) {
    const row = cheat.home.stores.agreements.ofPartner(keys.peerId);
    const { agreement } = present(row, 'an agreement');
    const body = signNotice({ agreement, by, time, subject }, cheat.keys.identitySeed);
    const reply = await transport.request(town.link.address(keys.peerId), {
      ...{ method: 'POST', path: '/v1/notices', body },
    });
    if (reply.ok) await bytesOfBody(reply.value.body);
    town.world.note('loss.told', { accepted: reply.ok && reply.value.status < 300 });
  }
}

/** Every stripe of it has all of its shards at partners that can be counted on, though restores may not be honoured by all of them yet. */
function isRedundant({ computer }: SimPeer): boolean {
  const status = computer?.status();
  if (status === undefined) return false;
  const { health, repair } = status;
  return health.stripes > 0 && health.whole === health.stripes && repair.stripes === 0;
}

async function runLossHopper(parts: ScenarioParts): Promise<ScenarioEnd> {
  const fair = fairTown(parts, { auditIntervalMs });
  const { town, cheat: hopper, victims, gain } = fair;
  const snapshots = await town.settle();
  const cadence = cadenceOf(present(victims[0], 'an owner'), hopper);
  // Gone with everything as soon as it could restore, and with its word for it.
  loseAll(hopper);
  await town.play(hopper, () => tellOfLoss(fair));
  town.world.crash(hopper.name);
  const wentMs = town.world.nowMs;
  const goneMs = (): number => town.world.nowMs - wentMs;
  town.arrive('a newcomer', 'lender');
  const are = (phase: string) => () =>
    victims.every((victim) => town.phaseAt(victim, hopper) === phase);
  const usable = gain.usable;
  await town.until('it is missed', are('suspended'), latestMs(spareAfterMs, cadence));
  town.notes.push(`missed after ${goneMs() / secondMs} s, T_r is ${spareAfterMs / secondMs} s`);
  const leftMs = latestMs(spareAfterMs, cadence);
  await town.until('all is placed elsewhere', () => victims.every(isRedundant), leftMs);
  town.notes.push(`made up for after ${goneMs() / secondMs} s`);
  town.require(gain.usable > usable, 'whoever lost everything may restore');
  await town.wait(latestMs(0, cadence) + graceMs - goneMs());
  town.require(are('suspended')(), 'G stood still');
  const given = gain.usable;
  const overMs = latestMs(2 * graceMs, cadence) - goneMs();
  await town.until('it reneged', are('reneged'), overMs);
  town.notes.push(`reneged after ${goneMs() / secondMs} s, G is ${graceMs / secondMs} s`);
  town.require(gain.usable === given, 'nothing is given when G would have been over');
  await nobodyElseIsToBlame(fair, snapshots);
  requireNoGain(fair);
  return town.end();
}

const rounds = 3;
/** Of G, so long is it gone each time: not long enough to have reneged. */
const absentShare = 0.8;

async function runLossCrier(parts: ScenarioParts): Promise<ScenarioEnd> {
  const fair = fairTown(parts, { auditIntervalMs });
  const { town, cheat: crier, victims, gain } = fair;
  const snapshots = await town.settle();
  // Its engine would tell of the losses as well, in its own time.
  keepQuiet(town, crier);
  for (let round = 1; round <= rounds; round += 1) {
    const usable = gain.usable;
    loseAll(crier);
    town.world.crash(crier.name);
    await town.wait(absentShare * graceMs);
    const proofs = victims.map((victim) => proofsOf(victim, crier));
    town.world.restart(crier.name);
    await town.play(crier, () => tellOfLoss(fair));
    const isSent = (): boolean =>
      victims.every(
        (victim, at) => proofsOf(victim, crier) > (proofs[at] ?? 0) && has(victim, crier),
      );
    const tookMs = await town.within(graceMs / 4, isSent);
    // Otherwise nothing was tried. Who is asked in the same moment in which it tells is caught.
    const isCaught = victims.some((victim) => town.holdsWrong(victim, crier));
    const isTried = tookMs !== undefined || isCaught;
    town.require(round > 1 || isTried, 'whoever lost everything is sent it again');
    town.require(round < rounds || gain.usable === usable, 'nothing is given to it at last');
    const phases = victims.map((victim) => town.phaseAt(victim, crier)).join(', ');
    const mebis = ((gain.usable - usable) / mebi).toFixed(3);
    const told =
      tookMs === undefined ? 'not sent everything' : `sent everything in ${tookMs / secondMs} s`;
    town.notes.push(`round ${round}: ${told}, ${phases}, ${mebis} MiB h usable`);
  }
  loseAll(crier);
  town.world.crash(crier.name);
  await nobodyElseIsToBlame(fair, snapshots);
  requireNoGain(fair);
  return town.end();
}

/** How often `partner` proved to `owner` that it holds something. */
function proofsOf(owner: SimPeer, partner: SimPeer): number {
  const { agreements, audits } = owner.home.stores;
  const row = present(agreements.ofPartner(partner.keys.peerId), 'an agreement');
  return audits.account({ agreement: row.agreement, side: 'auditor' })?.passed ?? 0;
}

/** All that the owner wants to be there is. */
function has(owner: SimPeer, partner: SimPeer): boolean {
  const shards = owner.home.stores.shards.ofPartner(partner.keys.peerId);
  return shards.length > 0 && shards.every(({ phase }) => phase === 'held');
}

export const toldLosses: readonly Scenario[] = [
  {
    name: 'loss-hopper',
    about:
      'a partner says that it lost everything and goes when it may restore: nothing is given when G would be over',
    run: runLossHopper,
  },
  {
    name: 'loss-crier',
    about:
      'a partner is gone for most of G and lost everything, again and again: what it did not serve is due',
    run: runLossCrier,
  },
];
