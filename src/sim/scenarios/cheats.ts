/**
 * Partners that cheat, one scenario each (RESEARCH §2): every one of them is found out within twice the time that its formula gives, and its owner's files come
 * back whole with the cheat gone.
 */
import { present } from '../../base/assert.ts';
import { type Bytes, concatBytes } from '../../base/bytes.ts';
import { minuteMs } from '../../base/units.ts';
import { decodeAuditRequest } from '../../core/audits/audit-message.ts';
import { type ErasureCode, erasureCodeOf } from '../../core/erasure/erasure-code.ts';
import { ShardNamer } from '../../core/sealing/shard-name.ts';
import type { StripeId } from '../../core/vocabulary/ids.ts';
import { blockBytes } from '../../core/vocabulary/limits.ts';
import { encodeRefusal } from '../../core/wire/refusal.ts';
import type { IncomingRequest, OutgoingReply } from '../../ports/transport.ts';
import { sha256 } from '../../primitives/hash.ts';
import { durable } from '../checkers.ts';
import type { SimPeer } from '../sim-peer.ts';
import { bodyOf, bytesOfBody, isAudit } from './conduct.ts';
import type { Scenario, ScenarioEnd, ScenarioParts } from './scenario.ts';
import { Town, townPeriods } from './town.ts';

const { auditIntervalMs, spareAfterMs } = townPeriods;

interface Cheat {
  readonly town: Town;
  readonly owner: SimPeer;
  readonly cheat: SimPeer;
  /** Another partner of the owner, for cheats that come in pairs. */
  readonly friend: SimPeer;
}

interface CheatOptions {
  readonly name: string;
  readonly about: string;
  /** Begins to cheat; gives the time in which the formula has it found out. */
  readonly begin: (cheat: Cheat) => number;
  /** Whether bytes must prove it, or silence is enough. */
  readonly by: 'wrong' | 'silence';
}

function cheating(options: CheatOptions): Scenario {
  const { name, about } = options;
  return { name, about, run: (parts) => runCheat(parts, options) };
}

async function runCheat(parts: ScenarioParts, options: CheatOptions): Promise<ScenarioEnd> {
  const town = new Town(parts, { peers: 7, owners: 1, wantedPartners: 4 });
  const owner = present(town.owners[0], 'an owner');
  const [snapshot] = await town.settle();
  const partners = town.world.prng.fork('cheats').shuffled(town.partnersOf(owner));
  const cheat = present(partners[0], 'a cheat');
  const friend = present(partners[1], 'its friend');
  const expectedMs = options.begin({ town, owner, cheat, friend });
  const caught = (): boolean =>
    town.phaseAt(owner, cheat) === 'suspended' &&
    (options.by === 'silence' || town.holdsWrong(owner, cheat));
  const tookMs = await town.until(`${cheat.name} is found out`, caught, 2 * expectedMs);
  town.notes.push(`found out after ${tookMs / 1_000} s, by the formula ${expectedMs / 1_000} s`);
  const hindrances = present(owner.computer, 'it runs').status().hindrances;
  town.require(
    hindrances.some((each) => 'partner' in each && each.partner === cheat.keys.peerId),
    'status names the cheat',
  );
  for (const peer of town.peers)
    if (peer !== cheat) town.require(!town.holdsWrong(owner, peer), `${peer.name} was honest`);
  await town.untilWhole(owner, 'the cheat was found out');
  town.world.crash(cheat.name);
  await town.mustRestore(owner, present(snapshot, 'a snapshot'));
  return town.end();
}

/** Every audit draws from shards not yet visited: so many audits visit all, and their pace may vary by a quarter. */
function roundMs({ owner, cheat }: Cheat): number {
  const shards = cheat.home.held.wholeNames().filter((blob) => blob.startsWith(owner.keys.peerId));
  return 1.25 * auditIntervalMs * (1 + shards.length);
}

