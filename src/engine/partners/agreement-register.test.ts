import assert from 'node:assert/strict';
import test from 'node:test';
import { present } from '../../base/assert.ts';
import {
  agreementIdOf,
  encodeAgreement,
  encodeSignedAgreement,
  signAgreement,
} from '../../core/agreements/agreement.ts';
import { openTerms } from '../../core/agreements/terms.ts';
import {
  type LifecycleState,
  neverReached,
  openStepOf,
} from '../../core/partners/lifecycle-state.ts';
import type { AgreementId } from '../../core/vocabulary/ids.ts';
import { agreedPair } from '../../sim/agreed-pair.ts';
import { Notifier } from '../work/notifier.ts';
import { AgreementRegister, deedIn } from './agreement-register.ts';
import type { CandidateBook } from './candidate-book.ts';
import { LifecycleKeeper } from './lifecycle-keeper.ts';
import { PartnerBook } from './partner-book.ts';

interface Lent {
  readonly toPartner: number;
  readonly byPartner: number;
}

/** A holder and the agreements with one stranger that come into force there, one after the other. */
class Chain {
  readonly pair = agreedPair(1 << 20);
  readonly keeper: LifecycleKeeper;
  readonly register: AgreementRegister;
  root: AgreementId | undefined;
  #number = 0;

  constructor() {
    const { stores, clock, log, agreement } = this.pair;
    stores.agreements.remove(agreement.agreement);
    const changes = new Notifier();
    this.keeper = new LifecycleKeeper({
      ...{ stores, clock, log, changes, spareAfterMs: 1_000, proves: () => true },
      onEffect: () => undefined,
    });
    this.register = new AgreementRegister({
      ...{ stores, clock, log, changes, keeper: this.keeper, book: new PartnerBook(stores) },
      candidates: {} as CandidateBook,
      onAgreement: () => undefined,
    });
  }

  lends({ toPartner, byPartner }: Lent): void {
    const { owner, holder, clock, agreement } = this.pair;
    const replaces = this.root && { root: this.root, number: this.#number };
    const body = encodeAgreement({
      ...{ first: holder.peerId, second: owner.peerId, start: clock.now() },
      terms: openTerms({ firstLendsBytes: toPartner, secondLendsBytes: byPartner }),
      ...(replaces && { replaces }),
    });
    this.root ??= agreementIdOf(body);
    this.#number += 1;
    const half = signAgreement({ body, signatures: {} }, 'second', owner.identitySeed);
    const whole = signAgreement(half, 'first', holder.identitySeed);
    const deed = deedIn({ ...agreement, document: encodeSignedAgreement(whole) });
    this.register.adopt(owner.peerId, {
      ...{
        type: 'store-agreement',
        deed,
        partnerName: 'owner',
        addresses: ['/dns/owner.sim/tcp/1'],
      },
    });
  }

  get state(): LifecycleState {
    const row = present(this.pair.stores.agreements.ofPartner(this.pair.owner.peerId), 'a row');
    return this.keeper.stateOf(row);
  }
}

test('C30: when only one side lends more, both know of it: what the other stores stays readable, and nobody is drilled for the rest', () => {
  const chain = new Chain();
  chain.lends({ toPartner: 1e9, byPartner: 1e9 });
  assert.equal(chain.state.steps.length, 0);
  chain.lends({ toPartner: 1e9, byPartner: 2e9 });
  assert.deepEqual(
    chain.state.steps.map(({ theirs }) => theirs),
    [neverReached],
  );
  assert.equal(chain.state.steps[0]?.ours.sequence, 0);
  assert.equal(openStepOf(chain.state, { epoch: 0, sequence: 1 }), undefined);
  chain.lends({ toPartner: 3e9, byPartner: 2e9 });
  assert.deepEqual(chain.state.steps[1]?.ours, neverReached);
  assert.notEqual(openStepOf(chain.state, { epoch: 0, sequence: 1 }), undefined);
});

test('C30: what was lent so late that its commitment runs is not counted as lent before, however small the next growth is', () => {
  const chain = new Chain();
  chain.lends({ toPartner: 1e9, byPartner: 1e9 });
  chain.lends({ toPartner: 8e9, byPartner: 8e9 });
  chain.lends({ toPartner: 8e9 + 1, byPartner: 8e9 + 1 });
  assert.deepEqual(
    chain.state.steps.map(({ readableBytes }) => readableBytes),
    [1e9, 1e9],
  );
});
