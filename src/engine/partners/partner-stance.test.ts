import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../base/assert.ts';
import { dayMs, gibi, type Instant, instant } from '../../base/units.ts';
import {
  agreementIdOf,
  encodeAgreement,
  encodeSignedAgreement,
  signAgreement,
} from '../../core/agreements/agreement.ts';
import { judgeTerms } from '../../core/agreements/judgement.ts';
import { circleTerms, openTerms, type Terms } from '../../core/agreements/terms.ts';
import { encodeLifecycle } from '../../core/partners/lifecycle-codec.ts';
import type { OwnerKeys } from '../../core/sealing/keys.ts';
import type { AgreementId, PeerId, ShardName } from '../../core/vocabulary/ids.ts';
import { blockBytes } from '../../core/vocabulary/limits.ts';
import type { AgreementPhase, AgreementRow } from '../../ports/stores.ts';
import { type AgreedPair, agreedPair, keysOf } from '../../sim/agreed-pair.ts';
import { Notifier } from '../work/notifier.ts';
import { LifecycleKeeper } from './lifecycle-keeper.ts';
import { PartnerBook } from './partner-book.ts';
import { type LentBytes, PartnerStance } from './partner-stance.ts';
import { partnershipSettings } from './partnership-settings.ts';
import { type SpaceClaim, unpromisedBytes } from './unpromised-space.ts';

const offeredBytes = 10 * gibi;

interface Side extends AgreedPair {
  readonly keeper: LifecycleKeeper;
  readonly stance: PartnerStance;
}

function side(wantedBytes?: number, lentBytes: number = offeredBytes): Side {
  const pair = agreedPair(gibi);
  const { stores, clock, log } = pair;
  const book = new PartnerBook(stores);
  const keeper = new LifecycleKeeper({
    ...{ stores, clock, log, changes: new Notifier() },
    ...{ spareAfterMs: dayMs, proves: () => true, onEffect: () => undefined },
  });
  const settings = { ...partnershipSettings({ preset: 'open', seek: true }), wantedBytes };
  const wantedPartners = (): number => 4;
  const stance = new PartnerStance({
    stores,
    book,
    keeper,
    settings,
    offeredBytes: lentBytes,
    wantedPartners,
  });
  return { ...pair, keeper, stance };
}

/** In force between two strangers, in place of what the pair had; this computer is the first party. */
function strangers(
  { owner, holder, stores, agreement, clock }: AgreedPair,
  start: Instant = clock.now(),
): AgreementRow {
  const terms = openTerms({ firstLendsBytes: gibi, secondLendsBytes: gibi });
  const [first, second] = [holder.peerId, owner.peerId];
  const body = encodeAgreement({ first, second, start, terms });
  const half = signAgreement({ body, signatures: {} }, 'second', owner.identitySeed);
  const whole = signAgreement(half, 'first', holder.identitySeed);
  const document = encodeSignedAgreement(whole);
  stores.agreements.remove(agreement.agreement);
  const row: AgreementRow = { ...agreement, agreement: agreementIdOf(body), document };
  stores.agreements.put(row);
  return row;
}

/** In force with somebody else, who is lent so much. */
function inForceWith(
  { holder, clock }: AgreedPair,
  other: OwnerKeys,
  lentBytes: number,
): AgreementRow {
  const terms = openTerms({ firstLendsBytes: lentBytes, secondLendsBytes: gibi });
  const [first, second] = [holder.peerId, other.peerId];
  const body = encodeAgreement({ first, second, start: clock.now(), terms });
  const half = signAgreement({ body, signatures: {} }, 'second', other.identitySeed);
  const whole = signAgreement(half, 'first', holder.identitySeed);
  return {
    ...{ agreement: agreementIdOf(body), partner: second, phase: 'standing', paused: false },
    ...{ document: encodeSignedAgreement(whole), lifecycle: undefined, partnerName: '' },
    ...{ addresses: [], since: clock.now(), lastSeenAt: undefined },
  };
}

