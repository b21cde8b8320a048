/** Strangers that lie, forge, replay and flood, against real desks: refused with a reason, at a bounded price (C3, C24–C27). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { present } from '../../src/base/assert.ts';
import type { Bytes } from '../../src/base/bytes.ts';
import { hourMs, type Instant, instant, mebi, secondMs } from '../../src/base/units.ts';
import {
  type Agreement,
  decodeSignedAgreement,
  encodeAgreement,
  encodeSignedAgreement,
  signAgreement,
  verifyAgreement,
} from '../../src/core/agreements/agreement.ts';
import { openMaximum } from '../../src/core/agreements/negotiation-answerer.ts';
import { openTerms, type Terms } from '../../src/core/agreements/terms.ts';
import { deriveKeys, type OwnerKeys } from '../../src/core/sealing/keys.ts';
import {
  decodeNegotiationReply,
  decodeNegotiationRequest,
  encodeNegotiationReply,
  encodeNegotiationRequest,
  type NegotiationReply,
  type NegotiationRequest,
} from '../../src/core/wire/negotiation.ts';
import { type Profile, signProfile } from '../../src/core/wire/profile.ts';
import type { Reference } from '../../src/core/wire/reference.ts';
import type { Transport } from '../../src/ports/transport.ts';
import { durable } from '../../src/sim/checkers.ts';
import { simAddress } from '../../src/sim/network.ts';
import { agreementsApart, unsignedInForce } from '../../src/sim/partnership-checkers.ts';
import type { SimPeer } from '../../src/sim/sim-peer.ts';
import { worldBegins } from '../../src/sim/virtual-clock.ts';
import { type Crowd, crowd, lentBytes, settled } from './crowd.ts';

const offer: Terms = openTerms({ firstLendsBytes: 64 * mebi, secondLendsBytes: 64 * mebi });

/** Whoever speaks for itself, without an engine. */
class Stranger {
  readonly keys: OwnerKeys;
  readonly transport: Transport;
  readonly crowd: Crowd;

  constructor(of: Crowd, number: number) {
    const seed = new Uint8Array(32).fill(200);
    new DataView(seed.buffer).setUint32(0, number);
    this.crowd = of;
    this.keys = deriveKeys(seed);
    this.transport = of.link.network.transport(this.keys.peerId);
  }

  get now(): Instant {
    return instant(worldBegins + Math.floor(this.crowd.world.nowMs));
  }

  profile(changes: Partial<Profile> = {}): Bytes {
    return signProfile(
      {
        ...{ peer: this.keys.peerId, name: 'stranger', protocols: [1], program: 'sim' },
        ...{ system: 'sim', architecture: 'sim', place: {}, presets: ['circle', 'open'] },
        ...{ offeredBytes: lentBytes, wantedBytes: lentBytes, references: [], time: this.now },
        ...changes,
      },
      this.keys.identitySeed,
    );
  }

  /** An agreement in which `to` is the first party, with this one's signature or somebody else's. */
  signed(to: SimPeer, changes: Partial<Agreement> = {}, by: OwnerKeys = this.keys): Bytes {
    const [first, second] = [to.keys.peerId, this.keys.peerId];
    const body = encodeAgreement({ first, second, start: this.now, terms: offer, ...changes });
    const half = signAgreement({ body, signatures: {} }, 'second', by.identitySeed);
    return encodeSignedAgreement(half);
  }

  sign(agreement: Bytes): NegotiationRequest {
    const negotiation = new Uint8Array(16);
    return { type: 'sign', protocol: 1, negotiation, agreement, name: '', addresses: [] };
  }

  offer(terms: Terms = offer): NegotiationRequest {
    return { type: 'offer', protocol: 1, negotiation: new Uint8Array(16), round: 1, terms };
  }

