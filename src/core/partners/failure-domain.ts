/**
 * What computers may fail together with (C23): one household or network, one system and version; and how far apart they are.
 *
 * Traits are what a profile says, with what was seen of the peer put in the place of what it says of itself.
 */
import type { FailureDomains } from '../placement/failure-domains.ts';
import type { Coordinates, Profile } from '../wire/profile.ts';

export interface Traits {
  readonly household?: string;
  readonly networkPrefix?: string;
  /** It stands on the local network of this computer, as this computer itself does. Two processes of one computer say nothing of it. */
  readonly atHome?: boolean;
  readonly country?: string;
  readonly coordinates?: Coordinates;
  readonly system?: string;
  readonly osVersion?: string;
  readonly architecture?: string;
  readonly program?: string;
}

/** What this computer itself saw of a peer. */
export interface Sight {
  /** `networkPrefixOf` the address from which it speaks. */
  readonly networkPrefix?: string | undefined;
  readonly atHome?: boolean | undefined;
}

/** The traits of a peer; of one without a profile, what was seen. */
export function traitsOf(profile: Profile | undefined, sight: Sight = {}): Traits {
  const networkPrefix = sight.networkPrefix ?? profile?.networkPrefix;
  const seen = {
    ...(networkPrefix === undefined ? {} : { networkPrefix }),
    ...(sight.atHome === undefined ? {} : { atHome: sight.atHome }),
  };
  if (profile === undefined) return seen;
  const { system, osVersion, architecture, program, place } = profile;
  return {
    ...seen,
    ...place,
    system,
    ...(osVersion === undefined ? {} : { osVersion }),
    architecture,
    program,
  };
}

/**
 * The domains as placement counts them. A network is believed before a household: it can be seen, and who wants to pass for many must not be able to choose.
 */
export function domainsOf(traits: Traits): FailureDomains {
  const place = placeOf(traits);
  const system = systemOf(traits);
  return { ...(place === undefined ? {} : { place }), ...(system === undefined ? {} : { system }) };
}

function placeOf({ networkPrefix, household }: Traits): string | undefined {
  if (networkPrefix !== undefined) return networkPrefix;
  return household === undefined ? undefined : `household ${household}`;
}

/** System and version, `linux 6.8`; undefined when not even the system is known. */
export function systemOf({ system, osVersion }: Traits): string | undefined {
  if (system === undefined || system === '') return undefined;
  return osVersion === undefined ? system : `${system} ${osVersion}`;
}

/** Whether the two stand in one household or behind one network, as far as is known. */
export function sharePlace(left: Traits, right: Traits): boolean {
  return (
    sameKnown(left.household, right.household) ||
    sameKnown(left.networkPrefix, right.networkPrefix) ||
    (left.atHome === true && right.atHome === true)
  );
}

/** Equal, and not both unknown. */
export function sameKnown(left: string | undefined, right: string | undefined): boolean {
  return left !== undefined && left === right;
}

const earthRadiusKm = 6_371;

/** Great-circle distance in whole kilometres (haversine); undefined when either place is unknown. */
export function distanceKm(left: Traits, right: Traits): number | undefined {
  if (left.coordinates === undefined || right.coordinates === undefined) return undefined;
  const [one, other] = [radians(left.coordinates), radians(right.coordinates)];
  const halfChord =
    Math.sin((other.latitude - one.latitude) / 2) ** 2 +
    Math.cos(one.latitude) *
      Math.cos(other.latitude) *
      Math.sin((other.longitude - one.longitude) / 2) ** 2;
  return Math.round(2 * earthRadiusKm * Math.asin(Math.sqrt(Math.min(1, halfChord))));
}

function radians({ latitude, longitude }: Coordinates): Coordinates {
  return { latitude: (latitude * Math.PI) / 180, longitude: (longitude * Math.PI) / 180 };
}
