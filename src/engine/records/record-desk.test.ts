import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bytes } from '../../base/bytes.ts';
import { Prng } from '../../base/prng.ts';
import { dayMs, hourMs, type Instant, instant } from '../../base/units.ts';
import {
  agreementIdOf,
  encodeAgreement,
  encodeSignedAgreement,
  signAgreement,
} from '../../core/agreements/agreement.ts';
import { circleTerms } from '../../core/agreements/terms.ts';
import { type Conduct, noConduct } from '../../core/records/conduct.ts';
import { verifyChain } from '../../core/records/record-chain.ts';
import { verifyStatement } from '../../core/records/statement.ts';
import {
  countersignReceipt,
  proposeReceipt,
  proposerOf,
  readProposal,
  recordStart,
  type TrackReceipt,
} from '../../core/records/track-receipt.ts';
import type { OwnerKeys } from '../../core/sealing/keys.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import { encodeRecordMessage } from '../../core/wire/record.ts';
import { encodeRefusal, statusOf } from '../../core/wire/refusal.ts';
import { parsePath } from '../../core/wire/resources.ts';
import type { AgreementRow } from '../../ports/stores.ts';
import type { IncomingRequest, OutgoingReply } from '../../ports/transport.ts';
import { keysOf } from '../../sim/agreed-pair.ts';
import { SimNetwork, simAddress } from '../../sim/network.ts';
import { type TwinStores, twinStores } from '../../sim/twin-stores.ts';
import type { VirtualClock } from '../../sim/virtual-clock.ts';
import { onVirtualTime } from '../../sim/virtual-run.ts';
import { PartnerClient } from '../partners/partner-client.ts';
import { wholeBody } from '../partners/whole-body.ts';
import type { PartnerAccount } from './record-account.ts';
import { RecordDesk } from './record-desk.ts';

interface Side {
  readonly keys: OwnerKeys;
  stores: TwinStores;
  desk: RecordDesk;
  /** What it counted of each partner. */
  readonly accounts: Map<PeerId, PartnerAccount>;
  /** Answers that are lost on their way, the next ones first. */
  lost: boolean[];
  /** Answers nobody. */
  away: boolean;
}

interface Table {
  readonly clock: VirtualClock;
  readonly side: (name: string) => Promise<Side>;
  /** Makes the two partners; gives the one that proposes, and the other. */
  readonly partners: (one: Side, other: Side) => readonly [Side, Side];
  /** The side forgets everything but its agreements, and begins to count anew. */
  readonly forget: (side: Side) => void;
}

const never = new AbortController().signal;
const periodMs = dayMs;

async function atTable(work: (table: Table) => Promise<void>): Promise<void> {
  await onVirtualTime(async (clock) => {
    const network = new SimNetwork({ clock, prng: new Prng('records') });
    const deskOf = (side: Pick<Side, 'keys' | 'stores' | 'accounts'>, client: PartnerClient) =>
      new RecordDesk({
        keys: side.keys,
        stores: side.stores,
        clock,
        random: new Prng(side.keys.peerId),
        client,
        account: { of: ({ partner }) => side.accounts.get(partner) },
        periodMs,
      });
    const clients = new Map<PeerId, PartnerClient>();
    const sideNamed = async (name: string): Promise<Side> => {
      const keys = keysOf(name);
      const transport = network.transport(keys.peerId);
      const self = { clock, addresses: () => [], heard: () => undefined };
      const client = new PartnerClient(transport, self);
      clients.set(keys.peerId, client);
      const [stores, accounts] = [twinStores(), new Map<PeerId, PartnerAccount>()];
      const desk = deskOf({ keys, stores, accounts }, client);
      const side: Side = { keys, stores, desk, accounts, lost: [], away: false };
      await transport.serve(
        (request) => answered(side, request),
        () => 'stranger',
      );
      return side;
    };
    const forget = (side: Side): void => {
      const agreements = side.stores.agreements.all();
      side.stores = twinStores();
      for (const row of agreements) side.stores.agreements.put(row);
      const client = clients.get(side.keys.peerId);
      assert.ok(client);
      side.desk = deskOf(side, client);
      for (const partner of side.accounts.keys())
        side.accounts.set(partner, { since: clock.now(), theirs: noConduct, ours: noConduct });
    };
    await work({
      clock,
      side: sideNamed,
      partners: (one, other) => agree(clock.now(), one, other),
      forget,
    });
  });
}

