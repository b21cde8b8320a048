/** What this computer says about itself, signed anew whenever somebody asks. */
import type { Bytes } from '../base/bytes.ts';
import type { OwnerKeys } from '../core/sealing/keys.ts';
import { type Profile, signProfile } from '../core/wire/profile.ts';
import type { ComputerPorts, ComputerSettings } from './computer.ts';
import type { PartnershipSettings } from './partnership-settings.ts';

export interface OwnProfileParts {
  readonly ports: ComputerPorts;
  readonly keys: OwnerKeys;
  readonly settings: ComputerSettings;
  readonly partnership: PartnershipSettings;
}

export function ownProfile(parts: OwnProfileParts): Bytes {
  return signProfile(profileNow(parts), parts.keys.identitySeed);
}

export function profileNow({ ports, keys, settings, partnership }: OwnProfileParts): Profile {
  const { name, programVersion, system, architecture, offeredBytes } = settings;
  const { place, networkPrefix, systemVersion, preset } = partnership;
  return {
    peer: keys.peerId,
    name,
    protocols: [1],
    program: programVersion,
    system,
    ...(systemVersion === '' ? {} : { osVersion: systemVersion }),
    architecture,
    place,
    ...(networkPrefix === undefined ? {} : { networkPrefix }),
    offeredBytes,
    wantedBytes: partnership.wantedBytes,
    presets: [preset],
    references: [],
    time: ports.clock.now(),
  };
}
