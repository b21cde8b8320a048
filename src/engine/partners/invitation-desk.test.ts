import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../base/prng.ts';
import { dayMs, instant, mebi, minuteMs } from '../../base/units.ts';
import {
  agreementIdOf,
  decodeSignedAgreement,
  encodeAgreement,
  encodeSignedAgreement,
  signAgreement,
  verifyAgreement,
} from '../../core/agreements/agreement.ts';
import { parseInvitation } from '../../core/agreements/invitation.ts';
import { circleTerms, openTerms } from '../../core/agreements/terms.ts';
import type { OwnerKeys } from '../../core/sealing/keys.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import { decodeRedemption, encodeRedemption } from '../../core/wire/redemption.ts';
import type { AgreementRow } from '../../ports/stores.ts';
import type { Transport } from '../../ports/transport.ts';
import { keysOf } from '../../sim/agreed-pair.ts';
import { SimNetwork, simAddress } from '../../sim/network.ts';
import { type TwinStores, twinStores } from '../../sim/twin-stores.ts';
import type { VirtualClock } from '../../sim/virtual-clock.ts';
import { onVirtualTime } from '../../sim/virtual-run.ts';
import { Notifier } from '../work/notifier.ts';
import { InvitationDesk } from './invitation-desk.ts';
import { PartnerClient } from './partner-client.ts';
import { wholeBody } from './whole-body.ts';

interface Side {
  readonly keys: OwnerKeys;
  readonly stores: TwinStores;
  readonly desk: InvitationDesk;
  readonly transport: Transport;
}

interface Table {
  readonly clock: VirtualClock;
  readonly ann: Side;
  readonly bo: Side;
  readonly cy: Side;
  /** The next answers of ann are lost on their way. */
  readonly lose: (count: number) => void;
  /** What everybody can lend whoever comes. */
  readonly space: { leftBytes: number };
  /** What ann was sent last. */
  readonly sent: () => Uint8Array<ArrayBuffer>;
}

const never = new AbortController().signal;
const day = { spaceBytes: 10 * mebi, wantsBytes: mebi, validMs: dayMs };

async function atTable(work: (table: Table) => Promise<void>): Promise<void> {
  await onVirtualTime(async (clock) => {
    const network = new SimNetwork({ clock, prng: new Prng('desk') });
    const space = { leftBytes: 20 * mebi };
    const sideOf = (name: string): Side => {
      const keys = keysOf(name);
      const stores = twinStores();
      const transport = network.transport(keys.peerId);
      const desk = new InvitationDesk({
        keys,
        name,
        stores,
        clock,
        random: new Prng(name),
        client: new PartnerClient(transport, {
          clock,
          addresses: () => [],
          heard: () => undefined,
        }),
        changes: new Notifier(),
        addresses: () => [simAddress(keys.peerId)],
        freeBytesFor: () => space.leftBytes,
      });
      return { keys, stores, desk, transport };
    };
    const [ann, bo, cy] = [sideOf('ann'), sideOf('bo'), sideOf('cy')];
    let lost = 0;
    let last = new Uint8Array(0);
    await ann.transport.serve(
      async (request) => {
        const body = await wholeBody(request.body, 65_536);
        assert.ok(body.ok);
        last = body.value;
        const reply = ann.desk.redeem(request.from, body.value);
        lost -= 1;
        if (lost >= 0) return { status: 500 };
        return reply.ok ? { status: 200, body: reply.value } : refusal(reply.error.code);
      },
      () => 'stranger',
    );
    const lose = (count: number): void => {
      lost = count;
    };
    await work({ clock, ann, bo, cy, lose, space, sent: () => last });
  });
}

function refusal(code: string): { status: number; fields: Record<string, string> } {
  return { status: 403, fields: { 'covault-test': code } };
}

test('C2, C3: an invite makes one agreement that both keep, and the inviter hears of it', async () => {
  await atTable(async ({ ann, bo }) => {
    const code = ann.desk.invite(day);
    const told = ann.desk.redeemed(code, never);
    const joined = await bo.desk.join(code, { spaceBytes: 5 * mebi }, never);
    assert.ok(joined.ok);
    const [ours] = ann.stores.agreements.all();
    const [theirs] = bo.stores.agreements.all();
    assert.deepEqual(ours?.document, theirs?.document);
    assert.deepEqual([ours?.phase, theirs?.phase], ['standing', 'standing']);
    assert.equal((await told)?.agreement, joined.value.agreement);
    const again = await bo.desk.join(code, { spaceBytes: 5 * mebi }, never);
    assert.ok(again.ok && again.value.agreement === joined.value.agreement);
  });
});

