import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyBytes } from '../base/bytes.ts';
import { instant } from '../base/units.ts';
import type { Agreement } from '../core/agreements/agreement.ts';
import { circleTerms } from '../core/agreements/terms.ts';
import type { AgreementId, PeerId } from '../core/vocabulary/ids.ts';
import type { AgreementView } from '../engine/partners/partnerships.ts';
import type { AgreementPhase } from '../ports/stores.ts';
import { chooseAgreement, chooseAnyPartner } from './partner-choice.ts';

const self = 'e'.repeat(64) as PeerId;

function view(id: string, partner: string, phase: AgreementPhase): AgreementView {
  const peer = partner.padEnd(64, '0') as PeerId;
  const terms = circleTerms({ firstLendsBytes: 1, secondLendsBytes: 1 });
  const agreement: Agreement = { first: self, second: peer, start: instant(0), terms };
  return {
    row: {
      agreement: id.padEnd(64, '0') as AgreementId,
      partner: peer,
      document: emptyBytes,
      phase,
      paused: false,
      lifecycle: undefined,
      partnerName: `name of ${partner}`,
      addresses: [],
      since: instant(0),
      lastSeenAt: undefined,
    },
    agreement,
    weLendBytes: 1,
    lendsUsBytes: 1,
    weHoldBytes: 0,
    commitmentEndsAt: undefined,
    graceEndsAt: undefined,
    leavesAt: undefined,
  };
}

const views = [
  view('1a', 'aa', 'ended'),
  view('2a', 'aa', 'standing'),
  view('3a', 'aa', 'ended'),
  view('1b', 'bb', 'reneged'),
];

function chosen(choose: typeof chooseAgreement, text: string): string {
  const choice = choose(views, text);
  return choice.ok ? choice.value.row.agreement.slice(0, 2) : choice.error.code;
}

test('of several agreements with a partner the one that binds is meant, else the newest', () => {
  assert.equal(chosen(chooseAnyPartner, 'aa'), '2a');
  assert.equal(chosen(chooseAnyPartner, 'name of bb'), '1b');
});

test('what is decided about a partner is never decided by the id of an old agreement', () => {
  assert.equal(chosen(chooseAnyPartner, '1a'), 'partner.unknown');
  assert.equal(chosen(chooseAgreement, '1a'), '1a');
});

test('what could be several is refused', () => {
  assert.equal(chosen(chooseAgreement, '1'), 'partner.ambiguous');
  assert.equal(chosen(chooseAgreement, 'name of aa'), '2a');
  assert.equal(chosen(chooseAgreement, 'zz'), 'partner.unknown');
});
