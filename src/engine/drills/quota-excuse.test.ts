import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dayMs, hourMs, type Instant, instant, mebi } from '../../base/units.ts';
import type { NoticeSubject } from '../../core/wire/notice.ts';
import { signNotice } from '../../core/wire/notice.ts';
import { agreedPair } from '../../sim/agreed-pair.ts';
import { twinStores } from '../../sim/twin-stores.ts';
import { facts } from '../facts.ts';
import { PartnerBook } from '../partners/partner-book.ts';
import type { PeerFailure } from '../partners/partner-client.ts';
import { QuotaExcuse } from './quota-excuse.ts';

const outOfQuota: PeerFailure = { code: 'peer.refused', refusal: 'request.quota', detail: '' };
const faulty: PeerFailure = { code: 'peer.refused', refusal: 'peer.fault', detail: '' };
const away: PeerFailure = { code: 'peer.unreachable', detail: '' };
const broken: PeerFailure = { code: 'peer.silent', detail: '' };

/** A computer and the one partner from which it restores. */
class Scene {
  readonly #pair = agreedPair(1 << 20);
  stores = this.#pair.stores;
  now: Instant = this.#pair.clock.now();
  #excuse = this.#anew();

  #anew(): QuotaExcuse {
    const { stores } = this;
    const clock = { now: () => this.now, sleep: async () => undefined };
    const self = this.#pair.holder.peerId;
    return new QuotaExcuse({ self, stores, clock, book: new PartnerBook(stores) });
  }

  restart(): void {
    this.stores = twinStores(this.stores.image());
    this.#excuse = this.#anew();
  }

  passes(ms: number): void {
    this.now = instant(this.now + ms);
  }

  announces(failure?: PeerFailure, subject: NoticeSubject = { type: 'restoring' }): void {
    const { holder, agreement } = this.#pair;
    const by = holder.peerId;
    const notice = signNotice(
      { agreement: agreement.agreement, by, time: this.now, subject },
      holder.identitySeed,
    );
    this.#excuse.notified({ peer: agreement.partner, notice, failure });
  }

  reads(bytes: number): void {
    this.#excuse.gave(this.#pair.agreement.partner, bytes);
  }

  get mayBeUsedUp(): boolean {
    return this.#excuse.mayBeUsedUp(this.#pair.agreement.partner);
  }

  /** Two restores within a few days, the last of them just now, and then no more. */
  restoresTwice(): void {
    this.announces();
    this.passes(5 * dayMs);
    this.announces();
    this.reads(64 * mebi);
    this.announces(outOfQuota);
  }
}

test('C17: a quota that was just lifted is not used up', () => {
  const scene = new Scene();
  assert.equal(scene.mayBeUsedUp, false);
  scene.restoresTwice();
  assert.equal(scene.mayBeUsedUp, true);
  scene.announces();
  assert.equal(scene.mayBeUsedUp, false);
});

test('C17: a partner that hears of no restore is right only after two, in thirty days, by which much was read', () => {
  const first = new Scene();
  first.reads(64 * mebi);
  first.announces(outOfQuota);
  assert.equal(first.mayBeUsedUp, false, 'none began');
  const second = new Scene();
  second.announces();
  second.reads(64 * mebi);
  second.announces(outOfQuota);
  assert.equal(second.mayBeUsedUp, false, 'one began');
  const nothing = new Scene();
  nothing.announces();
  nothing.announces();
  nothing.reads(mebi);
  nothing.announces(outOfQuota);
  assert.equal(nothing.mayBeUsedUp, false, 'next to nothing was given');
  const later = new Scene();
  later.restoresTwice();
  later.passes(27 * dayMs);
  later.reads(64 * mebi);
  assert.equal(later.mayBeUsedUp, false, 'the first is over for long');
});

test('a day in which nothing was given is long enough for a new quota', () => {
  const scene = new Scene();
  scene.restoresTwice();
  scene.passes(dayMs);
  assert.equal(scene.mayBeUsedUp, true);
  scene.passes(2 * dayMs);
  assert.equal(scene.mayBeUsedUp, false);
});

test('a notice of which nobody knows whether it was heard may have begun a restore', () => {
  const scene = new Scene();
  scene.announces(broken);
  scene.announces(away);
  scene.reads(64 * mebi);
  scene.announces(outOfQuota);
  assert.equal(scene.mayBeUsedUp, false);
  scene.announces(broken);
  scene.announces(outOfQuota);
  assert.equal(scene.mayBeUsedUp, true);
});

test('only its quota is told of by a refusal for the quota, and only by a notice of restoring', () => {
  const scene = new Scene();
  scene.restoresTwice();
  scene.announces(faulty);
  assert.equal(scene.mayBeUsedUp, false);
  scene.announces(outOfQuota, { type: 'reload' });
  assert.equal(scene.mayBeUsedUp, false);
});

test('what was announced and read is known over restarts, and whatever the clock does meanwhile', () => {
  const scene = new Scene();
  scene.restoresTwice();
  scene.restart();
  assert.equal(scene.mayBeUsedUp, false, 'it is told of the restore again first');
  scene.announces(outOfQuota);
  assert.equal(scene.mayBeUsedUp, true);
  scene.passes(-10 * hourMs);
  assert.equal(scene.mayBeUsedUp, true);
});

test('what an earlier life may have read is an excuse for a month, and never again', () => {
  const scene = new Scene();
  facts.setIncarnation(scene.stores, 1);
  scene.announces(outOfQuota);
  assert.equal(scene.mayBeUsedUp, true);
  for (let day = 0; day < 30; day += 1) {
    scene.passes(dayMs);
    scene.restart();
    scene.announces(outOfQuota);
    assert.equal(scene.mayBeUsedUp, true);
  }
  for (let month = 0; month < 12; month += 1) {
    scene.passes(30 * dayMs);
    scene.restart();
    scene.announces(outOfQuota);
    assert.equal(scene.mayBeUsedUp, false);
  }
});