test('when the answer is lost, the same peer asks again and gets what was signed, whatever it asks for then', async () => {
  await atTable(async ({ ann, bo, clock, lose }) => {
    const code = ann.desk.invite(day);
    lose(1);
    const lost = await bo.desk.join(code, { spaceBytes: 5 * mebi }, never);
    assert.equal(lost.ok ? '' : lost.error.code, 'invite.refused');
    await clock.sleep(60_000);
    const joined = await bo.desk.join(code, { spaceBytes: 7 * mebi }, never);
    assert.ok(joined.ok);
    assert.equal(joined.value.agreement, ann.stores.agreements.all()[0]?.agreement);
    assert.equal(bo.stores.agreements.all().length, 1, 'no proposal is left over');
  });
});

/** What `ann` and `bo` came to as strangers, as one of them keeps it. */
function strangersRow(
  { ann, bo }: Table,
  kept: { readonly by: 'ann' | 'bo'; readonly phase: 'proposed' | 'standing' },
): AgreementRow {
  const [first, second] = [ann.keys.peerId, bo.keys.peerId];
  const terms = openTerms({ firstLendsBytes: mebi, secondLendsBytes: mebi });
  const body = encodeAgreement({ first, second, start: instant(1_000), terms });
  const half = signAgreement({ body, signatures: {} }, 'second', bo.keys.identitySeed);
  const whole = signAgreement(half, 'first', ann.keys.identitySeed);
  return {
    agreement: agreementIdOf(body),
    partner: kept.by === 'ann' ? second : first,
    document: encodeSignedAgreement(whole),
    phase: kept.phase,
    ...{ paused: false, lifecycle: undefined, partnerName: '', addresses: [] },
    // Later than anything else, as when a change was proposed.
    ...{ since: instant(9e12), lastSeenAt: undefined },
  };
}

test('whoever is a partner is none a second time by an invite, whatever was proposed since', async () => {
  await atTable(async (table) => {
    const { ann, bo } = table;
    const joined = await bo.desk.join(ann.desk.invite(day), { spaceBytes: 5 * mebi }, never);
    assert.ok(joined.ok);
    ann.stores.agreements.put(strangersRow(table, { by: 'ann', phase: 'proposed' }));
    bo.stores.agreements.remove(joined.value.agreement);
    const again = await bo.desk.join(ann.desk.invite(day), { spaceBytes: 5 * mebi }, never);
    assert.ok(!again.ok);
    const binding = ann.stores.agreements.all().filter(({ phase }) => phase === 'standing');
    assert.equal(binding.length, 1);
  });
});

test('whoever joins somebody that a search found is told what to type instead', async () => {
  await atTable(async (table) => {
    const { ann, bo } = table;
    const found = strangersRow(table, { by: 'bo', phase: 'standing' });
    bo.stores.agreements.put(found);
    const code = ann.desk.invite(day);
    const joined = await bo.desk.join(code, { spaceBytes: 5 * mebi }, never);
    assert.equal(joined.ok ? '' : joined.error.code, 'invite.already-partner');
    const id = ann.keys.peerId.slice(0, 12);
    const { detail } = joined.ok ? { detail: '' } : joined.error;
    const terms = `terms ${id} --lend ${day.wantsBytes}B --want ${day.spaceBytes}B`;
    for (const said of [terms, `leave ${id}`, `forget ${id}`])
      assert.ok(detail.includes(`covault partners ${said}`), detail);
    assert.deepEqual(bo.stores.agreements.all(), [found], 'nothing is asked for');
    // Only whoever invited knows of it.
    bo.stores.agreements.remove(found.agreement);
    ann.stores.agreements.put(strangersRow(table, { by: 'ann', phase: 'standing' }));
    const answer = ann.desk.redeem(bo.keys.peerId, redemption(code, bo.keys));
    assert.ok(!answer.ok && answer.error.code === 'terms.refused');
    assert.ok(answer.error.detail.includes(`partners leave ${bo.keys.peerId.slice(0, 12)}`));
  });
});

