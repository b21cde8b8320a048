import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { present } from '../../base/assert.ts';
import { type Bytes, equalBytes, utf8Bytes } from '../../base/bytes.ts';
import { dayMs, type Instant, instant, minuteMs } from '../../base/units.ts';
import { sha256 } from '../../primitives/hash.ts';
import { publicKeyOf } from '../../primitives/signature.ts';
import { type AgreementId, idOf, type PeerId } from '../vocabulary/ids.ts';
import {
  type NegotiationReply,
  type NegotiationRequest,
  roundsMaximum,
} from '../wire/negotiation.ts';
import { commonProtocol } from '../wire/protocol.ts';
import {
  type Agreement,
  decodeSignedAgreement,
  encodeAgreement,
  encodeSignedAgreement,
  partyOf,
  signAgreement,
  verifyAgreement,
} from './agreement.ts';
import { withinBounds } from './judgement.ts';
import type { Deed, Negotiator, Stance } from './negotiation.ts';
import {
  type AnswererState,
  idleAnswerer,
  messagesMaximum,
  openMaximum,
  openMs,
  skippedMaximum,
  stepAnswerer,
} from './negotiation-answerer.ts';
import {
  type AskerEffect,
  type AskerState,
  type AskerStep,
  type Inquiry,
  resumeAsking,
  startAsking,
  stepAsker,
} from './negotiation-asker.ts';
import { nothingKnown, type Policy, type PolicyChanges, policyOf } from './policy.ts';
import { renewalDue, supersedes } from './replacement.ts';
import { openTerms, type Terms } from './terms.ts';

const gigabyte = 1e9;
const begin = instant(1_800_000_000_000);

/** One computer at the table: what it has in force, and what it asks for. */
class Computer {
  readonly self: Negotiator;
  readonly seed: Bytes;
  policy: Policy;
  wanted = true;
  readonly inForce = new Map<AgreementId, Deed>();
  ended: readonly Deed[] = [];
  proposed: Deed | undefined;
  asking: AskerState | undefined;
  answering: AnswererState = idleAnswerer;

  constructor(name: string, policy: Policy, protocols: readonly number[] = [1]) {
    this.seed = sha256(utf8Bytes(name));
    const peer = idOf<PeerId>(publicKeyOf(this.seed));
    const profile = utf8Bytes(`profile of ${name}`);
    this.self = { peer, identitySeed: this.seed, name, addresses: [], profile, protocols };
    this.policy = policy;
  }

  stance(): Stance | undefined {
    return this.wanted ? { policy: this.policy, circumstances: nothingKnown } : undefined;
  }

  with(peer: PeerId): Deed | undefined {
    return [...this.inForce.values()].find(
      ({ link }) => partyOf(link.agreement, peer) !== undefined,
    );
  }

  answer(from: PeerId, request: NegotiationRequest, now: Instant): NegotiationReply {
    const ended = this.ended.map(({ link }) => link);
    const relation = { current: this.with(from), ended, proposed: this.proposed };
    const occasion = { from, now, relation, stance: this.stance() };
    const step = stepAnswerer(this.self, this.answering, {
      type: 'request-received',
      request,
      occasion,
    });
    this.answering = step.state;
    let reply: NegotiationReply | undefined;
    for (const effect of step.effects) {
      assert.equal(reply, undefined, 'the reply is the last effect');
      if (effect.type === 'store-agreement') this.store(effect.deed);
      if (effect.type === 'drop-proposal') this.proposed = undefined;
      if (effect.type === 'withdraw-asking' && this.asking !== undefined)
        this.take(stepAsker(this.self, this.asking, { type: 'withdrawn' }));
      if (effect.type === 'reply') reply = effect.reply;
    }
    return present(reply, 'every request has a reply');
  }

  /** Both signatures, terms within our own bounds, and never an older document over a newer one. */
  store(deed: Deed): void {
    assert.ok(verifyAgreement(deed.signed).ok, 'signed by both');
    const own = present(partyOf(deed.link.agreement, this.self.peer), 'a party');
    assert.ok(withinBounds(this.policy, deed.link.agreement.terms, own), 'within our bounds');
    const before = this.inForce.get(deed.link.root);
    assert.ok(supersedes(deed.link, before?.link), 'newer');
    this.inForce.set(deed.link.root, deed);
  }

