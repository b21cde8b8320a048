/** Partners that keep less than they took, or prove nothing: each is found out by its audits alone (RESEARCH §2). */
import { present } from '../../base/assert.ts';
import { mebi } from '../../base/units.ts';
import { ShardNamer } from '../../core/sealing/shard-name.ts';
import { blockBytes } from '../../core/vocabulary/limits.ts';
import { encodeRefusal } from '../../core/wire/refusal.ts';
import type { IncomingRequest, OutgoingReply } from '../../ports/transport.ts';
import { durable } from '../checkers.ts';
import {
  type Answering,
  bodyOf,
  bytesOfBody,
  isAudit,
  isLossNotice,
  isRestoreRead,
} from './conduct.ts';
import { cadenceOf, foundOnAverageMs, surelyFoundMs } from './detection.ts';
import { forgingAnswers, type ShownBlock } from './forged-answers.ts';
import { type Begun, type Cheat, cheating } from './found-out.ts';
import type { Scenario } from './scenario.ts';
import { townPeriods } from './town.ts';

/** What an audit finds: that blocks are missing of which this share was kept. */
export function audited({ owner, cheat }: Cheat, kept: number): Begun {
  const cadence = cadenceOf(owner, cheat);
  return {
    cheats: [cheat],
    predictedMs: surelyFoundMs(cadence, kept),
    averageMs: foundOnAverageMs(cadence, kept),
  };
}

/** What counts as silence: T_r from the first audit that was not answered. `kept`: the share of those that are. */
export function silenced(of: Cheat, kept = 0): Begun {
  const { spareAfterMs } = townPeriods;
  const { predictedMs, averageMs } = audited(of, kept);
  // That an audit comes first at all is a matter of its interval, which `latestMs` adds.
  const first = kept === 0 ? { predictedMs: 0, averageMs: 0 } : { predictedMs, averageMs };
  return {
    cheats: [of.cheat],
    predictedMs: first.predictedMs + spareAfterMs,
    averageMs: first.averageMs + spareAfterMs,
  };
}

/** Everything that it keeps for others is gone, and it tells nobody. */
export function dropAll({ town, cheat }: Pick<Cheat, 'town' | 'cheat'>): void {
  const { held } = cheat.home;
  for (const blob of held.wholeNames()) held.lose(blob);
  town.conductOf(cheat).asks = async ({ request, send }) =>
    isLossNotice(request, cheat.keys.peerId)
      ? { ok: false, error: { code: 'peer.unreachable', detail: 'not sent' } }
      : await send(request);
}

function freeload(of: Cheat): Begun {
  dropAll(of);
  return audited(of, 0);
}

/** Every block that the owner counts on there, as shard and number. What lies in the trash is asked for by nobody. */
function blocksOf({ owner, cheat }: Cheat): readonly string[] {
  const { peerId } = cheat.keys;
  const stores = durable(owner);
  const namer = new ShardNamer(owner.keys.shardNameKey, peerId);
  const held = stores.shards.ofPartner(peerId).filter(({ phase }) => phase === 'held');
  return held.flatMap(({ pack, index }) => {
    const stripe = present(stores.packs.get(pack)?.stripe, 'the stripe of a held shard');
    const name = namer.nameOf(stripe, index);
    const bytes = present(cheat.home.held.whole(`${owner.keys.peerId}/${name}`), 'it holds it');
    return Array.from({ length: bytes.length / blockBytes }, (_, number) =>
      placeOf({ name, number }),
    );
  });
}

const placeOf = ({ name, number }: Pick<ShownBlock, 'name' | 'number'>): string =>
  `${name} ${number}`;

/** Answers truthfully, that is: says of what it dropped that it is lost. Gives nothing of such a shard. */
function dropBlocks(of: Cheat, dropped: ReadonlySet<string>): void {
  const { town, cheat } = of;
  const names = new Set([...dropped].map((place) => place.split(' ')[0]));
  const others: Answering = async (request, engine) =>
    isRestoreRead(request) && names.has(request.path.split('/').at(-1))
      ? refusal('shard.unknown')
      : await engine(request);
  const forge = (block: ShownBlock) => (dropped.has(placeOf(block)) ? undefined : block.bytes);
  town.conductOf(cheat).answers = forgingAnswers(cheat, forge, others);
}

/** One block of a hundred. Of the two that an audit draws one is of all blocks, the other of a shard whose turn it is: the large one's comes as often as any. */
function freeloadALittle(of: Cheat): Begun {
  const { town, owner, cheat } = of;
  const blocks = blocksOf(of);
  const dropped = town.world.prng.fork('dropped').pick(blocks);
  const shard = dropped.split(' ')[0];
  const beside = blocks.filter((place) => place.split(' ')[0] === shard).length;
  const shards = owner.home.stores.shards.ofPartner(cheat.keys.peerId).length;
  dropBlocks(of, new Set([dropped]));
  town.notes.push(`one of ${blocks.length} blocks`);
  const missed = (1 - 1 / blocks.length) * (1 - 1 / (shards * beside));
  return audited(of, Math.sqrt(missed));
}

/** The connection breaks before the answer has gone out. */
async function* brokenBody(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(1);
  throw new Error('somebody pulled the cable');
}

/** Keeps half of the blocks, and breaks off whenever it is asked for one of the others. */
function dodge(of: Cheat): Begun {
  const { town, cheat } = of;
  const blocks = town.world.prng.fork('dropped').shuffled(blocksOf(of));
  const dropped = new Set(blocks.slice(0, Math.ceil(blocks.length / 2)));
  town.conductOf(cheat).answers = async (request, engine, transport) => {
    let dodges = false;
    const look = (block: ShownBlock) => {
      dodges ||= dropped.has(placeOf(block));
      return block.bytes;
    };
    const reply = await forgingAnswers(cheat, look)(request, engine, transport);
    return dodges ? { status: 200, body: brokenBody() } : reply;
  };
  return silenced(of, 1 - dropped.size / blocks.length);
}

export function refusal(code: 'request.paused' | 'shard.unknown'): OutgoingReply {
  const status = code === 'request.paused' ? 503 : 404;
  return { status, body: encodeRefusal({ code, detail: 'come back another day' }) };
}

/** Flips bits in everything that it answers to audits. */
function garbleAudits(of: Cheat): Begun {
  of.town.conductOf(of.cheat).answers = async (request, engine) => {
    const reply = await engine(request);
    return isAudit(request) ? await garbled(reply) : reply;
  };
  return silenced(of);
}

async function garbled(reply: OutgoingReply): Promise<OutgoingReply> {
  const { body } = reply;
  if (body === undefined) return reply;
  const bytes = body instanceof Uint8Array ? body : await bytesOfBody(body);
  return { ...reply, body: bodyOf(bytes.map((byte, at) => (at % 97 === 96 ? byte ^ 1 : byte))) };
}

/** Never answers an audit, and everything else it does. */
function ignoreAudits(of: Cheat): Begun {
  of.town.conductOf(of.cheat).answers = async (request: IncomingRequest, engine) =>
    isAudit(request) ? refusal('request.paused') : await engine(request);
  return silenced(of);
}

export const cheatScenarios: readonly Scenario[] = [
  cheating({
    name: 'freeloader',
    about: 'a partner drops everything it holds: the next audit finds out',
    by: 'wrong',
    begin: freeload,
  }),
  cheating({
    name: 'small-freeloader',
    about: 'a partner drops one block of a hundred: 459 blocks find that with 99 %',
    by: 'wrong',
    largeBytes: 12 * mebi,
    begin: freeloadALittle,
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