test('an invite that is accepted takes the place of what the two came to as strangers at the same time', async () => {
  await atTable(async (table) => {
    const { ann, bo, lose } = table;
    ann.stores.agreements.put(strangersRow(table, { by: 'ann', phase: 'proposed' }));
    const code = ann.desk.invite(day);
    lose(1);
    assert.ok(!(await bo.desk.join(code, { spaceBytes: 5 * mebi }, never)).ok);
    // Meanwhile bo signed what ann had proposed to it as to a stranger.
    bo.stores.agreements.put(strangersRow(table, { by: 'bo', phase: 'standing' }));
    const joined = await bo.desk.join(code, { spaceBytes: 5 * mebi }, never);
    assert.ok(joined.ok);
    for (const { stores } of [ann, bo])
      assert.deepEqual(
        stores.agreements.all().map(({ agreement, phase }) => [agreement, phase]),
        [[joined.value.agreement, 'standing']],
      );
  });
});

test('of two that accept each other’s invites at the same time one has to wait', async () => {
  await atTable(async ({ ann, bo, clock }) => {
    assert.ok(bo.keys.peerId < ann.keys.peerId);
    await bo.transport.serve(
      async (request) => {
        const body = await wholeBody(request.body, 65_536);
        assert.ok(body.ok);
        const reply = bo.desk.redeem(request.from, body.value);
        return reply.ok ? { status: 200, body: reply.value } : refusal(reply.error.code);
      },
      () => 'stranger',
    );
    // Nothing came back to what bo asked for.
    const parties = { first: ann.keys.peerId, second: bo.keys.peerId };
    const terms = circleTerms({ firstLendsBytes: mebi, secondLendsBytes: mebi });
    const body = encodeAgreement({ ...parties, start: clock.now(), terms });
    const open = signAgreement({ body, signatures: {} }, 'second', bo.keys.identitySeed);
    bo.stores.agreements.put({
      ...{ agreement: agreementIdOf(body), partner: ann.keys.peerId, phase: 'proposed' },
      ...{ document: encodeSignedAgreement(open), paused: false, lifecycle: undefined },
      ...{ partnerName: '', addresses: [], since: clock.now(), lastSeenAt: undefined },
    });
    const code = bo.desk.invite(day);
    assert.ok(!(await ann.desk.join(code, { spaceBytes: 5 * mebi }, never)).ok);
    await clock.sleep(10 * minuteMs);
    assert.ok((await ann.desk.join(code, { spaceBytes: 5 * mebi }, never)).ok);
  });
});

test('an invite is good for one peer, for its time, and not for its maker', async () => {
  await atTable(async ({ ann, bo, cy, clock }) => {
    const code = ann.desk.invite(day);
    const own = await ann.desk.join(code, day, never);
    assert.equal(own.ok ? '' : own.error.code, 'invite.own');
    assert.ok((await bo.desk.join(code, day, never)).ok);
    assert.ok(!(await cy.desk.join(code, day, never)).ok);
    assert.equal(codeOf(ann, cy.keys.peerId, redemption(code, cy.keys)), 'invite.used');
    const old = ann.desk.invite(day);
    await clock.sleep(2 * dayMs);
    const late = await cy.desk.join(old, day, never);
    assert.equal(late.ok ? '' : late.error.code, 'invite.expired');
    assert.equal(codeOf(ann, cy.keys.peerId, redemption(old, cy.keys)), 'invite.expired');
  });
});

function codeOf({ desk }: Side, from: PeerId, message: Uint8Array<ArrayBuffer>): string {
  const reply = desk.redeem(from, message);
  return reply.ok ? 'agreed' : reply.error.code;
}

/** What `keys` sends for a code, with this much wrong about it. */
function redemption(
  code: string,
  keys: OwnerKeys,
  wrong: {
    readonly lends?: number;
    readonly offers?: number;
    readonly start?: number;
    readonly signer?: OwnerKeys;
    readonly first?: PeerId;
    readonly secret?: boolean;
  } = {},
): Uint8Array<ArrayBuffer> {
  const parsed = parseInvitation(code);
  assert.ok(parsed.ok);
  const { inviter, lendsBytes, secret, expiresAt } = parsed.value;
  const body = encodeAgreement({
    first: wrong.first ?? inviter,
    second: keys.peerId,
    start: (wrong.start ?? expiresAt - dayMs) as typeof expiresAt,
    terms: circleTerms({
      firstLendsBytes: wrong.lends ?? lendsBytes,
      secondLendsBytes: wrong.offers ?? mebi,
    }),
  });
  const signer = wrong.signer ?? keys;
  const signed = signAgreement({ body, signatures: {} }, 'second', signer.identitySeed);
  return encodeRedemption({
    secret: wrong.secret === true ? new Uint8Array(16) : secret,
    agreement: encodeSignedAgreement(signed),
    name: 'name',
    addresses: [],
  });
}