  /** Takes a step of the asker; what it wants sent comes back. */
  take(step: AskerStep): NegotiationRequest | undefined {
    this.asking = step.state;
    let request: NegotiationRequest | undefined;
    for (const effect of step.effects) request = this.#perform(effect) ?? request;
    return request;
  }

  #perform(effect: AskerEffect): NegotiationRequest | undefined {
    switch (effect.type) {
      case 'send':
        return effect.request;
      case 'store-proposal':
        this.proposed = effect.proposal;
        return undefined;
      case 'drop-proposal':
        this.proposed = undefined;
        return undefined;
      case 'store-agreement':
        this.proposed = undefined;
        this.store(effect.deed);
        return undefined;
      case 'consider': {
        const stance = present(this.stance(), 'who asks wants a partner');
        const protocol = commonProtocol(this.self.protocols, [1]);
        return this.take(
          stepAsker(this.self, present(this.asking, 'it asks'), {
            type: 'considered',
            stance,
            protocol,
          }),
        );
      }
      case 'ask-again':
        return undefined;
      default:
        return effect satisfies never;
    }
  }
}

function policyWith(
  preset: 'circle' | 'open',
  changes: PolicyChanges = {},
  trusted = preset === 'circle',
): Policy {
  const space = { freeBytes: 100 * gigabyte, wantedBytes: 10 * gigabyte };
  return policyOf({ preset, trusted, ...space, cleanMs: 365 * dayMs, changes });
}

function inquiry(other: Computer, extra: Partial<Inquiry> = {}): Inquiry {
  return { negotiation: sha256(utf8Bytes('n')).slice(0, 16), with: other.self.peer, ...extra };
}

/** Every request is answered, in order; how many it took. */
function exchange(asker: Computer, answerer: Computer, extra: Partial<Inquiry> = {}): number {
  let request = asker.take(startAsking(asker.self, inquiry(answerer, extra)));
  let count = 0;
  for (; request !== undefined; count += 1) {
    assert.ok(count < roundsMaximum + 3, 'a negotiation ends');
    const reply = answerer.answer(asker.self.peer, request, begin);
    const state = present(asker.asking, 'it asks');
    request = asker.take(
      stepAsker(asker.self, state, { type: 'reply-received', reply, now: begin }),
    );
  }
  return count;
}

function outcomeOf(computer: Computer): string {
  const { asking } = computer;
  return asking?.phase === 'failed' ? asking.refusal.code : (asking?.phase ?? 'nothing');
}

test('C3: two strangers query, offer, sign and countersign, and hold the same document', () => {
  const [ann, bob] = [
    new Computer('ann', policyWith('open')),
    new Computer('bob', policyWith('open')),
  ];
  assert.equal(exchange(ann, bob), 3);
  assert.equal(outcomeOf(ann), 'concluded');
  const [hers, his] = [
    present(ann.with(bob.self.peer), 'hers'),
    present(bob.with(ann.self.peer), 'his'),
  ];
  assert.ok(equalBytes(hers.document, his.document));
  assert.equal(hers.link.agreement.first, bob.self.peer);
  assert.equal(hers.link.agreement.terms.trusted, false);
});

test('C3: sides that prefer different terms meet where their bounds overlap', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 10, max: 18 }),
      fc.integer({ min: 10, max: 18 }),
      fc.integer({ min: 1, max: 40 }),
      (oneGrace, otherGrace, space) => {
        const ann = new Computer(
          'ann',
          policyWith('open', { preferred: { graceMs: oneGrace * dayMs } }),
        );
        const lending = { mostBytes: space * gigabyte, wantedBytes: space * gigabyte };
        const changes = { preferred: { graceMs: otherGrace * dayMs }, lending };
        const bob = new Computer(
          'bob',
          policyWith(space % 2 === 0 ? 'open' : 'circle', changes, false),
        );
        exchange(ann, bob);
        assert.equal(outcomeOf(ann), 'concluded');
        const { terms } = present(ann.with(bob.self.peer), 'an agreement').link.agreement;
        assert.ok(terms.firstLendsBytes <= space * gigabyte);
        assert.ok(terms.commitmentMs > terms.graceMs);
      },
    ),
    { numRuns: 50 },
  );
});