const oneAuditMs: number = 1.25 * auditIntervalMs + minuteMs / 4;
/** A challenge that stays open counts as silence: T_r after the first one. */
const dodgingMs: number = oneAuditMs + spareAfterMs;

function dropAll({ home: { held } }: SimPeer): void {
  for (const blob of held.wholeNames()) held.lose(blob);
}

/** The connection breaks before the answer has gone out. */
async function* brokenBody(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(1);
  throw new Error('somebody pulled the cable');
}

/** As if it had kept half of what it is asked for: whenever it is asked for the other half it breaks off, and answers everything else. */
function dodge({ town, cheat }: Cheat): number {
  town.conductOf(cheat).answers = async (request, engine) => {
    if (!isAudit(request)) return await engine(request);
    const bytes = await bytesOfBody(request.body);
    const reply = await engine({ ...request, body: bodyOf(bytes) });
    const message = decodeAuditRequest(bytes);
    const isOpening = message.ok && message.value.type === 'opening';
    // The same question has the same answer, however often it comes.
    const dodges = isOpening && (sha256(bytes)[0] ?? 0) < 128;
    return dodges ? { status: 200, body: brokenBody() } : reply;
  };
  // Of ten challenges, one is dodged with 99.9 %.
  return 10 * auditIntervalMs + dodgingMs;
}

/** Keeps nothing and lets its friend answer, who takes the question as if the owner had asked. */
function relay({ town, owner, cheat, friend }: Cheat): number {
  dropAll(cheat);
  town.conductOf(cheat).answers = async (request, engine, transport) => {
    if (!isAudit(request)) return await engine(request);
    const body = await bytesOfBody(request.body);
    const asked = { method: 'POST', path: request.path, fields: request.fields, body } as const;
    const reply = await transport.request(town.link.address(friend.keys.peerId), asked);
    if (!reply.ok) return refusal();
    const { status, fields } = reply.value;
    return { status, fields, body: await bytesOfBody(reply.value.body) };
  };
  town.conductOf(friend).answers = (request, engine) =>
    engine(
      isAudit(request) && request.from === cheat.keys.peerId
        ? { ...request, from: owner.keys.peerId }
        : request,
    );
  return dodgingMs;
}

function refusal(): OutgoingReply {
  const detail = 'come back another day';
  return { status: 503, body: encodeRefusal({ code: 'request.paused', detail }) };
}

/** Two partners keep one copy between them: each of the cheat's shards is one of its friend's. */
function shareCopies({ owner, cheat, friend }: Cheat): number {
  const own = (peer: SimPeer): readonly string[] =>
    peer.home.held.wholeNames().filter((blob) => blob.startsWith(owner.keys.peerId));
  const copies = own(friend).map((blob) => friend.home.held.whole(blob));
  own(cheat).forEach((blob, number) => {
    const { held } = cheat.home;
    const length = present(held.whole(blob), 'it holds it').length;
    const same = copies.find((copy) => copy?.length === length) ?? copies[number];
    held.setWhole(blob, present(same, 'its friend holds as many'));
  });
  return oneAuditMs;
}

/** All the other partners help the cheat to make its shards anew from theirs, knowing everything that the owner knows but its keys. */
function regenerate({ town, owner, cheat }: Cheat): number {
  const stores = durable(owner);
  const others = town.partnersOf(owner).filter((peer) => peer !== cheat);
  const blobOf = (peer: SimPeer, stripe: StripeId, index: number): string => {
    const namer = new ShardNamer(owner.keys.shardNameKey, peer.keys.peerId);
    return `${owner.keys.peerId}/${namer.nameOf(stripe, index)}`;
  };
  for (const { pack, index } of stores.shards.ofPartner(cheat.keys.peerId)) {
    const { code, stripe } = present(stores.packs.get(pack), 'its pack');
    if (code === undefined || stripe === undefined) continue;
    const shards = new Map<number, Uint8Array>();
    for (const row of stores.shards.ofPack(pack)) {
      const peer = others.find(({ keys }) => keys.peerId === row.partner);
      const bytes = peer?.home.held.whole(blobOf(peer, stripe, row.index));
      if (bytes !== undefined) shards.set(row.index, bytes);
    }
    const blob = blobOf(cheat, stripe, index);
    const made = madeAnew({ shards, index, code: erasureCodeOf(code, town.kernels) });
    if (made === undefined) cheat.home.held.lose(blob);
    else cheat.home.held.setWhole(blob, made);
  }
  return oneAuditMs;
}