  /** What comes back, once the world has got that far. */
  async say(to: SimPeer, request: NegotiationRequest | Bytes): Promise<NegotiationReply | string> {
    const body = request instanceof Uint8Array ? request : encodeNegotiationRequest(request);
    let said: NegotiationReply | string | undefined;
    void this.#exchange(to, body).then((reply) => {
      said = reply;
    });
    const { world } = this.crowd;
    await world.run({ until: () => said !== undefined, untilMs: world.nowMs + hourMs });
    return said ?? 'nothing';
  }

  async #exchange(to: SimPeer, body: Bytes): Promise<NegotiationReply | string> {
    const { peerId } = to.keys;
    const address = { peer: peerId, addresses: [simAddress(peerId)] };
    const request = { method: 'POST', path: '/v1/negotiation', body } as const;
    const answer = await this.transport.request(address, request);
    if (!answer.ok) return answer.error.code;
    const pieces: Uint8Array[] = [];
    for await (const piece of answer.value.body) pieces.push(piece);
    const reply = decodeNegotiationReply(new Uint8Array(Buffer.concat(pieces)));
    return reply.ok ? reply.value : `status ${answer.value.status}`;
  }

  /** Answers everybody from here on. */
  async answers(reply: (request: NegotiationRequest) => NegotiationReply): Promise<void> {
    await this.transport.serve(
      async ({ body }) => {
        const pieces: Uint8Array[] = [];
        for await (const piece of body) pieces.push(piece);
        const request = decodeNegotiationRequest(new Uint8Array(Buffer.concat(pieces)));
        if (!request.ok) return { status: 404 };
        return { status: 200, body: encodeNegotiationReply(reply(request.value)) };
      },
      () => 'stranger',
    );
  }
}

function reasonOf(reply: NegotiationReply | string): string {
  if (typeof reply === 'string') return reply;
  return reply.type === 'refused' ? reply.reason : reply.type;
}

/** One computer that would take strangers, and waits to be asked. */
async function waiting(seed: string, count = 1): Promise<Crowd & { readonly victim: SimPeer }> {
  const them = crowd(seed, count, {
    meets: false,
    partnership: () => ({ preset: 'open', searchIntervalMs: 10 * hourMs, wantedPartners: 4 }),
  });
  await them.world.run({ untilMs: secondMs });
  return { ...them, victim: present(them.peers[0], 'a victim') };
}

function nothingSigned(peer: SimPeer): void {
  assert.deepEqual(durable(peer).agreements.all(), []);
}

test('a forged signature, and somebody else’s, are refused', async () => {
  const them = await waiting('forged');
  const [one, two] = [new Stranger(them, 1), new Stranger(them, 2)];
  const forged = one.signed(them.victim, {}, two.keys);
  assert.equal(reasonOf(await one.say(them.victim, one.sign(forged))), 'negotiation.unexpected');
  const others = two.signed(them.victim);
  assert.equal(reasonOf(await one.say(them.victim, one.sign(others))), 'negotiation.unexpected');
  const whole = decodeSignedAgreement(others);
  assert(whole.ok);
  const bare = encodeSignedAgreement({ body: whole.value.body, signatures: {} });
  assert.equal(reasonOf(await two.say(them.victim, two.sign(bare))), 'negotiation.unexpected');
  nothingSigned(them.victim);
});

test('a profile that somebody else signed makes no candidate', async () => {
  const them = await waiting('masked');
  const [one, two] = [new Stranger(them, 1), new Stranger(them, 2)];
  await one.say(them.victim, { type: 'query', profile: two.profile(), addresses: [] });
  assert.deepEqual(durable(them.victim).candidates.all(), []);
  await two.say(them.victim, { type: 'query', profile: two.profile(), addresses: [] });
  assert.equal(durable(them.victim).candidates.all().length, 1);
});

test('an agreement that is sent again changes nothing, and after its end is refused', async () => {
  const them = await waiting('replayed');
  const { victim } = them;
  const stranger = new Stranger(them, 1);
  const document = stranger.signed(victim);
  const first = await stranger.say(victim, stranger.sign(document));
  assert.equal(reasonOf(first), 'signed');
  assert.deepEqual(await stranger.say(victim, stranger.sign(document)), first);
  assert.equal(durable(victim).agreements.all().length, 1);
  const forgotten = present(victim.computer, 'it runs').forget(stranger.keys.peerId);
  assert(forgotten.ok);
  assert.equal(
    reasonOf(await stranger.say(victim, stranger.sign(document))),
    'negotiation.not-in-force',
  );
  const old = stranger.signed(victim, { start: instant(worldBegins - 2 * hourMs) });
  assert.equal(reasonOf(await stranger.say(victim, stranger.sign(old))), 'negotiation.start');
});

test('terms out of bounds are answered with others, and never signed', async () => {
  const them = await waiting('bounds');
  const { victim } = them;
  const stranger = new Stranger(them, 1);
  const greedy: readonly [Partial<Terms>, string][] = [
    [{ firstLendsBytes: 2 ** 40 }, 'negotiation.space'],
    [{ firstLendsBytes: 64 * mebi, secondLendsBytes: 0 }, 'negotiation.space'],
    [{ graceMs: 1_000, commitmentMs: 2_000 }, 'negotiation.terms'],
    [{ readQuota: 1_000 }, 'negotiation.terms'],
    [{ trusted: true, commitmentMs: 0 }, 'negotiation.terms'],
    [{ bandwidth: 2 ** 40 }, 'negotiation.bandwidth'],
  ];
  for (const [changes, reason] of greedy) {
    const terms = { ...offer, ...changes };
    const answer = reasonOf(await stranger.say(victim, stranger.offer(terms)));
    assert(['counter', reason].includes(answer), answer);
    const document = stranger.signed(victim, { terms });
    assert.equal(reasonOf(await stranger.say(victim, stranger.sign(document))), reason);
  }
  nothingSigned(victim);
});