test('what an invite lends is not promised twice: without room for it nothing is signed', async () => {
  await atTable(async ({ ann, bo, space }) => {
    const code = ann.desk.invite(day);
    space.leftBytes = day.spaceBytes - 1;
    const late = await bo.desk.join(code, day, never);
    assert.equal(late.ok ? '' : late.error.code, 'invite.refused');
    assert.equal(codeOf(ann, bo.keys.peerId, redemption(code, bo.keys)), 'agreement.no-space');
    assert.deepEqual(ann.stores.agreements.all(), []);
    space.leftBytes = day.spaceBytes;
    assert.ok((await bo.desk.join(code, day, never)).ok);
  });
});

test('an agreement that is forged, between others, of another time or of other terms is not signed', async () => {
  await atTable(async ({ ann, bo, cy, clock }) => {
    const code = ann.desk.invite(day);
    const [from, keys] = [bo.keys.peerId, bo.keys];
    for (const [wrong, expected] of [
      [{ secret: true }, 'invite.unknown'],
      [{ signer: cy.keys }, 'terms.refused'],
      [{ first: cy.keys.peerId }, 'terms.refused'],
      [{ lends: 11 * mebi }, 'terms.refused'],
      [{ offers: mebi - 1 }, 'terms.refused'],
      [{ start: clock.now() - 2 * dayMs }, 'terms.refused'],
      [{ start: clock.now() + 2 * dayMs }, 'terms.refused'],
    ] as const)
      assert.equal(
        codeOf(ann, from, redemption(code, keys, wrong)),
        expected,
        JSON.stringify(Object.keys(wrong)),
      );
    assert.equal(
      codeOf(ann, cy.keys.peerId, redemption(code, keys)),
      'terms.refused',
      'sent by another',
    );
    assert.equal(codeOf(ann, from, new Uint8Array([1, 2, 3])), 'request.malformed');
    assert.equal(ann.stores.agreements.all().length, 0);
    assert.equal(codeOf(ann, from, redemption(code, keys)), 'agreed');
    const second = ann.desk.invite(day);
    assert.equal(
      codeOf(ann, from, redemption(second, keys)),
      'terms.refused',
      'one agreement is enough',
    );
  });
});

test('what the joiner sends is its own signed half, and the secret', async () => {
  await atTable(async ({ ann, bo, sent }) => {
    await bo.desk.join(ann.desk.invite(day), day, never);
    const read = decodeRedemption(sent());
    assert.ok(read.ok);
    assert.equal(read.value.name, 'bo');
    assert.deepEqual(read.value.addresses, [simAddress(bo.keys.peerId)]);
  });
});

test('who joins lends what the invite wants, or more, and never less', async () => {
  await atTable(async ({ ann, bo, cy }) => {
    const asked = { spaceBytes: 10 * mebi, validMs: dayMs };
    const code = ann.desk.invite(asked);
    const less = await bo.desk.join(code, { spaceBytes: 10 * mebi - 1 }, never);
    assert.equal(less.ok ? '' : less.error.code, 'invite.lends-too-little');
    assert.deepEqual(bo.stores.agreements.all(), [], 'nothing was asked for');
    const same = await bo.desk.join(code, {}, never);
    assert.deepEqual(same.ok && lendingOf(same.value.document), [10 * mebi, 10 * mebi]);
    const given = ann.desk.invite({ ...asked, wantsBytes: 0 });
    const nothing = await cy.desk.join(given, {}, never);
    assert.deepEqual(nothing.ok && lendingOf(nothing.value.document), [10 * mebi, 0]);
  });
});

function lendingOf(document: Uint8Array<ArrayBuffer>): readonly number[] {
  const signed = decodeSignedAgreement(document);
  const agreement = signed.ok ? verifyAgreement(signed.value) : signed;
  assert.ok(agreement.ok);
  return [agreement.value.terms.firstLendsBytes, agreement.value.terms.secondLendsBytes];
}