function judged(here: Side, row: AgreementRow, change: Partial<Terms>): Terms | string {
  const { policy, circumstances } = here.stance.towardsPartner(row);
  const terms = {
    ...openTerms({ firstLendsBytes: gibi, secondLendsBytes: gibi }),
    ...change,
  };
  const judgement = judgeTerms(policy, circumstances, { terms, own: 'first' });
  if (judgement.verdict === 'refused') return judgement.code;
  return judgement.verdict === 'acceptable' ? terms : judgement.terms;
}

test('a stranger that is a partner does not get out of lending what it is lent', () => {
  const here = side();
  const row = strangers(here);
  assert.equal(judged(here, row, { secondLendsBytes: 0 }), 'negotiation.space');
  const less = judged(here, row, { secondLendsBytes: gibi / 2 });
  assert(typeof less !== 'string');
  assert.equal(less.firstLendsBytes, gibi / 2);
  assert.deepEqual(judged(here, row, {}), openTerms(termsLending(gibi)));
});

test('nobody gets more than a share by asking, whatever it promises; a person here may lend it more', () => {
  const here = side();
  const { agreement: friend, stance } = here;
  const lentWhen = (wished?: LentBytes): number => {
    const { policy, circumstances } = stance.towardsPartner(friend, wished);
    const wanted = { firstLendsBytes: 9 * gibi, secondLendsBytes: 9 * gibi };
    const terms = circleTerms(wanted);
    const judgement = judgeTerms(policy, circumstances, { terms, own: 'first' });
    assert(judgement.verdict !== 'refused');
    const { firstLendsBytes } = judgement.verdict === 'acceptable' ? terms : judgement.terms;
    return firstLendsBytes;
  };
  assert.ok(stance.shareBytes() > gibi && stance.shareBytes() < 3 * gibi);
  assert.equal(lentWhen(), stance.shareBytes());
  assert.equal(lentWhen({ ours: 9 * gibi, theirs: 9 * gibi }), 9 * gibi);
  assert.equal(lentWhen({ ours: 4 * gibi, theirs: 9 * gibi }), 4 * gibi, 'and no more than that');
  const all = { ours: 20 * gibi, theirs: 0 };
  assert.equal(stance.towardsPartner(friend, all).policy.lending.mostBytes, offeredBytes);
});

test('terms that were signed since the last doubling are not asked for again', () => {
  const here = side(undefined, 2 * offeredBytes);
  const now = here.clock.now();
  const signedAt = (start: Instant): Terms | undefined => {
    const row = strangers(here, start);
    const state = { ...here.keeper.stateOf(row), cleanSince: instant(now - 15 * dayMs) };
    return here.stance.grown({ ...row, lifecycle: encodeLifecycle(state) });
  };
  const grown = signedAt(instant(now - 15 * dayMs));
  assert.equal(grown?.firstLendsBytes, 2e9, 'twice what strangers begin with');
  assert.equal(signedAt(now), undefined);
});

test('one that only lends keeps lending for nothing, and so does one whose person wants it', () => {
  const lender = side(0);
  const theirs = judged(lender, strangers(lender), { secondLendsBytes: 0 });
  assert(typeof theirs !== 'string' && theirs.firstLendsBytes === gibi);
  const here = side();
  const { policy, circumstances } = here.stance.towardsPartner(strangers(here), {
    ours: gibi,
    theirs: 0,
  });
  const terms = openTerms({ firstLendsBytes: gibi, secondLendsBytes: 0 });
  const judgement = judgeTerms(policy, circumstances, { terms, own: 'first' });
  assert.equal(judgement.verdict, 'acceptable');
});

test('a partner cannot bring a delete-lock below what this computer signs with anybody', () => {
  const here = side();
  const row = strangers(here);
  const least = 15 * dayMs;
  const terms = judged(here, row, { deleteLockMs: 0, graceMs: 1_000 });
  assert(typeof terms !== 'string');
  assert.equal(terms.deleteLockMs, least);
  assert.equal(terms.graceMs, openTerms(termsLending(gibi)).graceMs / 2);
});