async function answered(side: Side, request: IncomingRequest): Promise<OutgoingReply> {
  const body = await wholeBody(request.body, 65_536);
  assert.ok(body.ok);
  if (side.away) return { status: 500 };
  const resource = parsePath(request.path);
  const reply =
    resource?.resource === 'record'
      ? side.desk.statement(request.from, resource.about)
      : side.desk.countersign(request.from, body.value);
  if (side.lost.shift() === true) return { status: 500 };
  if (reply.ok) return { status: 200, body: reply.value };
  return { status: statusOf(reply.error.code), body: encodeRefusal(reply.error) };
}

function agree(now: Instant, one: Side, other: Side): readonly [Side, Side] {
  const [first, second] = [one.keys, other.keys];
  const terms = circleTerms({ firstLendsBytes: 1, secondLendsBytes: 1 });
  const body = encodeAgreement({
    first: first.peerId,
    second: second.peerId,
    start: now,
    terms,
  });
  const half = signAgreement({ body, signatures: {} }, 'second', second.identitySeed);
  const document = encodeSignedAgreement(signAgreement(half, 'first', first.identitySeed));
  for (const [side, partner] of [
    [one, other],
    [other, one],
  ] as const) {
    const { peerId } = partner.keys;
    side.stores.agreements.put({
      agreement: agreementIdOf(body),
      partner: peerId,
      document,
      phase: 'standing',
      paused: false,
      lifecycle: undefined,
      partnerName: '',
      addresses: [simAddress(peerId)],
      since: now,
      lastSeenAt: undefined,
    });
    side.accounts.set(peerId, { since: now, theirs: noConduct, ours: noConduct });
  }
  const isOne = proposerOf(first.peerId, second.peerId) === first.peerId;
  return isOne ? [one, other] : [other, one];
}

/** A day passes, on which each proved itself to the other, as both count it. */
async function passDay(clock: VirtualClock, one: Side, other: Side): Promise<void> {
  await clock.sleep(dayMs);
  for (const [side, partner] of [
    [one, other],
    [other, one],
  ] as const)
    count(side, partner, (before) => ({
      ...before,
      audits: {
        ...before.audits,
        asked: before.audits.asked + 4,
        passed: before.audits.passed + 4,
      },
      onLineMs: before.onLineMs + 20 * hourMs,
      watchedMs: before.watchedMs + dayMs,
      provenDays: before.provenDays + 1,
    }));
}

function count(side: Side, partner: Side, change: (before: Conduct) => Conduct): void {
  const account = accountOf(side, partner);
  side.accounts.set(partner.keys.peerId, {
    since: account.since,
    theirs: change(account.theirs),
    ours: change(account.ours),
  });
}

function accountOf(side: Side, partner: Side): PartnerAccount {
  const account = side.accounts.get(partner.keys.peerId);
  assert.ok(account);
  return account;
}

function set(
  side: Side,
  partner: Side,
  change: Partial<Pick<PartnerAccount, 'theirs' | 'ours'>>,
): void {
  side.accounts.set(partner.keys.peerId, { ...accountOf(side, partner), ...change });
}

function rowOf(side: Side, partner: Side): AgreementRow {
  const row = side.stores.agreements.ofPartner(partner.keys.peerId);
  assert.ok(row);
  return row;
}

function documents(side: Side, partner: Side): readonly Bytes[] {
  return side.stores.records
    .ofAgreement(rowOf(side, partner).agreement)
    .map(({ document }) => document);
}

/** What came of the proposals that are due, as codes. */
async function proposed(side: Side): Promise<readonly string[]> {
  const all = await side.desk.proposeDue(never);
  return all.map(({ result }) =>
    result.ok ? `receipt ${result.value.sequence}` : result.error.code,
  );
}

