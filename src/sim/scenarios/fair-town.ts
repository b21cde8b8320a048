/**
 * A town in which what a cheat gains can be told: three that back up equally much, two of them honest, and two that lend. Everybody is everybody's partner, and
 * meters run from the beginning, so that the commitment that each pays counts.
 */
import { present } from '../../base/assert.ts';
import type { PartnershipSettings } from '../../engine/partners/partnership-settings.ts';
import type { SimPeer } from '../sim-peer.ts';
import { GainMeter } from './gain.ts';
import type { ScenarioParts } from './scenario.ts';
import { Town } from './town.ts';

/** So small that everybody has as much at each of its partners: a block of each stripe. */
export const fileBytes = 20_000;

export interface FairTown {
  readonly town: Town;
  readonly cheat: SimPeer;
  readonly victims: readonly SimPeer[];
  readonly gain: GainMeter;
  /** Of one of the honest, with the other. */
  readonly honest: GainMeter;
}

export function fairTown(
  parts: ScenarioParts,
  partnership: Partial<PartnershipSettings> = {},
): FairTown {
  const options = { peers: 5, owners: 3, wantedPartners: 4, fileBytes, partnership };
  const town = new Town(parts, options);
  const [one, other, third] = town.owners;
  const victims = [present(one, 'an owner'), present(other, 'another')];
  const cheat = present(third, 'a third');
  const honest = new GainMeter(town, present(one, 'an owner'), victims.slice(1));
  return { town, cheat, victims, gain: new GainMeter(town, cheat, victims), honest };
}

/** It never has more than it gave, nor more use of what it stored than an honest peer of its town has. */
export function requireNoGain({ town, gain, honest }: FairTown): void {
  town.notes.push(`gain ${gain}`, `an honest peer ${honest}`);
  for (const { failure } of [gain, honest])
    town.require(failure === undefined, `all is counted: ${failure}`);
  town.require(gain.gain <= 0, `it has nothing for nothing: ${gain}`);
  town.require(gain.usableShare <= honest.usableShare, 'an honest peer has more use of others');
}