test('who offers much, and lends nothing in return, gets no agreement', async () => {
  const them = crowd('space', 1, {
    meets: true,
    partnership: () => ({ preset: 'open', wantedPartners: 2 }),
  });
  const stranger = new Stranger(them, 1);
  await stranger.answers((request) => {
    if (request.type === 'query')
      return { type: 'answer', profile: stranger.profile(), addresses: [] };
    if (request.type !== 'offer')
      return { type: 'refused', reason: 'negotiation.unexpected', detail: '' };
    const { negotiation, round, terms } = request;
    // It was asked: it is the first party.
    return { type: 'counter', negotiation, round, terms: { ...terms, firstLendsBytes: 0 } };
  });
  const victim = present(them.peers[0], 'a victim');
  await them.world.run({ untilMs: secondMs });
  const { peerId } = stranger.keys;
  await stranger.say(victim, {
    type: 'query',
    profile: stranger.profile(),
    addresses: [simAddress(peerId)],
  });
  await them.world.run({ untilMs: 60 * secondMs });
  nothingSigned(victim);
  const row = durable(victim).candidates.get(peerId);
  assert.match(row?.refusal ?? '', /^negotiation\./);
});

test('an answer to a signature that is not the other’s is no agreement', async () => {
  for (const fault of ['unsigned', 'forged', 'another body'] as const) {
    const them = crowd(`answer ${fault}`, 1, {
      meets: false,
      partnership: () => ({ preset: 'open', wantedPartners: 2 }),
    });
    const victim = present(them.peers[0], 'a victim');
    const [stranger, other] = [new Stranger(them, 1), new Stranger(them, 2)];
    await stranger.answers((request) => {
      if (request.type === 'query')
        return { type: 'answer', profile: stranger.profile(), addresses: [] };
      if (request.type === 'offer')
        return { type: 'accepted', negotiation: request.negotiation, round: request.round };
      const signed = decodeSignedAgreement(request.agreement);
      assert(signed.ok);
      const document =
        fault === 'unsigned'
          ? request.agreement
          : fault === 'forged'
            ? encodeSignedAgreement(signAgreement(signed.value, 'first', other.keys.identitySeed))
            : stranger.signed(victim);
      return { type: 'signed', agreement: document, name: '', addresses: [] };
    });
    await them.world.run({ untilMs: secondMs });
    const addresses = [simAddress(stranger.keys.peerId)];
    await stranger.say(victim, { type: 'query', profile: stranger.profile(), addresses });
    await them.world.run({ untilMs: 60 * secondMs });
    const rows = durable(victim).agreements.all();
    assert(
      rows.every(({ phase }) => phase === 'proposed'),
      fault,
    );
    assert.deepEqual(unsignedInForce(victim, lentBytes), []);
  }
});

test('who names references that know nothing of it, or admits that it reneged, is refused', async () => {
  const them = await waiting('references', 3);
  const { victim, peers } = them;
  const named = (renegedCount: number, provenDays: number): readonly Reference[] =>
    peers.slice(1).map(({ keys }) => ({
      peer: keys.peerId,
      addresses: [simAddress(keys.peerId)],
      ...{ sequence: 7, receiptHash: new Uint8Array(32).fill(7), provenDays, renegedCount },
    }));
  for (const [number, references] of [named(0, 500), named(1, 10)].entries()) {
    const stranger = new Stranger(them, number);
    const profile = stranger.profile({ references });
    await stranger.say(victim, { type: 'query', profile, addresses: [] });
    assert.equal(reasonOf(await stranger.say(victim, stranger.offer())), 'negotiation.record');
    const signed = stranger.sign(stranger.signed(victim));
    assert.equal(reasonOf(await stranger.say(victim, signed)), 'negotiation.record');
  }
  nothingSigned(victim);
});

