/**
 * The configuration as the engine takes it: how partners are looked for, and what is agreed with them.
 *
 * What `auto` means is decided here, and here it is checked that the periods go together (C30).
 */
import { networkInterfaces, release } from 'node:os';
import type { Config, ConfigFailure } from '../adapters/disk/config-file.ts';
import { failed, type Outcome, succeeded } from '../base/outcome.ts';
import { secondMs } from '../base/units.ts';
import { networkPrefixOf } from '../core/partners/network-prefix.ts';
import type { Place, Preset } from '../core/wire/profile.ts';
import {
  type PartnershipSettings,
  partnershipSettings,
} from '../engine/partners/partnership-settings.ts';

export function partnershipOf(config: Config): Outcome<PartnershipSettings, ConfigFailure> {
  const settings = partnershipSettings({
    ...chosen(config),
    preset: presetOf(config),
    seek: seeks(config),
    bootstrap: config.network.bootstrap,
    place: placeOf(config),
    networkPrefix: ownPrefix(config.network),
    systemVersion: systemVersionOf(release()),
  });
  return checkedPeriods(settings);
}

/** How others can be met: nothing of these makes partners of strangers unless they can be looked for. */
export function waysToMeet({ network }: Config): readonly string[] {
  const ways: string[] = [];
  if (network.bootstrap.length > 0) ways.push('network.bootstrap');
  if (network.dht === 'public') ways.push('network.dht');
  if (network.multicast) ways.push('network.multicast');
  return ways;
}

/** `auto`: there is something to exchange, and a way to meet others. */
export function seeks(config: Config): boolean {
  const { seek, wantedBytes } = config.partners;
  if (seek !== 'auto') return seek;
  const exchanges = config.lend.spaceBytes > 0 || (wantedBytes ?? 0) > 0;
  return exchanges && waysToMeet(config).length > 0;
}

/** `auto`: whoever looks for partners meets strangers. */
function presetOf(config: Config): Preset {
  const { preset } = config.partners;
  if (preset !== 'auto') return preset;
  return seeks(config) ? 'open' : 'circle';
}

type Knobs = Partial<PartnershipSettings>;

function chosen({ partners }: Config): Knobs {
  const durations = {
    auditIntervalMs: partners.auditIntervalSeconds,
    graceMs: partners.graceSeconds,
    commitmentMs: partners.commitmentSeconds,
    deleteLockMs: partners.deleteLockSeconds,
    noticeMs: partners.noticeSeconds,
    termMs: partners.termSeconds,
    spareAfterMs: partners.spareAfterSeconds,
    rampStepMs: partners.rampStepSeconds,
    searchIntervalMs: partners.searchIntervalSeconds,
    probeIntervalMs: partners.probeIntervalSeconds,
    receiptPeriodMs: partners.receiptPeriodSeconds,
    drillIntervalMs: partners.drillIntervalSeconds,
    scrubMs: partners.scrubSeconds,
  };
  const knobs: { -readonly [Name in keyof Knobs]: Knobs[Name] } = {
    neighbourhood: partners.neighbourhood,
    wantedBytes: partners.wantedBytes ?? undefined,
    wantedPartners: partners.wantedPartners,
    bandwidth: partners.bandwidthBytesPerSecond,
    renegesAllowed: partners.renegesAllowed,
  };
  for (const [name, seconds] of Object.entries(durations))
    if (seconds !== null) knobs[name as keyof typeof durations] = Math.round(seconds * secondMs);
  if (partners.overlapHours !== null) knobs.overlapHours = partners.overlapHours;
  if (partners.rampBytes !== null) knobs.rampBytes = partners.rampBytes;
  return knobs;
}

function checkedPeriods(
  settings: PartnershipSettings,
): Outcome<PartnershipSettings, ConfigFailure> {
  const { graceMs, commitmentMs, rampBytes, rampStepMs, preset } = settings;
  if (commitmentMs <= graceMs)
    return refused(
      'partners.commitmentSeconds',
      `the commitment period (${commitmentMs / secondMs} s) must be longer than the grace period (partners.graceSeconds, ${graceMs / secondMs} s; both as the preset \`${preset}\` has them unless they are set): otherwise a stranger could keep nothing and be served all the same`,
    );
  if (rampBytes > 0 && rampStepMs === 0)
    return refused('partners.rampStepSeconds', 'a ramp (partners.rampBytes) needs steps');
  return succeeded(settings);
}

function refused(name: string, detail: string): Outcome<never, ConfigFailure> {
  return failed({ code: 'config.bad-value', name, detail });
}

function placeOf({ place }: Config): Place {
  const { country, latitude, longitude, household } = place;
  return {
    ...(country === '' ? {} : { country }),
    ...(latitude === null || longitude === null
      ? {}
      : { coordinates: { latitude: Math.round(latitude), longitude: eastOf(longitude) } }),
    ...(household === '' ? {} : { household }),
  };
}

/** The date line has one name. */
function eastOf(longitude: number): number {
  const whole = Math.round(longitude);
  return whole === 180 ? -180 : whole;
}

/**
 * The public network of this computer, as far as it can be told from here: where a person says that it is reached, or an address of its own. One that listens
 * on loopback alone is in no network.
 */
function ownPrefix({ announce, listen }: Config['network']): string | undefined {
  const own = listen.every(isLoopback) ? [] : ownAddresses();
  for (const address of [...announce, ...own]) {
    const prefix = networkPrefixOf(address);
    if (prefix !== undefined) return prefix;
  }
  return undefined;
}

function isLoopback(address: string): boolean {
  return /^\/(ip4\/127\.|ip6\/::1\/)/.test(address);
}

function ownAddresses(): readonly string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal }) => !internal)
    .sort((left, right) => left.family.localeCompare(right.family))
    .map(({ address }) => address);
}

/** What fails together: `6.8` of `6.8.0-45-generic`. */
export function systemVersionOf(text: string): string {
  return /^\d+(\.\d+)?/.exec(text)?.[0] ?? '';
}