test('what a former partner still has here is not lent to others meanwhile', () => {
  const here = side();
  const { stores, owner, stance } = here;
  const row = strangers(here);
  assert.equal(stance.freeBytes(), offeredBytes - gibi);
  const hash = new Uint8Array(32);
  stores.held.put({
    ...{ owner: owner.peerId, name: 'ab'.repeat(16) as ShardName, blockCount: 3 },
    ...{ merkleRoot: hash, sha256: hash, epoch: 0, sequence: 1, trashedAt: undefined },
  });
  assert.equal(stance.freeBytes(), offeredBytes - gibi);
  const ended = present(stores.agreements.get(row.agreement), 'it');
  stores.agreements.put({ ...ended, phase: 'ended' });
  assert.equal(stance.freeBytes(), offeredBytes - 3 * blockBytes);
});

test('whoever comes back is promised nothing that is not there, when less is lent than was promised', () => {
  const roomIn = (lentBytes: number): readonly [boolean, number, number] => {
    const here = side(undefined, lentBytes);
    const { stores, owner, stance } = here;
    const former = { ...strangers(here), phase: 'ended' as const };
    stores.agreements.put(former);
    const other = keysOf('another');
    stores.agreements.put(inForceWith(here, other, 2 * gibi));
    const hash = new Uint8Array(32);
    stores.held.put({
      ...{ owner: owner.peerId, name: 'ab'.repeat(16) as ShardName, blockCount: gibi / blockBytes },
      ...{ merkleRoot: hash, sha256: hash, epoch: 0, sequence: 1, trashedAt: undefined },
    });
    return [stance.hasRoomFor(former), stance.freeBytes(), stance.freeBytesWithout(other.peerId)];
  };
  assert.deepEqual(roomIn(gibi), [false, 0, 0]);
  assert.deepEqual(roomIn(3 * gibi - 1), [false, 0, 2 * gibi - 1]);
  assert.deepEqual(roomIn(3 * gibi), [true, 0, 2 * gibi]);
  assert.deepEqual(roomIn(4 * gibi), [true, gibi, 3 * gibi]);
});

test('what is promised counts once for each agreement, what was left behind once for each former partner', () => {
  const [first, second] = [keysOf('first').peerId, keysOf('second').peerId];
  const claim = (partner: PeerId, phase: AgreementPhase): SpaceClaim => ({
    ...{ partner, phase },
    weLendBytes: 10,
  });
  const left = (...claims: readonly SpaceClaim[]): number => unpromisedBytes(25, claims, () => 3);
  assert.equal(left(), 25);
  assert.equal(left(claim(first, 'standing'), claim(second, 'proposed')), 5);
  assert.equal(left(claim(first, 'ended'), claim(first, 'reneged')), 22);
  assert.equal(left(claim(first, 'ended'), claim(first, 'leaving')), 15);
  const three = [claim(first, 'standing'), claim(second, 'suspended'), claim(second, 'proposed')];
  assert.equal(left(...three), -5);
});

test('C27: a partner that reneged here is refused when it asks, until a person forgives it', () => {
  const here = side();
  const { stores, owner, stance } = here;
  const row = strangers(here);
  const asked = (phase: AgreementRow['phase']): string => {
    stores.agreements.put({ ...row, phase });
    const towards = present(stance.towards(owner.peerId), 'there is room');
    const terms = openTerms({ firstLendsBytes: gibi, secondLendsBytes: gibi });
    const judgement = judgeTerms(towards.policy, towards.circumstances, { terms, own: 'first' });
    return judgement.verdict === 'refused' ? judgement.code : 'signed';
  };
  assert.equal(asked('reneged'), 'negotiation.record');
  // A proposal that nobody signed since changes nothing.
  const later = { since: instant(row.since + dayMs), phase: 'proposed' as const };
  const proposal = 'ab'.repeat(32) as AgreementId;
  stores.agreements.put({ ...row, ...later, agreement: proposal });
  assert.equal(asked('reneged'), 'negotiation.record');
  stores.agreements.remove(proposal);
  assert.equal(asked('ended'), 'signed');
});

function termsLending(bytes: number): Pick<Terms, 'firstLendsBytes' | 'secondLendsBytes'> {
  return { firstLendsBytes: bytes, secondLendsBytes: bytes };
}