test('C3: whatever the two policies are, a negotiation ends within its rounds, and nobody signs beyond its bounds', () => {
  const range = fc
    .tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 60 }))
    .map(([least, width]) => ({ least: least * dayMs, most: (least + width) * dayMs }));
  const policy = fc
    .record({
      preset: fc.constantFrom('circle' as const, 'open' as const),
      trusted: fc.boolean(),
      graceMs: range,
      commitmentMs: range,
      least: fc.integer({ min: 0, max: 20 * gigabyte }),
      most: fc.integer({ min: 0, max: 20 * gigabyte }),
      timesReturn: fc.constantFrom(undefined, 0.5, 1, 3),
    })
    .map(({ preset, trusted, least, most, timesReturn, ...ranges }) =>
      policyWith(
        preset,
        { ranges, lending: { mostBytes: most, leastInReturnBytes: least, timesReturn } },
        trusted,
      ),
    );
  const ends = new Set<string>();
  fc.assert(
    fc.property(policy, policy, (one, other) => {
      const [ann, bob] = [new Computer('ann', one), new Computer('bob', other)];
      exchange(ann, bob);
      ends.add(outcomeOf(ann));
      assert.ok(['concluded', 'failed'].includes(present(ann.asking, 'it ends').phase));
      assert.equal(ann.inForce.size, bob.inForce.size);
    }),
    { numRuns: 150 },
  );
  assert.ok(ends.has('concluded') && ends.size > 1);
});

test('a side that wants no partner says so, and one that speaks no common version too', () => {
  const [ann, bob] = [
    new Computer('ann', policyWith('open')),
    new Computer('bob', policyWith('open')),
  ];
  bob.wanted = false;
  exchange(ann, bob);
  assert.equal(outcomeOf(ann), 'negotiation.not-wanted');
  const later = new Computer('cid', policyWith('open'), [7, 8]);
  exchange(later, bob);
  assert.equal(outcomeOf(later), 'negotiation.protocol');
});

test('C30: trust is not signed by a side whose person did not give it', () => {
  const ann = new Computer('ann', policyWith('circle'));
  const bob = new Computer('bob', policyWith('circle', {}, false));
  exchange(ann, bob);
  const { terms } = present(bob.with(ann.self.peer), 'an agreement').link.agreement;
  assert.equal(terms.trusted, false);
  assert.ok(terms.commitmentMs > terms.graceMs);
});

function signedOffer(
  from: Computer,
  to: Computer,
  change: Partial<Agreement> = {},
): NegotiationRequest {
  const terms: Terms = openTerms({ firstLendsBytes: gigabyte, secondLendsBytes: gigabyte });
  const agreement: Agreement = {
    first: to.self.peer,
    second: from.self.peer,
    start: begin,
    terms,
    ...change,
  };
  const party = present(partyOf(agreement, from.self.peer), 'a party');
  const signed = signAgreement(
    { body: encodeAgreement(agreement), signatures: {} },
    party,
    from.seed,
  );
  return {
    type: 'sign',
    protocol: 1,
    negotiation: new Uint8Array(16),
    agreement: encodeSignedAgreement(signed),
    name: '',
    addresses: [],
  };
}

function reasonOf(reply: NegotiationReply): string {
  return reply.type === 'refused' ? reply.reason : reply.type;
}

test('a signature that is sent again gets the same document, however late', () => {
  const [ann, bob] = [
    new Computer('ann', policyWith('open')),
    new Computer('bob', policyWith('open')),
  ];
  const sign = signedOffer(ann, bob);
  const once = bob.answer(ann.self.peer, sign, begin);
  bob.wanted = false;
  const again = bob.answer(ann.self.peer, sign, instant(begin + 300 * dayMs));
  assert.equal(once.type, 'signed');
  assert.deepEqual(again, once);
});

test('a start far from our clock, parts exchanged, another’s signature or our own faked are refused', () => {
  const [ann, bob, eve] = ['ann', 'bob', 'eve'].map(
    (name) => new Computer(name, policyWith('open')),
  );
  assert.ok(ann !== undefined && bob !== undefined && eve !== undefined);
  const tell = (from: Computer, request: NegotiationRequest): string =>
    reasonOf(bob.answer(from.self.peer, request, begin));
  const early = { start: instant(begin - 61 * minuteMs) };
  assert.equal(tell(ann, signedOffer(ann, bob, early)), 'negotiation.start');
  const parts = { first: ann.self.peer, second: bob.self.peer };
  assert.equal(tell(ann, signedOffer(ann, bob, parts)), 'negotiation.unexpected');
  assert.equal(tell(eve, signedOffer(ann, bob)), 'negotiation.unexpected');
  assert.equal(tell(ann, signedOffer(ann, eve)), 'negotiation.unexpected');
  assert.equal(bob.inForce.size, 0);
});

