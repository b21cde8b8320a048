/**
 * Partners that work together: one makes its shards from those of others, keeps one copy with another, or lets another answer. All of it fails because what each
 * partner keeps is encrypted for it alone, after coding (C36), and answers are signed by whoever was asked.
 */
import { assert, present } from '../../base/assert.ts';
import { type Bytes, concatBytes, equalBytes } from '../../base/bytes.ts';
import { erasureCodeOf } from '../../core/erasure/erasure-code.ts';
import { ShardSealer } from '../../core/sealing/block.ts';
import { ShardNamer } from '../../core/sealing/shard-name.ts';
import type { ShardName } from '../../core/vocabulary/ids.ts';
import { blockBytes, payloadBytes } from '../../core/vocabulary/limits.ts';
import { parseSuite } from '../../core/vocabulary/suite.ts';
import type { PackRow } from '../../ports/stores.ts';
import { durable } from '../checkers.ts';
import type { SimPeer } from '../sim-peer.ts';
import { audited, dropAll, refusal, silenced } from './cheats.ts';
import { bytesOfBody, isAudit } from './conduct.ts';
import { forgingAnswers, type ShownBlock, traceOf } from './forged-answers.ts';
import { type Begun, type Cheat, cheating } from './found-out.ts';
import type { Scenario } from './scenario.ts';

/** A shard of the owner's, and who holds it. */
interface Placed {
  readonly holder: SimPeer;
  readonly index: number;
  readonly name: ShardName;
  /** As it was sent. */
  readonly bytes: Bytes;
}

interface Stripe {
  readonly row: PackRow;
  readonly shards: readonly Placed[];
}

/** Which shards lie where: owners know, and partners that compare what came at the same time can guess. */
function stripesOf({ town, owner }: Cheat): readonly Stripe[] {
  const stores = durable(owner);
  return stores.packs.all().flatMap((row) => {
    const { stripe } = row;
    if (stripe === undefined) return [];
    const shards = stores.shards.ofPack(row.pack).map(({ partner, index }): Placed => {
      const holder = town.peerOf(partner);
      const name = new ShardNamer(owner.keys.shardNameKey, partner).nameOf(stripe, index);
      const bytes = holder.home.held.whole(`${owner.keys.peerId}/${name}`);
      return { holder, index, name, bytes: present(bytes, 'what the owner counts as held') };
    });
    return [{ row, shards }];
  });
}

/** In which stripe a shard is, by what its holder calls it. */
function placeOf(
  stripes: readonly Stripe[],
  holder: SimPeer,
  name: ShardName,
): { readonly stripe: Stripe; readonly own: Placed } | undefined {
  for (const stripe of stripes) {
    const own = stripe.shards.find((shard) => shard.holder === holder && shard.name === name);
    if (own !== undefined) return { stripe, own };
  }
  return undefined;
}

function blockOf(bytes: Bytes, number: number): Bytes {
  return bytes.subarray(number * blockBytes, (number + 1) * blockBytes);
}

/** The block's payload, from those of k others as the code has it. The tag was kept: it is short. */
function madeAnew(
  { town }: Cheat,
  { stripe, own }: { readonly stripe: Stripe; readonly own: Placed },
  payloads: ReadonlyMap<number, Bytes>,
): Bytes {
  const code = erasureCodeOf(present(stripe.row.code, 'a code'), town.kernels);
  const decoded = code.decode(payloads, [own.index]);
  assert(decoded.ok, 'k shards are enough');
  return present(decoded.value.get(own.index), 'what was asked for');
}

/** k others give it what they keep. It answers what it was asked for with what the code makes of that. */
function regenerate(of: Cheat): Begun {
  const { town, cheat, friends } = of;
  const stripes = stripesOf(of);
  const dataShards = Math.max(...stripes.map(({ row }) => row.code?.dataShards ?? 0));
  const colluders = friends.slice(0, dataShards);
  const rebuilt = (block: ShownBlock): Bytes => {
    const place = placeOf(stripes, cheat, block.name);
    // What came since then it has not dropped yet.
    if (place === undefined) return block.bytes;
    const others = place.stripe.shards.filter(({ holder }) => colluders.includes(holder));
    const sealed = others.map(
      ({ index, bytes }) =>
        [index, blockOf(bytes, block.number).subarray(0, payloadBytes)] as const,
    );
    requireSealingAlone(of, place, { others, block });
    const tag = block.bytes.subarray(payloadBytes);
    const made = concatBytes([madeAnew(of, place, new Map(sealed)), tag]);
    town.world.note('cheat.rebuilt', traceOf(block, made));
    return made;
  };
  town.conductOf(cheat).answers = forgingAnswers(cheat, rebuilt);
  return audited(of, 0);
}