test('C27: partners come to one receipt a period, which both keep, and the chain is whole', async () => {
  await atTable(async ({ clock, side, partners }) => {
    const [asker, answerer] = partners(await side('ann'), await side('bo'));
    assert.deepEqual(await proposed(asker), [], 'the period is not over');
    for (const sequence of [1, 2, 3]) {
      await passDay(clock, asker, answerer);
      assert.deepEqual(await proposed(answerer), [], 'the other one proposes');
      assert.deepEqual(await proposed(asker), [`receipt ${sequence}`]);
      assert.deepEqual(await proposed(asker), [], 'once');
    }
    const chain = documents(asker, answerer);
    assert.deepEqual(chain, documents(answerer, asker));
    const head = verifyChain(rowOf(asker, answerer).agreement, chain);
    assert.ok(head.ok && head.value?.receipt.conductOfProposer.provenDays === 3);
  });
});

test('C27: when answers get lost the same receipt comes again, never another of its number', async () => {
  for (const lost of [[true], [false, true], [false, true, true], [false, true, false, true]])
    await atTable(async ({ clock, side, partners }) => {
      const [asker, answerer] = partners(await side('ann'), await side('bo'));
      await passDay(clock, asker, answerer);
      answerer.lost = [...lost];
      for (let round = 0; round < 4; round += 1) {
        const signed = documents(answerer, asker);
        await proposed(asker);
        assert.deepEqual(documents(answerer, asker).slice(0, signed.length), signed);
        await clock.sleep(4 * hourMs);
      }
      assert.equal(documents(answerer, asker).length, 1);
      assert.deepEqual(documents(asker, answerer), documents(answerer, asker));
    });
});

test('C27: where accounts differ nothing is signed, by either side', async () => {
  await atTable(async ({ clock, side, partners }) => {
    const [asker, answerer] = partners(await side('ann'), await side('bo'));
    await passDay(clock, asker, answerer);
    const honest = accountOf(answerer, asker);
    const blamed = { ...honest.theirs, outcome: 'reneged-by-silence' } as const;
    set(answerer, asker, { theirs: blamed });
    assert.deepEqual(await proposed(asker), ['record.disagrees']);
    set(answerer, asker, honest);
    const { theirs } = accountOf(asker, answerer);
    const wrong = { ...theirs.audits, asked: theirs.audits.asked + 1, wrong: 1 };
    set(asker, answerer, { theirs: { ...theirs, audits: wrong } });
    await clock.sleep(4 * hourMs);
    assert.deepEqual(await proposed(asker), ['peer.refused']);
    assert.deepEqual([documents(asker, answerer), documents(answerer, asker)], [[], []]);
    set(asker, answerer, { theirs });
    assert.deepEqual(await proposed(asker), [], 'not at once');
    await clock.sleep(4 * hourMs);
    assert.deepEqual(await proposed(asker), ['receipt 1']);
  });
});

test('C27: what a partner sends that it may not is refused, and nothing of it is kept', async () => {
  await atTable(async ({ clock, side, partners }) => {
    const [asker, answerer] = partners(await side('ann'), await side('bo'));
    const cy = await side('cy');
    await passDay(clock, asker, answerer);
    const { agreement } = rowOf(asker, answerer);
    const fair: TrackReceipt = {
      agreement,
      proposer: asker.keys.peerId,
      countersigner: answerer.keys.peerId,
      sequence: 1,
      previousHash: recordStart(agreement),
      from: instant(clock.now() - dayMs),
      until: clock.now(),
      conductOfProposer: accountOf(answerer, asker).theirs,
      conductOfCountersigner: accountOf(asker, answerer).theirs,
    };
    const send = (from: Side, receipt: TrackReceipt, signer = asker): string => {
      const document = proposeReceipt(receipt, signer.keys.identitySeed);
      const message = encodeRecordMessage({ type: 'receipt', document });
      const reply = answerer.desk.countersign(from.keys.peerId, message);
      return reply.ok ? 'signed' : reply.error.code;
    };
    const praise = { ...fair.conductOfProposer, provenDays: 2 };
    const blame = { ...fair.conductOfCountersigner, outcome: 'reneged-by-wrong' } as const;
    assert.equal(send(asker, fair, cy), 'request.malformed', 'signed by another');
    assert.equal(send(cy, fair), 'request.not-partner', 'sent by another');
    for (const unfair of [
      { ...fair, conductOfProposer: praise },
      { ...fair, conductOfCountersigner: blame },
      { ...fair, until: instant(clock.now() + 2 * hourMs) },
      { ...fair, from: instant(clock.now() - 9 * dayMs) },
      { ...fair, from: instant(clock.now() - hourMs) },
      { ...fair, sequence: 2 },
      { ...fair, previousHash: new Uint8Array(32) },
    ])
      assert.equal(send(asker, unfair), 'record.refused');
    const nothing = answerer.desk.countersign(asker.keys.peerId, new Uint8Array([1]));
    assert.equal(nothing.ok ? '' : nothing.error.code, 'request.malformed');
    assert.deepEqual(documents(answerer, asker), []);
    assert.equal(send(asker, fair), 'signed');
    assert.equal(send(asker, { ...fair, conductOfProposer: praise }), 'signed');
    assert.equal(documents(answerer, asker).length, 1, 'the same one was given again');
    const half = readProposal(proposeReceipt(fair, asker.keys.identitySeed));
    assert.ok(half.ok);
    const both = countersignReceipt(half.value, answerer.keys.identitySeed);
    assert.deepEqual(documents(answerer, asker), [both]);
  });
});