test('a partner cannot have a second agreement beside the one in force', () => {
  const [ann, bob] = [
    new Computer('ann', policyWith('open')),
    new Computer('bob', policyWith('open')),
  ];
  exchange(ann, bob);
  const more = signedOffer(ann, bob, { start: instant(begin + 1) });
  assert.equal(reasonOf(bob.answer(ann.self.peer, more, begin)), 'negotiation.partners-already');
});

test('what ended is not signed again, neither its last document nor its first', () => {
  const [ann, bob] = [
    new Computer('ann', policyWith('open')),
    new Computer('bob', policyWith('open')),
  ];
  exchange(ann, bob);
  const first = present(bob.with(ann.self.peer), 'in force');
  const { root } = first.link;
  const change = signedOffer(ann, bob, { replaces: { root, number: 1 }, start: instant(begin) });
  assert.equal(reasonOf(bob.answer(ann.self.peer, change, begin)), 'signed');
  bob.ended = [present(bob.inForce.get(root), 'in force')];
  bob.inForce.clear();
  const again = { ...change, agreement: first.document } as NegotiationRequest;
  assert.equal(reasonOf(bob.answer(ann.self.peer, again, begin)), 'negotiation.not-in-force');
  assert.equal(bob.inForce.size, 0);
});

test('no change takes a number after which there is none', () => {
  const [ann, bob] = [
    new Computer('ann', policyWith('open')),
    new Computer('bob', policyWith('open')),
  ];
  exchange(ann, bob);
  const { root } = present(bob.with(ann.self.peer), 'in force').link;
  const tell = (number: number): string => {
    const change = signedOffer(ann, bob, { replaces: { root, number }, start: instant(begin) });
    return reasonOf(bob.answer(ann.self.peer, change, begin));
  };
  assert.equal(tell(Number.MAX_SAFE_INTEGER), 'negotiation.not-in-force');
  assert.equal(tell(skippedMaximum + 1), 'negotiation.not-in-force');
  assert.equal(tell(skippedMaximum), 'signed');
});

test('C3: terms are changed by either party: both sign again, and the first agreement’s id stays the key', () => {
  const [ann, bob] = [
    new Computer('ann', policyWith('open')),
    new Computer('bob', policyWith('open')),
  ];
  exchange(ann, bob);
  const root = present(ann.with(bob.self.peer), 'an agreement').link.root;
  const askers: readonly [Computer, Computer][] = [
    [ann, bob],
    [bob, ann],
    [ann, bob],
  ];
  for (const [number, [asker, answerer]] of askers.entries()) {
    const current = present(asker.with(answerer.self.peer), 'in force').link;
    const lent = (20 + number) * gigabyte;
    const wish = { ...current.agreement.terms, firstLendsBytes: lent, secondLendsBytes: lent };
    exchange(asker, answerer, { current, wish });
    assert.equal(outcomeOf(asker), 'concluded');
    for (const side of [ann, bob]) {
      const deed = present(side.inForce.get(root), 'under its root');
      assert.equal(side.inForce.size, 1);
      assert.equal(deed.link.number, number + 1);
      assert.equal(deed.link.agreement.terms.firstLendsBytes, lent);
      assert.equal(deed.link.agreement.first, bob.self.peer);
    }
  }
});

