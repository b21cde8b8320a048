/**
 * Anything may go wrong for a while: messages are lost, repeated and late, links work one way, computers crash in the middle of writing, sleep, run out of disk,
 * and their clocks leap, while owners back up, partners leave and others come. Then all is mended, and everything must be well: whole, agreed, accounted for.
 */
import { Prng } from '../../base/prng.ts';
import { hourMs, minuteMs, secondMs } from '../../base/units.ts';
import type { SnapshotId } from '../../core/vocabulary/ids.ts';
import { durable, violations } from '../checkers.ts';
import { drawFaultPlan, type FaultPlan } from '../fault-plan.ts';
import { agreementsApart, unsignedInForce } from '../partnership-checkers.ts';
import type { SimPeer } from '../sim-peer.ts';
import type { Scenario, ScenarioEnd, ScenarioParts } from './scenario.ts';
import { type Contents, Town } from './town.ts';

const stormMs: number = 20 * minuteMs;

/** In proportion to the storm, which is shorter than G: no honest partner may be given up in it. */
const periods = {
  graceMs: hourMs,
  commitmentMs: 70 * minuteMs,
  noticeMs: 20 * minuteMs,
  deleteLockMs: 10 * minuteMs,
  spareAfterMs: 6 * minuteMs,
  auditIntervalMs: 2 * minuteMs,
  searchIntervalMs: 10 * secondMs,
  probeIntervalMs: 30 * secondMs,
  receiptPeriodMs: 5 * minuteMs,
  drillIntervalMs: 30 * minuteMs,
};

function planOf(seed: string, nodes: readonly string[]): FaultPlan {
  const draws = new Prng(`${seed}/weather`);
  const plan = drawFaultPlan(draws.fork('plan'), { nodes, durationMs: stormMs, steps: 120 });
  return {
    ...plan,
    crashes: plan.crashes.map((crash) => ({
      ...crash,
      downMs: Math.min(crash.downMs, 10 * minuteMs),
    })),
    clockJumps: plan.clockJumps.map((jump) => ({ ...jump, byMs: jump.byMs % (5 * minuteMs) })),
    suspensions: plan.suspensions.map((pause) => ({
      ...pause,
      forMs: Math.min(pause.forMs, draws.between(secondMs, 10 * minuteMs)),
    })),
    // Nobody's disk rots here: what is wrong would be the engine's fault.
    disks: plan.disks.map((disk) => ({
      ...disk,
      capacityBytes: disk.capacityBytes === undefined ? undefined : draws.between(1, 600_000),
      rotsAtMs: [],
    })),
  };
}

interface Kept {
  readonly owner: SimPeer;
  readonly id: SnapshotId;
  readonly contents: Contents;
}

async function runWeather(parts: ScenarioParts): Promise<ScenarioEnd> {
  const draws = new Prng(`${parts.seed}/size`);
  const [peers, owners] = [draws.between(6, 9), draws.between(1, 2)];
  const wantedPartners = draws.between(3, 4);
  const nodes = Array.from({ length: peers }, (_, number) => `peer ${number}`);
  const plan = planOf(parts.seed, nodes);
  const town = new Town(parts, { peers, owners, wantedPartners, plan, partnership: periods });
  const kept = await storm(town, draws);
  await town.wait(Math.max(0, plan.healsAtMs - town.world.nowMs));
  checkAlways(town);
  for (const owner of town.owners) await town.untilWhole(owner, 'the storm', 6 * hourMs);
  await town.until('all agree', () => agreementsApart(town.peers).length === 0, hourMs);
  checkAlways(town);
  for (const owner of town.owners) town.none(violations(owner, town.partnersOf(owner)));
  await loseAndRestore(town, kept);
  await loseHome(town, kept);
  town.notes.push(`${peers} computers, ${owners} with files, ${kept.length} snapshots`);
  return town.end();
}

/** What people do meanwhile. */
async function storm(town: Town, draws: Prng): Promise<readonly Kept[]> {
  const kept: Kept[] = [];
  for (let round = 0; round < 3; round += 1)
    for (const owner of town.owners) {
      await town.wait(draws.between(0, 3 * minuteMs));
      town.writeFile(owner, `round-${round}`);
      kept.push({ owner, ...(await town.backUp(owner)) });
      checkAlways(town);
      if (draws.chance(0.3)) await leaveOne(town, owner, draws);
    }
  return kept;
}

async function leaveOne(town: Town, owner: SimPeer, draws: Prng): Promise<void> {
  const partners = town.partnersOf(owner);
  if (partners.length === 0) return;
  const leaver = draws.pick(partners);
  const side = draws.chance(0.5) ? owner : leaver;
  const other = side === owner ? leaver : owner;
  const left = await town.play(side, (computer) => computer.leave(other.keys.peerId));
  town.notes.push(`${side.name} left ${other.name}${left.ok ? '' : `: ${left.error.code}`}`);
}

/** Whatever the weather. */
function checkAlways(town: Town): void {
  for (const peer of town.peers) town.none(unsignedInForce(peer, town.offeredBytes));
  for (const owner of town.peers)
    for (const partner of town.peers)
      town.require(!town.holdsWrong(owner, partner), `${partner.name} is honest`);
  for (const owner of town.peers)
    for (const { phase, partner } of durable(owner).agreements.all())
      town.require(phase !== 'reneged', `${town.peerOf(partner).name} was never away for G`);
}

/** As many holders as the code bears are lost; every snapshot still comes back, over the network. */
async function loseAndRestore(town: Town, kept: readonly Kept[]): Promise<void> {
  for (const owner of town.owners) {
    const { lost } = drawLosses(town, owner);
    for (const holder of lost) town.world.crash(holder.name);
    for (const snapshot of kept.filter((each) => each.owner === owner))
      await town.mustRestore(owner, snapshot);
    for (const holder of lost) town.world.restart(holder.name);
    // They are found again when they are asked for a sign of life.
    await town.wait(4 * periods.probeIntervalMs);
    await town.untilWhole(owner, 'some were away');
  }
}

/** The owner's home is lost as well, and the newest snapshot comes back on a new computer. */
async function loseHome(town: Town, kept: readonly Kept[]): Promise<void> {
  const owner = town.world.prng.fork('disaster').pick(town.owners);
  const { lost, left } = drawLosses(town, owner);
  for (const holder of lost) town.world.crash(holder.name);
  const heir = await town.recover(owner, left);
  const last = kept.findLast((each) => each.owner === owner);
  if (last !== undefined) await town.mustRestore(heir, last);
}

function drawLosses(
  town: Town,
  owner: SimPeer,
): { readonly lost: readonly SimPeer[]; readonly left: readonly SimPeer[] } {
  const bears = owner.computer?.status().bearableLosses ?? 0;
  town.require(bears > 0, `${owner.name} can bear a loss`);
  const holders = town.world.prng.fork(`${owner.name} losses`).shuffled(town.partnersOf(owner));
  return { lost: holders.slice(0, bears), left: holders.slice(bears) };
}

export const weather: Scenario = {
  name: 'weather',
  about:
    'faults of every kind for a while; afterwards all is whole, agreed, accounted for and restorable',
  run: runWeather,
};