test('C27: a side that lost everything takes up the record where both had left it', async () => {
  for (const loser of ['asker', 'answerer'] as const)
    await atTable(async ({ clock, side, partners, forget }) => {
      const [asker, answerer] = partners(await side('ann'), await side('bo'));
      for (let day = 0; day < 3; day += 1) {
        await passDay(clock, asker, answerer);
        await proposed(asker);
      }
      await clock.sleep(hourMs);
      forget(loser === 'asker' ? asker : answerer);
      await passDay(clock, asker, answerer);
      assert.deepEqual(await proposed(asker), ['receipt 4']);
      const [ours, theirs] = [documents(asker, answerer), documents(answerer, asker)];
      assert.deepEqual(ours.slice(-2), theirs.slice(-2));
      const head = readProposal(ours.at(-1) ?? new Uint8Array(0));
      assert.ok(head.ok);
      assert.equal(head.value.receipt.conductOfCountersigner.provenDays, 4);
    });
});

test('C27: a side that was gone for weeks signs that it was, and the record goes on', async () => {
  await atTable(async ({ clock, side, partners, forget }) => {
    const [asker, answerer] = partners(await side('ann'), await side('bo'));
    await passDay(clock, asker, answerer);
    assert.deepEqual(await proposed(asker), ['receipt 1']);
    answerer.away = true;
    for (let day = 0; day < 20; day += 1) {
      await clock.sleep(dayMs);
      const { theirs, ours } = accountOf(asker, answerer);
      const atWork = { onLineMs: ours.onLineMs + dayMs, watchedMs: ours.watchedMs + dayMs };
      set(asker, answerer, {
        theirs: { ...theirs, watchedMs: theirs.watchedMs + dayMs },
        ours: { ...ours, ...atWork },
      });
      assert.deepEqual(await proposed(asker), ['peer.refused']);
    }
    forget(answerer);
    answerer.away = false;
    await passDay(clock, asker, answerer);
    assert.deepEqual(await proposed(asker), ['receipt 2']);
  });
});

test('C27: how it ended is signed at once, when both say so', async () => {
  await atTable(async ({ clock, side, partners }) => {
    const [asker, answerer] = partners(await side('ann'), await side('bo'));
    await passDay(clock, asker, answerer);
    assert.deepEqual(await proposed(asker), ['receipt 1']);
    await clock.sleep(4 * hourMs);
    const left = (conduct: Conduct): Conduct => ({ ...conduct, outcome: 'left' });
    set(asker, answerer, { theirs: left(accountOf(asker, answerer).theirs) });
    set(answerer, asker, { ours: left(accountOf(answerer, asker).ours) });
    asker.stores.agreements.put({ ...rowOf(asker, answerer), phase: 'ended' });
    answerer.stores.agreements.put({ ...rowOf(answerer, asker), phase: 'ended' });
    assert.deepEqual(await proposed(asker), ['receipt 2']);
    await clock.sleep(3 * dayMs);
    assert.deepEqual(await proposed(asker), [], 'then there is no more to say');
  });
});

