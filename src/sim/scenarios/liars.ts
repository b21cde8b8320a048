/**
 * Partners that lie about what they hold: they deny what they acknowledged, hide it after a disaster, or list what they have not got. The signed ledger and the audits
 * say otherwise (C38, C39); what a lie hides is made up for from the others.
 */
import { assert, present } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import { frameReply } from '../../core/audits/audit-answer.ts';
import { decodeAuditRequest, encodeAuditReply } from '../../core/audits/audit-message.ts';
import { readChallenge } from '../../core/audits/challenge.ts';
import { signDenial } from '../../core/audits/nonce-reply.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import { encodeInventory, inventoryPageEntries } from '../../core/wire/inventory.ts';
import { parsePath } from '../../core/wire/resources.ts';
import type { SimPeer } from '../sim-peer.ts';
import { audited, dropAll } from './cheats.ts';
import { bodyOf, bytesOfBody, isAudit } from './conduct.ts';
import { cadenceOf, firstAuditMs, latestMs } from './detection.ts';
import { type Begun, type Cheat, cheating } from './found-out.ts';
import type { Scenario, ScenarioEnd, ScenarioParts } from './scenario.ts';
import { Town } from './town.ts';

/** The challenge that an audit message seals; undefined when it is another message. */
function challengeIn(asked: Bytes, owner: PeerId, partner: PeerId): Bytes | undefined {
  const message = decodeAuditRequest(asked);
  if (!message.ok || message.value.type !== 'challenge') return undefined;
  const challenge = readChallenge(message.value.document, { owner, partner });
  return challenge.ok ? challenge.value.id : undefined;
}

/** Says, signed, that its ledger ends one entry before: it never took the last shard. */
function deny(of: Cheat): Begun {
  const { town, owner, cheat } = of;
  const { stores } = cheat.home;
  const { agreement } = present(stores.agreements.ofPartner(owner.keys.peerId), 'an agreement');
  const head = present(stores.ledger.head(agreement, 'holder'), 'it acknowledged something');
  const place = { epoch: head.epoch, sequence: head.sequence - 1 };
  const before = present(stores.ledger.get(agreement, 'holder', place), 'more than one entry');
  const last = { ...place, hash: before.hash };
  town.conductOf(cheat).answers = async (request, engine) => {
    if (!isAudit(request)) return await engine(request);
    const asked: Bytes = new Uint8Array(await bytesOfBody(request.body));
    const challenge = challengeIn(asked, request.from, cheat.keys.peerId);
    if (challenge === undefined) return await engine({ ...request, body: bodyOf(asked) });
    const document = signDenial(challenge, last, cheat.keys.identitySeed);
    return { status: 200, body: frameReply(encodeAuditReply({ type: 'denial', document }), []) };
  };
  return audited(of, 0);
}

interface Disaster {
  readonly town: Town;
  readonly owner: SimPeer;
  readonly liar: SimPeer;
  readonly snapshot: Awaited<ReturnType<Town['settle']>>[number];
}

async function beforeDisaster(parts: ScenarioParts): Promise<Disaster> {
  const town = new Town(parts, { peers: 6, owners: 1, wantedPartners: 4 });
  const owner = present(town.owners[0], 'an owner');
  const [snapshot] = await town.settle();
  const liar = town.world.prng.fork('liar').pick(town.partnersOf(owner));
  return { town, owner, liar, snapshot: present(snapshot, 'a snapshot') };
}

/** What the liar hides or lacks is made up for, and nobody else is to blame. */
async function afterDisaster({ town, liar }: Disaster, heir: SimPeer): Promise<ScenarioEnd> {
  const whole = (): boolean => {
    const health = heir.computer?.status().health;
    return health !== undefined && health.stripes > 0 && health.whole === health.stripes;
  };
  await town.until('what the liar has not is made up for', whole);
  for (const peer of town.peers)
    if (peer !== liar) town.require(!town.holdsWrong(heir, peer), `${peer.name} was honest`);
  return town.end();
}

/** Its inventory is empty, whatever it holds. */
async function runHiding(parts: ScenarioParts): Promise<ScenarioEnd> {
  const disaster = await beforeDisaster(parts);
  const { town, owner, liar, snapshot } = disaster;
  town.conductOf(liar).answers = (request, engine) => {
    const isList = parsePath(request.path)?.resource === 'inventory';
    // The page behind the last name is empty.
    return engine(isList ? { ...request, path: `/v1/shards?after=${'f'.repeat(32)}` } : request);
  };
  const heir = await town.recover(owner, town.partnersOf(owner));
  await town.mustRestore(heir, snapshot);
  return await afterDisaster(disaster, heir);
}

/** It lists all that it ever took, and has none of it. */
async function runBoasting(parts: ScenarioParts): Promise<ScenarioEnd> {
  const disaster = await beforeDisaster(parts);
  const { town, owner, liar, snapshot } = disaster;
  const entries = liar.home.stores.held.page(owner.keys.peerId, undefined, inventoryPageEntries);
  const body = encodeInventory({ entries, more: false });
  assert(entries.length > 0, 'it took something');
  dropAll({ town, cheat: liar });
  town.conductOf(liar).answers = async (request, engine) => {
    const isList = parsePath(request.path)?.resource === 'inventory' && request.method === 'GET';
    return isList && request.from === owner.keys.peerId
      ? { status: 200, body }
      : await engine(request);
  };
  const heir = await town.recover(owner, town.partnersOf(owner));
  const cadence = cadenceOf(heir, liar);
  const predictedMs = firstAuditMs(heir, liar);
  const isFound = (): boolean => town.holdsWrong(heir, liar);
  const tookMs = await town.until(
    'the list is seen through',
    isFound,
    latestMs(predictedMs, cadence),
  );
  town.notes.push(
    `seen through after ${tookMs / 1_000} s, by the formula ${predictedMs / 1_000} s`,
  );
  await town.mustRestore(heir, snapshot);
  return await afterDisaster(disaster, heir);
}

export const liarScenarios: readonly Scenario[] = [
  cheating({
    name: 'inventory-denier',
    about: 'a partner denies the last shard that it acknowledged: it signed for it',
    by: 'wrong',
    begin: deny,
  }),
  {
    name: 'inventory-liar',
    about:
      'a partner hides what it holds after a disaster: the rest is enough, and it is made up for',
    run: runHiding,
  },
  {
    name: 'inventory-boaster',
    about: 'a partner lists after a disaster what it dropped before: the next audit finds out',
    run: runBoasting,
  },
];
