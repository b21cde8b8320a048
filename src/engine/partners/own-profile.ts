/** What this computer says about itself, signed anew whenever somebody asks. */
import type { Bytes } from '../../base/bytes.ts';
import { bandwidthOf, type Observation, scheduleOf } from '../../core/partners/observation.ts';
import type { OwnerKeys } from '../../core/sealing/keys.ts';
import { type Profile, signProfile } from '../../core/wire/profile.ts';
import { spokenProtocols } from '../../core/wire/protocol.ts';
import type { Reference } from '../../core/wire/reference.ts';
import type { ComputerPorts, ComputerSettings } from '../computer.ts';
import type { PartnershipSettings } from './partnership-settings.ts';

/** What was measured of this computer, and what can be asked about it. */
export interface OwnStanding {
  readonly observation: Observation | undefined;
  readonly references: readonly Reference[];
  /** Space that nobody was promised yet. */
  readonly freeBytes: number;
}

export interface OwnProfileParts {
  readonly ports: ComputerPorts;
  readonly keys: OwnerKeys;
  readonly settings: ComputerSettings;
  readonly partnership: PartnershipSettings;
  readonly standing: () => OwnStanding;
}

export function ownProfile(parts: OwnProfileParts): Bytes {
  return signProfile(profileNow(parts), parts.keys.identitySeed);
}

function profileNow(parts: OwnProfileParts): Profile {
  const { ports, keys, settings, partnership } = parts;
  const { observation, references, freeBytes } = parts.standing();
  const { name, programVersion, system, architecture, offeredBytes } = settings;
  const { place, networkPrefix, systemVersion, preset } = partnership;
  return {
    peer: keys.peerId,
    name,
    protocols: spokenProtocols,
    program: programVersion,
    system,
    ...(systemVersion === '' ? {} : { osVersion: systemVersion }),
    architecture,
    place,
    ...(networkPrefix === undefined ? {} : { networkPrefix }),
    ...measured(observation),
    offeredBytes: freeBytes,
    wantedBytes: partnership.wantedBytes ?? offeredBytes,
    presets: [preset],
    references,
    time: ports.clock.now(),
  };
}

function measured(observation: Observation | undefined): Partial<Profile> {
  if (observation === undefined) return {};
  const schedule = scheduleOf(observation);
  const [up, down] = [bandwidthOf(observation, 'up'), bandwidthOf(observation, 'down')];
  return {
    ...(schedule === undefined ? {} : { schedule }),
    ...(up === undefined ? {} : { upBytesPerSecond: up }),
    ...(down === undefined ? {} : { downBytesPerSecond: down }),
  };
}
