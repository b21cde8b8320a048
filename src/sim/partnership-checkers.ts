/**
 * What must hold of partnerships in a world of computers that find each other, read from what lies durably on every disk. Each check gives what is wrong, in
 * words; nothing when all is well.
 */
import { equalBytes } from '../base/bytes.ts';
import {
  bytesLentBy,
  decodeSignedAgreement,
  verifyAgreement,
} from '../core/agreements/agreement.ts';
import { isInForce } from '../core/partners/lifecycle-phase.ts';
import { scheduleOf } from '../core/partners/observation.ts';
import { overlapHours } from '../core/partners/schedule.ts';
import { mostPartners } from '../core/partners/sufficiency.ts';
import { domainMaximum } from '../core/placement/failure-domains.ts';
import type { PeerId } from '../core/vocabulary/ids.ts';
import { agreementOf } from '../engine/partners/partner-space.ts';
import { weLend } from '../engine/partners/partner-stance.ts';
import { partnershipSettings } from '../engine/partners/partnership-settings.ts';
import type { AgreementRow, Stores } from '../ports/stores.ts';
import { durable } from './checkers.ts';
import { type Inhabitant, type Neighbour, pastOf } from './neighbourhood.ts';
import type { SimPeer } from './sim-peer.ts';

/** Whatever happened: nothing that only one side signed is more than a proposal, and nobody has promised more than there is. */
export function unsignedInForce(peer: SimPeer, offeredBytes: number): readonly string[] {
  const rows = durable(peer).agreements.all();
  const bad = rows.filter((row) => row.phase !== 'proposed' && !isSignedByBoth(row));
  const lent = rows
    .filter(({ phase }) => isInForce(phase) || phase === 'proposed')
    .reduce((sum, row) => sum + weLend(row), 0);
  return [
    ...bad.map(({ agreement }) => `${peer.name}: ${agreement} is not signed by both`),
    ...(lent > offeredBytes ? [`${peer.name} lends ${lent} of ${offeredBytes}`] : []),
  ];
}

function isSignedByBoth({ document }: AgreementRow): boolean {
  const signed = decodeSignedAgreement(document);
  return signed.ok && verifyAgreement(signed.value).ok;
}

/** When nothing goes wrong any more: no negotiation is left open, and both sides of every agreement in force keep the same document. */
export function agreementsApart(peers: readonly SimPeer[]): readonly string[] {
  const stores = new Map<PeerId, Stores>(peers.map((peer) => [peer.keys.peerId, durable(peer)]));
  return peers.flatMap((peer) => {
    const rows = stores.get(peer.keys.peerId)?.agreements.all() ?? [];
    return rows.flatMap((row) => {
      if (row.phase === 'proposed') return [`${peer.name}: a proposal is left open`];
      if (!isInForce(row.phase)) return [];
      const other = stores.get(row.partner)?.agreements.get(row.agreement);
      const agrees = other !== undefined && equalBytes(other.document, row.document);
      return agrees && isInForce(other.phase)
        ? []
        : [`${peer.name}: its partner has no such agreement as ${row.agreement}`];
    });
  });
}

/** One computer, with what counts of its partnerships. */
interface Standing {
  readonly neighbour: Neighbour;
  readonly schedule: Uint8Array | undefined;
  readonly partners: ReadonlySet<PeerId>;
  readonly places: readonly string[];
  readonly wanted: number;
  readonly isOpen: boolean;
}

/** Two that both would have signed, one of them in want of a partner, and are none. `wanted`: how many partners each wants. */
export function unserved(neighbours: readonly Neighbour[], wanted: number): readonly string[] {
  const places = new Map(
    neighbours.map(({ inhabitant, peer }) => [peer.keys.peerId, inhabitant.networkPrefix]),
  );
  const standings = neighbours.map((neighbour) => standingOf(neighbour, wanted, places));
  return standings
    .filter(({ partners, wanted: count, isOpen }) => isOpen && partners.size < count)
    .flatMap((short) => {
      const other = standings.find((one) => one !== short && wouldAgree(short, one));
      if (other === undefined) return [];
      const [one, two] = [short.neighbour.peer.name, other.neighbour.peer.name];
      return [`${one} has ${short.partners.size} partners, and ${two} would be another`];
    });
}