test('an older document, shown again, changes nothing, and one of another partnership neither', () => {
  const [ann, bob] = [
    new Computer('ann', policyWith('open')),
    new Computer('bob', policyWith('open')),
  ];
  exchange(ann, bob);
  const first = present(ann.with(bob.self.peer), 'in force');
  const { root } = first.link;
  const change = (number: number, at = root): NegotiationRequest =>
    signedOffer(ann, bob, { replaces: { root: at, number }, start: instant(begin + number) });
  const tell = (request: NegotiationRequest): string =>
    reasonOf(bob.answer(ann.self.peer, request, begin));
  assert.equal(tell(change(2)), 'signed');
  assert.equal(tell(change(1)), 'negotiation.not-in-force');
  assert.equal(tell(change(2)), 'signed');
  assert.equal(tell(change(3, 'ab'.repeat(32) as AgreementId)), 'negotiation.not-in-force');
  const old: NegotiationRequest = {
    ...change(1),
    type: 'sign',
    agreement: first.document,
  } as NegotiationRequest;
  assert.equal(tell(old), 'negotiation.partners-already');
  assert.equal(present(bob.inForce.get(root), 'in force').link.number, 2);
});

test('when both propose at once, one of the two proposals comes into force on both sides', () => {
  const [ann, bob] = [
    new Computer('ann', policyWith('open')),
    new Computer('bob', policyWith('open')),
  ];
  const signs = [
    [ann, bob],
    [bob, ann],
  ].map(([asker, other]) => upToSignature(present(asker, 'one'), present(other, 'other')));
  const [hers, his] = [present(signs[0], 'hers'), present(signs[1], 'his')];
  const toBob = bob.answer(ann.self.peer, hers, begin);
  const toAnn = ann.answer(bob.self.peer, his, begin);
  for (const [side, reply] of [
    [ann, toBob],
    [bob, toAnn],
  ] as const)
    if (side.asking !== undefined)
      side.take(stepAsker(side.self, side.asking, { type: 'reply-received', reply, now: begin }));
  assert.deepEqual([...ann.inForce.keys()], [...bob.inForce.keys()]);
  assert.equal(ann.inForce.size, 1);
});

/** Negotiates until the asker's signature is ready to go, and gives that request. */
function upToSignature(asker: Computer, answerer: Computer): NegotiationRequest {
  let request = asker.take(startAsking(asker.self, inquiry(answerer)));
  while (request !== undefined && request.type !== 'sign') {
    const reply = answerer.answer(asker.self.peer, request, begin);
    const state = present(asker.asking, 'it asks');
    request = asker.take(
      stepAsker(asker.self, state, { type: 'reply-received', reply, now: begin }),
    );
  }
  return present(request, 'it comes to a signature');
}

test('a proposal survives a crash and silence, and comes into force by being sent again', () => {
  const [ann, bob] = [
    new Computer('ann', policyWith('open')),
    new Computer('bob', policyWith('open')),
  ];
  const sign = upToSignature(ann, bob);
  bob.answer(ann.self.peer, sign, begin);
  ann.take(stepAsker(ann.self, present(ann.asking, 'it asks'), { type: 'silence' }));
  assert.equal(outcomeOf(ann), 'signing');
  const proposal = present(ann.proposed, 'durable');
  const resumed = ann.take(resumeAsking(ann.self, inquiry(bob), { proposal, protocol: 1 }));
  const reply = bob.answer(ann.self.peer, present(resumed, 'a request'), instant(begin + dayMs));
  ann.take(
    stepAsker(ann.self, present(ann.asking, 'it asks'), {
      type: 'reply-received',
      reply,
      now: begin,
    }),
  );
  assert.equal(outcomeOf(ann), 'concluded');
});

test('silence before a signature ends the negotiation; a withdrawn one drops its proposal', () => {
  const [ann, bob] = [
    new Computer('ann', policyWith('open')),
    new Computer('bob', policyWith('open')),
  ];
  ann.take(startAsking(ann.self, inquiry(bob)));
  ann.take(stepAsker(ann.self, present(ann.asking, 'it asks'), { type: 'silence' }));
  assert.equal(outcomeOf(ann), 'negotiation.silent');
  upToSignature(ann, bob);
  ann.take(stepAsker(ann.self, present(ann.asking, 'it asks'), { type: 'withdrawn' }));
  assert.equal(outcomeOf(ann), 'negotiation.not-wanted');
  assert.equal(ann.proposed, undefined);
});

/** What two computers would have agreed on before. */
function inForceBetween(ann: Computer, bob: Computer): [AgreementId, Deed] {
  const earlier = new Computer('bob', bob.policy);
  exchange(ann, earlier);
  return present([...earlier.inForce][0], 'an agreement');
}