/** The same with the owner's key gives the very block: it is the second encryption that stands against this, and nothing else. */
function requireSealingAlone(
  of: Cheat,
  place: { readonly stripe: Stripe; readonly own: Placed },
  { others, block }: { readonly others: readonly Placed[]; readonly block: ShownBlock },
): void {
  const { town, owner } = of;
  const { pack, suite, stripe } = place.stripe.row;
  const sealer = ({ holder, index }: Placed): ShardSealer =>
    new ShardSealer(owner.keys.sealKey, {
      suite: present(parseSuite(suite), `the suite of ${pack}`),
      owner: owner.keys.peerId,
      partner: holder.keys.peerId,
      stripeId: present(stripe, 'a stripe'),
      index,
    });
  const payloads = others.map((shard) => {
    const opened = sealer(shard).openBlock(block.number, blockOf(shard.bytes, block.number));
    assert(opened.ok, 'the owner opens what it sealed');
    return [shard.index, opened.value] as const;
  });
  const made = new Uint8Array(blockBytes);
  sealer(place.own).sealBlock(block.number, madeAnew(of, place, new Map(payloads)), made);
  town.require(equalBytes(made, block.bytes), 'with the owner’s key it would be the right block');
}

/** Of each stripe one of the two keeps its shard, for both. Whoever has not kept it shows the other's block. */
function shareCopies(of: Cheat): Begun {
  const { town, cheat, friends } = of;
  const friend = present(friends[0], 'a friend');
  const stripes = stripesOf(of);
  const keeper = new Map(stripes.map((stripe, at) => [stripe, at % 2 === 0 ? cheat : friend]));
  for (const [peer, other] of [
    [cheat, friend],
    [friend, cheat],
  ] as const)
    town.conductOf(peer).answers = forgingAnswers(peer, (block) => {
      const stripe = placeOf(stripes, peer, block.name)?.stripe;
      const copy = stripe?.shards.find(({ holder }) => holder === other);
      const isKept = stripe === undefined || keeper.get(stripe) === peer;
      if (isKept || copy === undefined) return block.bytes;
      const made = blockOf(copy.bytes, block.number);
      town.world.note('cheat.shared', traceOf(block, made));
      return made;
    });
  const kept = (peer: SimPeer): number =>
    stripes.filter((stripe) => keeper.get(stripe) === peer).length / stripes.length;
  const [one, two] = [audited(of, kept(cheat)), audited({ ...of, cheat: friend }, kept(friend))];
  return {
    cheats: [cheat, friend],
    predictedMs: Math.max(one.predictedMs, two.predictedMs),
    averageMs: Math.max(one.averageMs, two.averageMs),
  };
}

/** Keeps nothing and lets its friend answer, who takes the question as if the owner had asked. */
function relay(of: Cheat): Begun {
  const { town, owner, cheat } = of;
  const friend = present(of.friends[0], 'a friend');
  dropAll(of);
  town.conductOf(cheat).answers = async (request, engine, transport) => {
    if (!isAudit(request)) return await engine(request);
    const body = await bytesOfBody(request.body);
    const asked = { method: 'POST', path: request.path, fields: request.fields, body } as const;
    const reply = await transport.request(town.link.address(friend.keys.peerId), asked);
    if (!reply.ok) return refusal('request.paused');
    const { status, fields } = reply.value;
    return { status, fields, body: await bytesOfBody(reply.value.body) };
  };
  town.conductOf(friend).answers = (request, engine) =>
    engine(
      isAudit(request) && request.from === cheat.keys.peerId
        ? { ...request, from: owner.keys.peerId }
        : request,
    );
  return silenced(of);
}

export const colluderScenarios: readonly Scenario[] = [
  cheating({
    name: 'regenerator',
    about:
      'a partner makes what it is asked for from k shards of others: they are sealed for these',
    by: 'wrong',
    begin: regenerate,
  }),
  cheating({
    name: 'copy-sharers',
    about: 'two partners keep one copy of each stripe between them: it is wrong for one of them',
    by: 'wrong',
    begin: shareCopies,
  }),
  cheating({
    name: 'relay',
    about:
      'a partner keeps nothing and has audits answered by another: the answers are not its own',
    by: 'silence',
    begin: relay,
  }),
];