/** The shard of this index as the code has it from the others; undefined when they are too few. */
function madeAnew(of: {
  readonly shards: ReadonlyMap<number, Uint8Array>;
  readonly index: number;
  readonly code: ErasureCode;
}): Bytes | undefined {
  const [first] = of.shards.values();
  const parts: Bytes[] = [];
  for (let at = 0; at < (first?.length ?? 0); at += blockBytes) {
    const blocks = [...of.shards].map(
      ([index, bytes]) => [index, bytes.subarray(at, at + blockBytes)] as const,
    );
    const decoded = of.code.decode(new Map(blocks), [of.index]);
    if (!decoded.ok) return undefined;
    parts.push(present(decoded.value.get(of.index), 'what was asked for'));
  }
  return parts.length === 0 ? undefined : concatBytes(parts);
}

/** Flips bits in everything that it answers to audits. */
function garbleAudits({ town, cheat }: Cheat): number {
  town.conductOf(cheat).answers = async (request, engine) => {
    const reply = await engine(request);
    return isAudit(request) ? await garbled(reply) : reply;
  };
  return dodgingMs;
}

async function garbled(reply: OutgoingReply): Promise<OutgoingReply> {
  const { body } = reply;
  if (body === undefined) return reply;
  const bytes = body instanceof Uint8Array ? body : await bytesOfBody(body);
  return { ...reply, body: bodyOf(bytes.map((byte, at) => (at % 97 === 96 ? byte ^ 1 : byte))) };
}

/** Never answers an audit, and everything else it does. */
function ignoreAudits({ town, cheat }: Cheat): number {
  town.conductOf(cheat).answers = async (request: IncomingRequest, engine) =>
    isAudit(request) ? refusal() : await engine(request);
  return dodgingMs;
}

export const cheatScenarios: readonly Scenario[] = [
  cheating({
    name: 'freeloader',
    about: 'a partner drops everything it holds: the next audit finds out',
    by: 'wrong',
    begin: ({ cheat }) => {
      dropAll(cheat);
      return oneAuditMs;
    },
  }),
  cheating({
    name: 'small-freeloader',
    about: 'a partner drops a single shard: one round of audits visits every shard',
    by: 'wrong',
    begin: (cheat) => {
      const { held } = cheat.cheat.home;
      held.lose(cheat.town.world.prng.fork('dropped').pick(held.wholeNames()));
      // It may be visited first in this round, and last in the next.
      return 2 * roundMs(cheat);
    },
  }),
  cheating({
    name: 'copy-sharers',
    about: 'two partners keep one copy between them: its bytes are wrong for one of them',
    by: 'wrong',
    begin: shareCopies,
  }),
  cheating({
    name: 'regenerator',
    about:
      'all other partners make the shards of one anew from theirs: they are sealed for another',
    by: 'wrong',
    begin: regenerate,
  }),
  cheating({
    name: 'relay',
    about:
      'a partner keeps nothing and has audits answered by another: the answers are not its own',
    by: 'silence',
    begin: relay,
  }),
  cheating({
    name: 'dodger',
    about: 'a partner drops half and breaks off whenever it is asked for that: the question stays',
    by: 'silence',
    begin: dodge,
  }),
  cheating({
    name: 'audit-refuser',
    about: 'a partner does everything but answer audits: that counts as silence',
    by: 'silence',
    begin: ignoreAudits,
  }),
  cheating({
    name: 'garbler',
    about: 'a partner answers audits with nonsense: that counts as silence, not as wrong bytes',
    by: 'silence',
    begin: garbleAudits,
  }),
];