test('others make only so much work: so many at once, so many messages each, for a while', () => {
  const bob = new Computer('bob', policyWith('open'));
  const offer: NegotiationRequest = {
    type: 'offer',
    protocol: 1,
    negotiation: new Uint8Array(16),
    round: 1,
    terms: openTerms({ firstLendsBytes: gigabyte, secondLendsBytes: gigabyte }),
  };
  const peer = (number: number): PeerId => number.toString(16).padStart(64, '0') as PeerId;
  const tell = (from: number, now = begin): string => reasonOf(bob.answer(peer(from), offer, now));
  for (let count = 0; count < messagesMaximum; count += 1) assert.equal(tell(1), 'accepted');
  assert.equal(tell(1), 'negotiation.busy');
  for (let other = 2; other <= openMaximum; other += 1) assert.equal(tell(other), 'accepted');
  assert.equal(tell(openMaximum + 1), 'negotiation.busy');
  assert.ok(bob.answering.open.size <= openMaximum);
  const ann = new Computer('ann', policyWith('open'));
  bob.inForce.set(...inForceBetween(ann, bob));
  const [current] = bob.inForce.values();
  const { root } = present(current, 'in force').link;
  const change: NegotiationRequest = { ...offer, replaces: { root, number: 1 } };
  assert.equal(reasonOf(bob.answer(ann.self.peer, change, begin)), 'accepted', 'a partner');
  assert.equal(tell(openMaximum + 1, instant(begin + openMs + 1)), 'accepted');
  assert.equal(tell(1, instant(begin - openMs - 1)), 'accepted');
});

test('an agreement with a term is due for renewal while there is time to move what it holds', () => {
  const terms = openTerms({ firstLendsBytes: 1, secondLendsBytes: 1 });
  const peers = { first: 'aa'.repeat(32) as PeerId, second: 'bb'.repeat(32) as PeerId };
  const due = (termMs: number, days: number): boolean =>
    renewalDue(
      { ...peers, start: begin, terms: { ...terms, termMs } },
      instant(begin + days * dayMs),
    );
  assert.equal(due(0, 1e5), false);
  assert.deepEqual(
    [300, 350, 352, 400].map((days) => due(365 * dayMs, days)),
    [false, false, true, true],
  );
  assert.deepEqual(
    [4, 6].map((days) => due(10 * dayMs, days)),
    [false, true],
  );
});

/** Something that happens on the way between the two, or in the hands of a hostile one of them. */
const mischief = fc.record({
  act: fc.constantFrom(
    ...Array<'next'>(14).fill('next'),
    ...Array<'ask'>(2).fill('ask'),
    ...['deliver', 'repeat', 'drop', 'forge', 'silence', 'bytes', 'later'],
  ),
  pick: fc.nat(),
  side: fc.boolean(),
  extra: fc.integer({ min: 0, max: 50 }),
});

type Letter =
  | { readonly to: Computer; readonly from: Computer; readonly request: NegotiationRequest }
  | { readonly to: Computer; readonly from: Computer; readonly reply: NegotiationReply };

/** A world of two in which letters are lost, doubled, late, out of order, changed and made up. `store` of each computer holds the promises to account. */
class Mail {
  readonly letters: Letter[] = [];
  readonly ann = new Computer('ann', policyWith('open', { lending: { mostBytes: 20 * gigabyte } }));
  readonly bob = new Computer('bob', policyWith('open', { preferred: { graceMs: 20 * dayMs } }));
  now: Instant = begin;

  post(letter: Letter): void {
    this.letters.push(letter);
  }

  ask(asker: Computer, other: Computer, extra: number): void {
    if (asker.proposed !== undefined) return;
    const current = asker.with(other.self.peer)?.link;
    const wish = openTerms({
      firstLendsBytes: extra * gigabyte,
      secondLendsBytes: extra * gigabyte,
    });
    const about = current === undefined ? {} : { current, ...(extra > 0 ? { wish } : {}) };
    this.send(asker, other, asker.take(startAsking(asker.self, inquiry(other, about))));
  }

  send(from: Computer, to: Computer, request: NegotiationRequest | undefined): void {
    if (request !== undefined) this.post({ to, from, request });
  }

  deliver(letter: Letter): void {
    const { to, from } = letter;
    if ('request' in letter) {
      const reply = to.answer(from.self.peer, letter.request, this.now);
      this.post({ to: from, from: to, reply });
      return;
    }
    if (to.asking === undefined) return;
    const event = { type: 'reply-received', reply: letter.reply, now: this.now } as const;
    this.send(to, from, to.take(stepAsker(to.self, to.asking, event)));
  }

