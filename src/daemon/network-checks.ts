/** How this computer reaches others and is reached, as `doctor` tells it: the router, the DHT, the search, each partner’s route. */
import type { DhtState } from '../adapters/hyperdht/dht-network.ts';
import { assertNever } from '../base/assert.ts';
import type { Failing } from '../engine/partners/partner-failings.ts';
import type { PartnerView } from '../engine/partners/partnerships.ts';
import type { Route } from '../ports/transport.ts';
import type { SearchOutlook } from './answers.ts';
import { type Check, ok } from './doctor-checks.ts';
import { dayText } from './time-text.ts';

export function mappingCheck(wanted: boolean, daemon: boolean, mapped: readonly string[]): Check {
  const name = 'router';
  if (!wanted) return ok(name, 'no port is asked for (network.portMapping)');
  if (!daemon) return ok(name, 'a port is asked for while `covault up` runs');
  if (mapped.length > 0) return ok(name, `sends on what comes to ${mapped.join(', ')}`);
  return {
    name,
    level: 'warn',
    finding: 'gave no port',
    advice:
      'Switch UPnP or NAT-PMP on there, or forward the port by hand and name it in `network.announce`.',
  };
}

export function dhtCheck(
  mode: 'off' | 'private' | 'public',
  state: DhtState | undefined,
  daemon: boolean,
): Check {
  const name = 'DHT';
  if (mode === 'off' || state === undefined) return ok(name, 'off (network.dht)');
  const nodes = `${state.nodeCount} ${state.nodeCount === 1 ? 'node' : 'nodes'} known`;
  switch (state.phase) {
    case 'inert':
      return ok(
        name,
        `${mode}, not joined: no peer to join through was reached (partners, network.bootstrap)`,
      );
    case 'translated':
      if (!daemon) return ok(name, `${mode}, joined during this command, ${nodes}`);
      return ok(
        name,
        `${mode}, joined from behind a NAT, ${nodes}: peers come in by hole punching`,
      );
    case 'reachable':
      return ok(name, `${mode}, joined, ${nodes}; others join through this computer`);
    default:
      return assertNever(state.phase);
  }
}

export function searchCheck(search: SearchOutlook, ways: readonly string[]): Check {
  const name = 'search';
  const { seeks, missing, candidates, refused } = search;
  if (missing === 0) return ok(name, 'there are enough partners');
  const goal = `${missing} more ${missing === 1 ? 'partner' : 'partners'}`;
  if (!seeks)
    return ok(name, `${goal} wanted, but none are looked for (partners.seek): invite somebody`);
  const heard = `looking for ${goal}: ${candidates} candidates known, ${refused} refused`;
  if (candidates + refused > 0) return ok(name, heard);
  return {
    name,
    level: 'warn',
    finding: `looking for ${goal}: no candidates known${ways.length === 0 ? '' : ` by ${ways.join(', ')}`}`,
    advice:
      'Add the address of a peer: `covault config set network.bootstrap ADDRESS`; or invite somebody.',
  };
}

export function partnerChecks(partners: readonly PartnerView[]): readonly Check[] {
  if (partners.length === 0)
    return [
      {
        name: 'partners',
        level: 'warn',
        finding: 'none',
        advice: 'Invite somebody: `covault invite`, or look for others: `covault search`.',
      },
    ];
  return partners.map(partnerCheck);
}

function partnerCheck(partner: PartnerView): Check {
  const { partnerName, partner: id } = partner.agreement;
  const name = `partner ${partnerName || id.slice(0, 12)}`;
  const { lost, wrong } = partner.lacks;
  if (wrong > 0)
    return {
      name,
      level: 'fail',
      finding: `has ${shardsText(wrong)} of ours wrong`,
      advice: 'Its disk may be failing: tell its owner. Your other partners make up for it.',
    };
  if (partner.failing !== undefined) return suspendedCheck(name, partner.failing);
  if (lost > 0)
    return {
      name,
      level: 'warn',
      finding: `lost ${shardsText(lost)} of ours`,
      advice: 'They are made anew as far as there is room: `covault repair` does it now.',
    };
  if (partner.reachable === false) {
    const grace = partner.graceEndsAt;
    const until = grace === undefined ? '' : `; its grace ends ${dayText(grace)}`;
    return {
      name,
      level: 'warn',
      finding: `cannot be reached now${until}`,
      advice: 'It may be switched off; if it stays away, talk with its owner.',
    };
  }
  return ok(
    name,
    partner.route === undefined ? 'reachable' : `reachable ${routeText(partner.route)}`,
  );
}

function suspendedCheck(name: string, { cause, since, answers }: Failing): Check {
  const silent = cause === 'silence' && !answers;
  const why: Readonly<Record<Failing['cause'], string>> = {
    silence: silent ? 'it is silent' : 'it answers, but proves or gives back nothing',
    wrong: 'it had shards of ours wrong or missing, and has to prove itself again',
    losses: 'it lost everything again',
  };
  return {
    name,
    level: 'warn',
    finding: `suspended since ${dayText(since)}: ${why[cause]}`,
    advice: silent
      ? 'It may be switched off; if it stays away, talk with its owner.'
      : 'It is there, but cannot be counted on: talk with its owner, and find another partner meanwhile.',
  };
}

function shardsText(count: number): string {
  return `${count} ${count === 1 ? 'shard' : 'shards'}`;
}

function routeText(route: Route): string {
  switch (route) {
    case 'lan':
      return 'over the local network';
    case 'direct':
      return 'directly';
    case 'punched':
      return 'through the NAT, by hole punching';
    case 'relayed':
      return 'with the help of a partner that relays';
    default:
      return assertNever(route);
  }
}