test('C27: anybody is told about partners and former partners, and nobody else', async () => {
  await atTable(async ({ clock, side, partners }) => {
    const [asker, answerer] = partners(await side('ann'), await side('bo'));
    const cy = await side('cy');
    await passDay(clock, asker, answerer);
    await proposed(asker);
    answerer.stores.agreements.put({ ...rowOf(answerer, asker), phase: 'ended' });
    const [by, about] = [answerer.keys.peerId, asker.keys.peerId];
    const told = answerer.desk.statement(cy.keys.peerId, about);
    assert.ok(told.ok);
    const read = verifyStatement(told.value, { by, about, now: clock.now() });
    assert.ok(read.ok);
    assert.equal(read.value.signed?.sequence, 1);
    assert.equal(read.value.conduct.provenDays, 1);
    for (const stranger of [cy.keys.peerId, by]) {
      const answer = answerer.desk.statement(about, stranger);
      assert.equal(answer.ok ? '' : answer.error.code, 'record.unknown');
    }
  });
});

test('C27: references are asked, and what they and the candidate signed is what counts', async () => {
  await atTable(async ({ clock, side, partners }) => {
    const [ann, bo, cy, di] = [
      await side('ann'),
      await side('bo'),
      await side('cy'),
      await side('di'),
    ];
    const pairs = [partners(ann, bo), partners(ann, cy)];
    for (let day = 0; day < 2; day += 1) {
      for (const [asker, answerer] of pairs) {
        for (const [who, whom] of [
          [asker, answerer],
          [answerer, asker],
        ] as const)
          count(who, whom, (before) => ({ ...before, provenDays: before.provenDays + 1 }));
      }
      await clock.sleep(dayMs);
      for (const each of [ann, bo, cy]) await proposed(each);
    }
    const references = ann.desk.references();
    assert.equal(references.length, 2);
    const check = () => di.desk.checkReferences(ann.keys.peerId, references, { signal: never });
    const verdict = await check();
    assert.deepEqual(
      [verdict.provenDays, verdict.askedCount, verdict.renegedCount, verdict.liar],
      [4, 2, 0, false],
    );
    bo.away = true;
    assert.deepEqual((await check()).provenDays, 2);
    bo.away = false;
    const boasting = references.map((each) => ({ ...each, provenDays: 700 }));
    const { liar } = await di.desk.checkReferences(ann.keys.peerId, boasting, { signal: never });
    assert.equal(liar, true);
    for (const observer of [bo, cy])
      set(observer, ann, {
        theirs: { ...accountOf(observer, ann).theirs, outcome: 'reneged-by-silence' },
      });
    await clock.sleep(hourMs);
    assert.equal((await check()).renegedCount, 2);
  });
});

test('C27: a candidate without references is asked about at our own partners, and many are not all asked', async () => {
  await atTable(async ({ clock, side, partners }) => {
    const [ann, bo, cy] = [await side('ann'), await side('bo'), await side('cy')];
    partners(ann, bo);
    partners(bo, cy);
    const witnesses = [{ peer: bo.keys.peerId, addresses: [simAddress(bo.keys.peerId)] }];
    const verdict = await cy.desk.checkReferences(ann.keys.peerId, [], {
      witnesses,
      signal: never,
    });
    assert.deepEqual([verdict.askedCount, verdict.liar], [1, false]);
    const strangers = Array.from({ length: 16 }, (_, index) => ({
      peer: keysOf(String.fromCharCode(200 + index)).peerId,
      addresses: [],
      sequence: 1,
      receiptHash: new Uint8Array(32),
      provenDays: 9,
      renegedCount: 0,
    }));
    const before = clock.now();
    const unknown = await cy.desk.checkReferences(ann.keys.peerId, strangers, { signal: never });
    assert.ok(clock.now() - before <= 20_000);
    assert.equal(unknown.reasons.length, 8);
    assert.deepEqual([unknown.provenDays, unknown.liar], [0, false]);
  });
});