test('a flood is answered in part, fills no memory, and keeps nobody else out', async () => {
  const them = await waiting('flood', 2);
  const { victim, peers } = them;
  const one = new Stranger(them, 0);
  const answers = new Map<string, number>();
  const count = (reason: string): void => {
    answers.set(reason, (answers.get(reason) ?? 0) + 1);
  };
  for (let sent = 0; sent < 100; sent += 1) count(reasonOf(await one.say(victim, one.offer())));
  assert((answers.get('negotiation.busy') ?? 0) >= 70, [...answers].join());
  for (let number = 1; number <= 150; number += 1) {
    const stranger = new Stranger(them, number);
    await stranger.say(victim, { type: 'query', profile: stranger.profile(), addresses: [] });
    count(reasonOf(await stranger.say(victim, stranger.offer())));
  }
  assert(durable(victim).candidates.all().length <= openMaximum);
  nothingSigned(victim);
  const friend = present(peers[1], 'another');
  await befriend(them, victim, friend);
});

/** After the flood an honest computer that knows the address still becomes a partner. */
async function befriend(them: Crowd, victim: SimPeer, friend: SimPeer): Promise<void> {
  const computer = present(friend.computer, 'it runs');
  const code = present(victim.computer, 'it runs').invite({ spaceBytes: mebi, validMs: hourMs });
  let joined = false;
  void computer.join(code, { spaceBytes: mebi }).then((outcome) => {
    joined = outcome.ok;
  });
  await them.world.run({ until: () => joined, untilMs: them.world.nowMs + 60 * secondMs });
  assert(joined);
}

test('no sequence of true, spoiled, repeated and mixed messages brings about half an agreement', async () => {
  const step = fc.record({
    who: fc.integer({ min: 0, max: 2 }),
    whose: fc.option(fc.integer({ min: 0, max: 2 }), { freq: 1, nil: undefined }),
    what: fc.constantFrom('query', 'offer', 'sign', 'again'),
    lends: fc.integer({ min: 0, max: 400 }),
    asks: fc.integer({ min: 0, max: 200 }),
    spoiltAt: fc.option(fc.nat(2_000), { freq: 1, nil: undefined }),
  });
  let [number, agreed] = [0, 0];
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      number += 1;
      const them = await waiting(`sequence ${number}`);
      const { victim } = them;
      const strangers = [0, 1, 2].map((each) => new Stranger(them, each));
      const said: Bytes[] = [];
      for (const { who, whose, what, lends, asks, spoiltAt } of steps) {
        const [speaker, author] = [strangers[who], strangers[whose ?? who]];
        assert(speaker !== undefined && author !== undefined);
        const terms = { ...offer, firstLendsBytes: asks * mebi, secondLendsBytes: lends * mebi };
        if (what === 'sign' && asks + lends === 0) continue;
        const request: NegotiationRequest =
          what === 'query'
            ? { type: 'query', profile: author.profile(), addresses: [] }
            : what === 'offer'
              ? author.offer(terms)
              : author.sign(author.signed(victim, { terms }));
        const last = said.at(-1);
        const fresh = encodeNegotiationRequest(request);
        const message = what === 'again' && last !== undefined ? last : fresh;
        said.push(message);
        const spoilt = new Uint8Array(message);
        if (spoiltAt !== undefined) {
          const at = spoiltAt % spoilt.length;
          spoilt[at] = (spoilt[at] ?? 0) ^ 1;
        }
        const reply = await speaker.say(victim, spoilt);
        if (typeof reply !== 'string' && reply.type === 'signed') {
          const signed = decodeSignedAgreement(reply.agreement);
          assert(signed.ok && verifyAgreement(signed.value).ok);
          agreed += 1;
        }
        assert.deepEqual(unsignedInForce(victim, lentBytes), []);
        for (const row of durable(victim).agreements.all()) assert.notEqual(row.phase, 'proposed');
      }
    }),
    { numRuns: 60 },
  );
  assert(agreed > 0, 'some of them are good');
});

test('honest computers settle among liars', async () => {
  const them = crowd('among liars', 6, {
    meets: true,
    partnership: () => ({ preset: 'open', wantedPartners: 3 }),
  });
  await them.world.run({ untilMs: 1 });
  for (let number = 0; number < 6; number += 1) {
    const liar = new Stranger(them, number);
    await liar.answers((request) =>
      request.type === 'query'
        ? { type: 'answer', profile: liar.profile(), addresses: [] }
        : { type: 'refused', reason: 'negotiation.rounds', detail: 'no' },
    );
    const addresses = [simAddress(liar.keys.peerId)];
    for (const peer of them.peers)
      await liar.say(peer, { type: 'query', profile: liar.profile(), addresses });
  }
  await settled(them, 3, 600 * secondMs);
  assert.deepEqual(agreementsApart(them.peers), []);
});