  /** The sender is hostile: it has its own key, and every letter it ever saw. */
  forge(
    from: Computer,
    to: Computer,
    { pick, extra }: { readonly pick: number; readonly extra: number },
  ): void {
    const lent = extra * gigabyte;
    const terms = openTerms({ firstLendsBytes: lent + 1, secondLendsBytes: lent });
    const short = { ...terms, trusted: true, commitmentMs: 0 };
    const root = to.with(from.self.peer)?.link;
    const replaces =
      root === undefined || pick % 2 === 0
        ? {}
        : { replaces: { root: root.root, number: 1 + (pick % 5) } };
    const start = instant(this.now + (pick % 7) * 20 * minuteMs);
    const change = { terms: pick % 3 === 0 ? short : terms, start, ...replaces };
    const parts = { first: from.self.peer, second: to.self.peer };
    const sign = signedOffer(from, to, pick % 5 === 0 ? { ...change, ...parts } : change);
    this.post({ to, from, request: sign });
    if (sign.type === 'sign') this.post({ to, from, reply: { ...sign, type: 'signed' } });
    this.post({
      to,
      from,
      reply: {
        type: 'counter',
        negotiation: inquiry(to).negotiation,
        round: 1 + (pick % 4),
        terms: change.terms,
      },
    });
    this.post({
      to,
      from,
      reply: { type: 'accepted', negotiation: inquiry(to).negotiation, round: 1 + (pick % 4) },
    });
  }
}

function changedDocument(document: Bytes, pick: number): Bytes {
  const changed = new Uint8Array(document);
  const at = pick % changed.length;
  changed[at] = (changed[at] ?? 0) ^ (1 + (pick % 255));
  return changed;
}

function play(
  mail: Mail,
  { act, pick, side, extra }: { act: string; pick: number; side: boolean; extra: number },
): void {
  const [one, other] = side ? [mail.ann, mail.bob] : [mail.bob, mail.ann];
  const at = mail.letters.length === 0 || act === 'next' ? 0 : pick % mail.letters.length;
  const letter = mail.letters[at];
  if (act === 'ask') mail.ask(one, other, extra);
  else if (act === 'forge') mail.forge(one, other, { pick, extra });
  else if (act === 'later') mail.now = instant(mail.now + extra * minuteMs);
  else if (act === 'silence' && one.asking !== undefined)
    mail.send(one, other, one.take(stepAsker(one.self, one.asking, { type: 'silence' })));
  else if (letter === undefined) return;
  else if (act === 'repeat') mail.deliver(letter);
  else if (act === 'bytes') {
    const message = 'request' in letter ? letter.request : letter.reply;
    if (message.type !== 'sign' && message.type !== 'signed') return;
    const agreement = changedDocument(message.agreement, pick);
    if (message.type === 'sign')
      mail.deliver({ ...letter, request: { ...message, agreement } } as Letter);
    else mail.deliver({ ...letter, reply: { ...message, agreement } } as Letter);
  } else {
    mail.letters.splice(at, 1);
    if (act !== 'drop') mail.deliver(letter);
  }
}

test('C3: whatever is lost, doubled, reordered, changed or forged, nothing is in force that one side alone signed or that lies outside a side’s bounds', () => {
  let [agreed, changed] = [0, 0];
  fc.assert(
    fc.property(fc.array(mischief, { minLength: 20, maxLength: 80, size: 'max' }), (course) => {
      const mail = new Mail();
      mail.ask(mail.ann, mail.bob, 0);
      for (const step of course) play(mail, step);
      for (const computer of [mail.ann, mail.bob]) {
        assert.ok(computer.inForce.size <= 1, 'one partnership between two');
        for (const { document, link } of computer.inForce.values()) {
          const signed = decodeSignedAgreement(document);
          assert.ok(signed.ok && verifyAgreement(signed.value).ok);
          agreed += 1;
          changed += link.number > 0 ? 1 : 0;
        }
      }
    }),
    { numRuns: 200 },
  );
  assert.ok(agreed > 50 && changed > 5, `${agreed} agreements, ${changed} changes`);
});
