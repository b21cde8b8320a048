import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dayMs, gibi, type Instant, instant, mebi } from '../../base/units.ts';
import {
  agreementIdOf,
  encodeAgreement,
  encodeSignedAgreement,
  signAgreement,
} from '../../core/agreements/agreement.ts';
import { openTerms } from '../../core/agreements/terms.ts';
import { codewordCount } from '../../core/erasure/layout.ts';
import type { Code } from '../../core/vocabulary/code.ts';
import type { ShardName, StripeId } from '../../core/vocabulary/ids.ts';
import { blockBytes } from '../../core/vocabulary/limits.ts';
import { contentsOf, packRow } from '../../ports/stores.conformance.ts';
import type { AgreementRow, ShardRow } from '../../ports/stores.ts';
import { keysOf } from '../../sim/agreed-pair.ts';
import { type TwinStores, twinStores } from '../../sim/twin-stores.ts';
import { PartnerBook } from './partner-book.ts';
import { RefusedRoom, type SentShard } from './refused-room.ts';

const began: Instant = instant(1_700_000_000_000);
const code: Code = { id: 'reed-solomon', dataShards: 1, parityShards: 0 };

/** An owner, and a partner that is a stranger and lends it 1 GiB. */
class Scene {
  readonly stores: TwinStores = twinStores();
  readonly row: AgreementRow = standing();
  now: number = began;
  readonly room: RefusedRoom;
  #packs = 0;

  constructor() {
    this.stores.agreements.put(this.row);
    const clock = { now: () => instant(this.now), sleep: async () => undefined };
    this.room = new RefusedRoom({ stores: this.stores, clock, book: new PartnerBook(this.stores) });
  }

  get refuses(): boolean {
    return this.room.refuses(this.row);
  }

  refused(shard: SentShard): void {
    this.room.refused(this.row.partner, shard);
  }

  taken(shard: SentShard): void {
    this.room.taken(this.row.partner, shard);
  }

  /** Packs of which the partner is to have a shard each; that many bytes of sealed blocks in all. */
  places(bytes: number, phase: ShardRow['phase']): void {
    this.#packs += 1;
    const lengthBytes = Math.floor(bytes / blockBytes) * (blockBytes - 16);
    assert.equal(codewordCount(lengthBytes, 1) * blockBytes, bytes);
    const stripe = `${this.#packs}`.padStart(64, '0') as StripeId;
    const row = packRow(this.#packs, { code, stripe, lengthBytes });
    this.stores.packs.add(row, contentsOf([this.#packs]));
    this.stores.shards.put({ pack: row.pack, index: 0, partner: this.row.partner, phase });
  }
}

function standing(): AgreementRow {
  const [self, partner] = [keysOf('o'), keysOf('p')];
  const terms = openTerms({ firstLendsBytes: gibi, secondLendsBytes: gibi });
  const parties = { first: self.peerId, second: partner.peerId };
  const body = encodeAgreement({ ...parties, start: began, terms });
  const half = signAgreement({ body, signatures: {} }, 'first', self.identitySeed);
  const whole = signAgreement(half, 'second', partner.identitySeed);
  return {
    ...{ agreement: agreementIdOf(body), partner: partner.peerId, phase: 'in-commitment' },
    ...{ document: encodeSignedAgreement(whole), paused: false, lifecycle: undefined },
    ...{ partnerName: '', addresses: [], since: began, lastSeenAt: undefined },
  };
}

function shard(number: number, bytes: number): SentShard {
  return { name: `${number}`.padStart(32, '0') as ShardName, bytes };
}

test('C30: a small shard that is taken in makes no refusal of a larger one good', () => {
  const scene = new Scene();
  scene.refused(shard(1, 4 * mebi));
  assert.equal(scene.refuses, true);
  scene.taken(shard(2, mebi));
  assert.equal(scene.refuses, true);
  scene.refused(shard(3, mebi));
  scene.taken(shard(4, 2 * mebi));
  assert.equal(scene.refuses, true, 'the largest that was refused is what counts');
  scene.taken(shard(5, 4 * mebi));
  assert.equal(scene.refuses, false);
  scene.refused(shard(6, 4 * mebi));
  scene.taken(shard(6, 4 * mebi));
  assert.equal(scene.refuses, false);
});

test('a refusal is forgotten after two days in which nothing else was refused', () => {
  const scene = new Scene();
  scene.refused(shard(1, 4 * mebi));
  scene.now += 1.5 * dayMs;
  scene.refused(shard(2, mebi));
  scene.now += 1.5 * dayMs;
  assert.equal(scene.refuses, true);
  scene.taken(shard(3, 2 * mebi));
  assert.equal(scene.refuses, true);
  scene.now += 0.6 * dayMs;
  assert.equal(scene.refuses, false);
  scene.refused(shard(4, mebi));
  scene.taken(shard(5, mebi));
  assert.equal(scene.refuses, false, 'what was forgotten asks for no larger shard');
});

test('whoever holds all that it agreed to may refuse more; what is only planned for it takes no room', () => {
  const planned = new Scene();
  planned.places(gibi - 4 * mebi, 'planned');
  planned.refused(shard(1, 4 * mebi));
  assert.equal(planned.refuses, true);
  const full = new Scene();
  full.places(gibi - 64 * mebi, 'held');
  full.refused(shard(1, 4 * mebi));
  assert.equal(full.refuses, false);
  const half = new Scene();
  half.places(gibi / 2, 'held');
  half.places(gibi / 4, 'planned');
  half.refused(shard(1, 4 * mebi));
  assert.equal(half.refuses, true);
});

test('of whoever is no partner nothing is remembered', () => {
  const scene = new Scene();
  scene.stores.agreements.remove(scene.row.agreement);
  scene.refused(shard(1, mebi));
  assert.equal(scene.refuses, false);
});
