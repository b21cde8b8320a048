/**
 * The course of a scenario in which partners cheat: they are found out within the time that the formulas give (detection.ts), `status` names them, nobody else is accused,
 * the owner is made whole, and its files come back with the cheats gone.
 */
import { present } from '../../base/assert.ts';
import { secondMs } from '../../base/units.ts';
import type { SimPeer } from '../sim-peer.ts';
import { cadenceOf, latestMs } from './detection.ts';
import type { Scenario, ScenarioEnd, ScenarioParts } from './scenario.ts';
import { Town } from './town.ts';

/** An owner and one of its partners, which begins to cheat. */
export interface Cheat {
  readonly town: Town;
  readonly owner: SimPeer;
  readonly cheat: SimPeer;
  /** Other partners of the owner, for cheats that do not work alone. */
  readonly friends: readonly SimPeer[];
}

/** What there is to find from now on. */
export interface Begun {
  readonly cheats: readonly SimPeer[];
  /** Milliseconds in which the formula has the last of them found, with 99 %. */
  readonly predictedMs: number;
  /** And on the average. */
  readonly averageMs: number;
}

export interface CheatOptions {
  readonly name: string;
  readonly about: string;
  readonly begin: (cheat: Cheat) => Begun;
  /** Whether bytes must prove it, or silence is enough. */
  readonly by: 'wrong' | 'silence';
  /** One file of the owner has so many bytes. */
  readonly largeBytes?: number;
}

/** Spread over two partners that hold data of it, so that it has several blocks at each. */
function writeLarge(town: Town, owner: SimPeer, bytes: number): void {
  owner.files.writeFile('/home/large', town.world.prng.fork('large').bytes(bytes));
}

export function cheating(options: CheatOptions): Scenario {
  const { name, about } = options;
  return { name, about, run: (parts) => runCheat(parts, options) };
}

async function runCheat(parts: ScenarioParts, options: CheatOptions): Promise<ScenarioEnd> {
  const town = new Town(parts, { peers: 7, owners: 1, wantedPartners: 4 });
  const owner = present(town.owners[0], 'an owner');
  if (options.largeBytes !== undefined) writeLarge(town, owner, options.largeBytes);
  const [snapshot] = await town.settle();
  const [first, ...friends] = town.world.prng.fork('cheats').shuffled(town.partnersOf(owner));
  const cheat = present(first, 'a cheat');
  const cadence = cadenceOf(owner, cheat);
  const begun = options.begin({ town, owner, cheat, friends });
  const { cheats, predictedMs, averageMs } = begun;
  const isFound = (peer: SimPeer): boolean =>
    options.by === 'wrong'
      ? wrongAudits(owner, peer) > 0
      : town.phaseAt(owner, peer) === 'suspended';
  const names = cheats.map((peer) => peer.name).join(' and ');
  const tookMs = await town.until(
    `${names} found out`,
    () => cheats.every(isFound),
    latestMs(predictedMs, cadence),
  );
  const told = (ms: number): string => `${Math.round(ms / secondMs)} s`;
  town.notes.push(
    `found out after ${told(tookMs)}, by the formula ${told(averageMs)} on the average and ${told(predictedMs)} with 99 %`,
  );
  requireNamed(town, owner, cheats);
  // A silent one is asked for all that it owes again and again, which only takes long to watch.
  if (options.by === 'silence') for (const peer of cheats) town.world.crash(peer.name);
  await town.untilWhole(owner, 'the cheat was found out');
  for (const peer of cheats) town.world.crash(peer.name);
  await town.mustRestore(owner, present(snapshot, 'a snapshot'));
  return town.end();
}

/** How often the owner has caught it with wrong bytes. */
function wrongAudits(owner: SimPeer, partner: SimPeer): number {
  const { agreements, audits } = owner.home.stores;
  const row = present(agreements.ofPartner(partner.keys.peerId), 'an agreement');
  return audits.account({ agreement: row.agreement, side: 'auditor' })?.wrong ?? 0;
}

/** Whoever made up for what it had wrong, and proved that, stands again: then what remains is its record. */
function requireNamed(town: Town, owner: SimPeer, cheats: readonly SimPeer[]): void {
  const { hindrances } = present(owner.computer, 'it runs').status();
  for (const { name, keys } of cheats)
    town.require(
      hindrances.some((each) => 'partner' in each && each.partner === keys.peerId) ||
        town.phaseAt(owner, town.peerOf(keys.peerId)) === 'standing',
      `status names ${name}`,
    );
  for (const peer of town.peers)
    if (!cheats.includes(peer))
      town.require(!town.holdsWrong(owner, peer), `${peer.name} was honest`);
}