function standingOf(
  neighbour: Neighbour,
  wanted: number,
  places: ReadonlyMap<PeerId, string>,
): Standing {
  const { inhabitant, peer } = neighbour;
  const rows = durable(peer)
    .agreements.all()
    .filter(({ phase }) => isInForce(phase));
  const lent = rows.reduce((sum, row) => sum + weLend(row), 0);
  const most = mostPartners(wanted);
  const share = Math.floor(inhabitant.offeredBytes / most);
  const left = inhabitant.offeredBytes - lent;
  return {
    neighbour,
    schedule: scheduleOf(pastOf(inhabitant)),
    partners: new Set(rows.map(({ partner }) => partner)),
    places: rows.map(({ partner }) => places.get(partner) ?? ''),
    wanted: inhabitant.wantedBytes === 0 ? 0 : wanted,
    isOpen: rows.length < most && left * 2 >= share,
  };
}

const { overlapHours: openOverlapHours } = partnershipSettings({ preset: 'open' });

function wouldAgree(left: Standing, right: Standing): boolean {
  const [one, two] = [left.neighbour.inhabitant, right.neighbour.inhabitant];
  if (!right.isOpen || left.partners.has(right.neighbour.peer.keys.peerId)) return false;
  if (one.preset !== two.preset || !isFastFor(one, two) || !isFastFor(two, one)) return false;
  // The last seats are kept for partners in places of their own.
  if (left.places.includes(two.networkPrefix) || right.places.includes(one.networkPrefix))
    return false;
  if (one.preset === 'circle') return true;
  const hours =
    left.schedule === undefined || right.schedule === undefined
      ? 0
      : overlapHours(left.schedule, right.schedule);
  return one.networkPrefix !== two.networkPrefix && hours >= openOverlapHours;
}

function isFastFor(demanding: Inhabitant, other: Inhabitant): boolean {
  return other.bandwidth >= demanding.demandedBandwidth;
}

/** A stripe of which one place or system has more than it should while a partner that would not be crowded has none of it. */
export function crowdedStripes(
  owner: SimPeer,
  neighbours: readonly Neighbour[],
): readonly string[] {
  const people = new Map(neighbours.map(({ inhabitant, peer }) => [peer.keys.peerId, inhabitant]));
  const stores = durable(owner);
  const open = stores.agreements
    .all()
    .filter((row) => isInForce(row.phase) && bytesLentBy(agreementOf(row), row.partner) > 0)
    .map(({ partner }) => partner);
  return stores.packs.all().flatMap(({ pack, code }) => {
    if (code === undefined) return [];
    const holders = stores.shards.ofPack(pack).map(({ partner }) => partner);
    const most = domainMaximum(code.parityShards);
    return layers.flatMap((domainOf) => {
      const count = (domain: string | undefined): number =>
        holders.filter((holder) => domainOf(people.get(holder)) === domain).length;
      const crowded = holders.find((holder) => count(domainOf(people.get(holder))) > most);
      const free = open.find((peer) => {
        const others = layers.map((layer) => {
          const domain = layer(people.get(peer));
          return holders.filter((holder) => layer(people.get(holder)) === domain).length;
        });
        return !holders.includes(peer) && others.every((already) => already < most);
      });
      if (crowded === undefined || free === undefined) return [];
      return [`${owner.name}: ${pack} has too much in ${domainOf(people.get(crowded))}`];
    });
  });
}

const layers: readonly ((one: Inhabitant | undefined) => string | undefined)[] = [
  (one) => one?.networkPrefix,
  (one) => one && `${one.system} ${one.systemVersion}`,
];

/** Two shards of a stripe in one household, while a partner in a household without any was free. */
export function sharedHouseholds(
  owner: SimPeer,
  neighbours: readonly Neighbour[],
): readonly string[] {
  const places = new Map(
    neighbours.map(({ inhabitant, peer }) => [peer.keys.peerId, inhabitant.networkPrefix]),
  );
  const stores = durable(owner);
  const partners = stores.agreements
    .all()
    .filter((row) => isInForce(row.phase) && bytesLentBy(agreementOf(row), row.partner) > 0)
    .map(({ partner }) => partner);
  return stores.packs.all().flatMap(({ pack }) => {
    const used = stores.shards.ofPack(pack).map(({ partner }) => places.get(partner));
    const shared = used.length - new Set(used).size;
    const isFree = partners.some((partner) => !used.includes(places.get(partner)));
    return shared > 0 && isFree ? [`${owner.name}: ${pack} has two shards in one household`] : [];
  });
}
