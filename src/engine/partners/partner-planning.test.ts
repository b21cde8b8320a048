import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../base/assert.ts';
import { dayMs, gibi, type Instant, instant, minuteMs } from '../../base/units.ts';
import {
  agreementIdOf,
  encodeAgreement,
  encodeSignedAgreement,
  signAgreement,
} from '../../core/agreements/agreement.ts';
import { circleTerms } from '../../core/agreements/terms.ts';
import { encodeLifecycle } from '../../core/partners/lifecycle-codec.ts';
import {
  type LifecycleState,
  lifecyclePeriods,
  lifecycleStart,
} from '../../core/partners/lifecycle-state.ts';
import {
  beginObservation,
  encodeObservation,
  observeStretch,
} from '../../core/partners/observation.ts';
import type { Durability } from '../../core/placement/durability.ts';
import { ShardNamer } from '../../core/sealing/shard-name.ts';
import { codeText } from '../../core/vocabulary/code.ts';
import type { PeerId, ShardName } from '../../core/vocabulary/ids.ts';
import { type Profile, signProfile } from '../../core/wire/profile.ts';
import type { RetiredShardRow } from '../../ports/layout-store.ts';
import { contentsOf, packRow } from '../../ports/stores.conformance.ts';
import type { AgreementRow, PackRow } from '../../ports/stores.ts';
import { keysOf } from '../../sim/agreed-pair.ts';
import { type TwinStores, twinStores } from '../../sim/twin-stores.ts';
import { ShardPlacing } from '../sending/shard-placing.ts';
import { ReserveShards } from '../upkeep/reserve-shards.ts';
import { PartnerBook } from './partner-book.ts';
import { PartnerPlanning } from './partner-planning.ts';
import { agreementOf } from './partner-space.ts';
import { type SafetyOutlook, safetyOutlook } from './safety-outlook.ts';
import { StripeHolders } from './stripe-holders.ts';

const began: Instant = instant(1_700_000_000_000);
const owner = keysOf('~');

function agreedWith(number: number, change: Partial<AgreementRow> = {}): AgreementRow {
  const partner = keysOf(String.fromCharCode(33 + number));
  const lent = { firstLendsBytes: gibi, secondLendsBytes: gibi };
  const terms = { ...circleTerms(lent), trusted: false, commitmentMs: 31 * dayMs };
  const body = encodeAgreement({
    first: owner.peerId,
    second: partner.peerId,
    start: began,
    terms,
  });
  const half = signAgreement({ body, signatures: {} }, 'first', owner.identitySeed);
  return {
    agreement: agreementIdOf(body),
    partner: partner.peerId,
    document: encodeSignedAgreement(signAgreement(half, 'second', partner.identitySeed)),
    phase: 'standing',
    paused: false,
    lifecycle: undefined,
    partnerName: `partner ${number}`,
    addresses: [],
    since: began,
    lastSeenAt: undefined,
    ...change,
  };
}

function profileOf(number: number, change: Partial<Profile>): Profile {
  return {
    peer: keysOf(String.fromCharCode(33 + number)).peerId,
    name: '',
    protocols: [1],
    program: '1.0.0',
    system: 'linux',
    architecture: 'x64',
    place: {},
    offeredBytes: 0,
    wantedBytes: 0,
    presets: ['circle'],
    references: [],
    time: began,
    ...change,
  };
}

/** When commitment ends, for partners that are in it. */
const committed: Instant = instant(began + 31 * dayMs);

/** An owner and so many partners, of which nothing is known but their agreements. */
class Circle {
  readonly stores: TwinStores = twinStores();
  readonly rows: readonly AgreementRow[];
  readonly book: PartnerBook = new PartnerBook(this.stores);
  readonly planning: PartnerPlanning;
  readonly placing: ShardPlacing;
  /** What partners took in after their terms grew. */
  readonly uncommitted: Map<PeerId, ReadonlySet<ShardName>> = new Map();
  now: Instant = began;

  constructor(count: number, change: Partial<AgreementRow> = {}) {
    this.rows = Array.from({ length: count }, (_, number) => agreedWith(number, change));
    for (const row of this.rows) this.stores.agreements.put(row);
    const clock = { now: () => this.now, sleep: async () => undefined };
    const { stores, book } = this;
    const commitmentEndsAt = (partner: PeerId): Instant | undefined => {
      const isNew = book.get(partner)?.phase === 'in-commitment';
      const isOpen = isNew || this.uncommitted.has(partner);
      return isOpen && this.now < committed ? committed : undefined;
    };
    const { shardNameKey } = owner;
    this.planning = new PartnerPlanning({
      stores,
      book,
      clock,
      preset: { preset: 'circle' },
      self: owner.peerId,
      spareAfterMs: 3 * dayMs,
      commitmentEndsAt,
      holders: new StripeHolders({
        ...{ stores, shardNameKey },
        reserves: new ReserveShards({ stores, clock, book, shardNameKey }),
        honoursRestores: (partner) =>
          book.get(partner)?.phase !== 'in-commitment' || this.now >= committed,
        uncommittedAt: (partner) => this.uncommitted.get(partner) ?? new Set(),
      }),
      own: {},
    });
    const log = { write: () => undefined };
    this.placing = new ShardPlacing({ stores, clock, log, planning: this.planning });
  }

  tells(number: number, change: Partial<Profile>): void {
    const keys = keysOf(String.fromCharCode(33 + number));
    this.stores.candidates.put({
      peer: keys.peerId,
      addresses: [],
      source: 'invite',
      profile: signProfile(profileOf(number, change), keys.identitySeed),
      seenAt: began,
      nextAskAt: began,
      refusal: undefined,
    });
  }

  observes(number: number, online: number): void {
    this.watched(this.partner(number), online, 1);
  }

  /** Days, of each of which the peer was on line for a share. */
  watched(peer: PeerId, online: number, days: number): void {
    let seen = beginObservation(began);
    for (let day = 0; day < days; day += 1) {
      const from = began + day * dayMs;
      const at = from + online * dayMs;
      seen = observeStretch(seen, { from, until: at, online: true });
      seen = observeStretch(seen, { from: at, until: from + dayMs, online: false });
    }
    this.stores.observations.put(peer, encodeObservation(seen));
  }

  partner(number: number): PeerId {
    return present(this.rows[number], 'a partner').partner;
  }

  /** A pack, placed as the outbox would. */
  pack(number: number): PackRow {
    const row = packRow(number, { code: undefined, stripe: undefined, lengthBytes: 1_000_000 });
    this.stores.packs.add(row, contentsOf([number]));
    this.placing.place(row);
    return present(this.stores.packs.get(row.pack), 'the pack');
  }

  holdersOf({ pack }: PackRow): readonly PeerId[] {
    return this.stores.shards.ofPack(pack).map(({ partner }) => partner);
  }

  nameOf(row: PackRow, at: { readonly partner: PeerId; readonly index: number }): ShardName {
    const stripe = present(row.stripe, 'a stripe');
    return new ShardNamer(owner.shardNameKey, at.partner).nameOf(stripe, at.index);
  }

  /** A shard of the pack that its partner kept. */
  reserve(row: PackRow, partner: PeerId, index = 200): RetiredShardRow {
    const name = this.nameOf(row, { partner, index });
    return { partner, name, pack: row.pack, retiredAt: began, reserve: true };
  }

  forget(rows: readonly PackRow[], partner: PeerId, index: number): void {
    for (const row of rows)
      this.stores.layouts.forgetRetired(partner, this.nameOf(row, { partner, index }));
  }

  holdsAll({ pack }: PackRow): void {
    for (const shard of this.stores.shards.ofPack(pack))
      this.stores.shards.put({ ...shard, phase: 'held' });
  }
}

test('what was measured of a partner and what its profile says reaches the planner within a minute', () => {
  const circle = new Circle(2);
  const unknown = circle.planning.partners();
  assert.deepEqual(unknown[0]?.availability, undefined);
  assert.deepEqual(unknown[0]?.domains, {});
  circle.observes(0, 0.75);
  circle.tells(0, { networkPrefix: '192.0.2.0/24', osVersion: '6.8' });
  assert.equal(circle.planning.partners()[0]?.availability, undefined, 'not read each time');
  circle.now = instant(circle.now + minuteMs);
  const known = circle.planning.partners().find(({ peer }) => peer === circle.partner(0));
  assert.equal(known?.availability, 0.75);
  assert.deepEqual(known?.domains, { place: '192.0.2.0/24', system: 'linux 6.8' });
});

test('C36: packs go to partners in different networks while there is a choice, all to one set', () => {
  const circle = new Circle(14);
  for (let number = 0; number < 9; number += 1)
    circle.tells(number, { networkPrefix: '192.0.2.0/24', osVersion: `${number}` });
  const campus = new Set(Array.from({ length: 9 }, (_, number) => circle.partner(number)));
  const used = new Set<PeerId>();
  for (let number = 1; number <= 20; number += 1) {
    const row = circle.pack(number);
    assert.equal(codeText(present(row.code, 'a code')), '4+4');
    const holders = circle.holdersOf(row);
    for (const holder of holders) used.add(holder);
    // Five are elsewhere: of the others there must be three, one more than the two of a choice.
    assert.equal(holders.filter((holder) => campus.has(holder)).length, 3);
  }
  assert.equal(used.size, 8);
});

test('a partner without room is not planned with for a while, and a shard of it goes to one that fits', () => {
  const circle = new Circle(9);
  for (const number of [0, 1, 2]) circle.tells(number, { networkPrefix: '192.0.2.0/24' });
  const row = circle.pack(1);
  const [shard] = circle.stores.shards.ofPack(row.pack);
  const full = present(shard, 'a shard');
  circle.placing.noteFull(full.partner);
  assert.ok(circle.placing.moveElsewhere(row, full));
  const holders = circle.holdersOf(row);
  assert.equal(new Set(holders).size, 8);
  assert.ok(!holders.includes(full.partner));
  assert.ok(!circle.holdersOf(circle.pack(2)).includes(full.partner));
  const other = present(circle.stores.shards.ofPack(row.pack)[1], 'another shard');
  circle.placing.noteFull(other.partner);
  assert.ok(!circle.placing.moveElsewhere(row, other), 'nobody is left');
  circle.now = instant(circle.now + 6 * minuteMs);
  assert.ok(!circle.placing.isFull(full.partner));
});

test('the outlook counts who holds everything, and what they are worth', () => {
  const circle = new Circle(3);
  const { stores, rows, planning } = circle;
  const empty = safetyOutlook(stores, rows, planning);
  assert.deepEqual([empty.holding, empty.chances, empty.wantedPartners], [0, undefined, 8]);
  const row = circle.pack(1);
  assert.equal(safetyOutlook(stores, rows, planning).chances, undefined, 'nothing is out');
  circle.holdsAll(row);
  const blind = safetyOutlook(stores, rows, planning);
  assert.deepEqual([blind.holding, blind.measured], [3, 0]);
  assert.deepEqual(blind.next, { type: 'find-partners', count: 5 });
  for (const number of [0, 1, 2]) circle.observes(number, 1);
  circle.now = instant(circle.now + minuteMs);
  const seen = safetyOutlook(stores, rows, planning);
  assert.equal(seen.measured, 3);
  const [before, after] = [present(blind.chances, 'chances'), present(seen.chances, 'chances')];
  assert.ok(after.failsNow < before.failsNow / 5);
  assert.ok(after.failsInWindow <= before.failsInWindow);
  const [lost] = stores.shards.ofPack(row.pack);
  stores.shards.put({ ...present(lost, 'a shard'), phase: 'lost' });
  const worse = safetyOutlook(stores, rows, planning);
  assert.equal(worse.holding, 2);
  assert.ok(present(worse.chances, 'chances').failsInWindow > after.failsInWindow);
});

test('partners in commitment: it is said from when on enough of them honour restores', () => {
  const circle = new Circle(3, { phase: 'in-commitment' });
  const { stores, rows, planning } = circle;
  circle.holdsAll(circle.pack(1));
  assert.equal(safetyOutlook(stores, rows, planning).restorableFrom, committed);
  circle.now = committed;
  assert.equal(safetyOutlook(stores, rows, planning).restorableFrom, undefined);
  const mixed = [agreedWith(0), agreedWith(1), ...rows.slice(2)];
  for (const row of mixed) stores.agreements.put(row);
  circle.now = began;
  assert.equal(safetyOutlook(stores, mixed, planning).restorableFrom, undefined, '2 of 3 suffice');
});

test('a holder in commitment counts against loss, and for no restore before that is over', () => {
  const circle = new Circle(4);
  const { stores, rows, planning } = circle;
  circle.holdsAll(circle.pack(1));
  const outlook = (now: readonly AgreementRow[]): SafetyOutlook =>
    safetyOutlook(stores, now, planning);
  const standing = present(outlook(rows).chances, 'chances');
  const mixed = [agreedWith(0, { phase: 'in-commitment' }), ...rows.slice(1)];
  for (const row of mixed) stores.agreements.put(row);
  const one = present(outlook(mixed).chances, 'chances');
  assert.equal(outlook(mixed).restorableFrom, undefined, 'the other three suffice');
  assert.ok(one.failsInWindow > 2 * standing.failsInWindow);
  assert.equal(one.lostInYear, standing.lostInYear);
  const all = mixed.map((row) => ({ ...row, phase: 'in-commitment' as const }));
  for (const row of all) stores.agreements.put(row);
  const none = present(outlook(all).chances, 'chances');
  assert.deepEqual([none.failsNow, none.failsInWindow], [1, 1]);
  assert.equal(none.lostInYear, standing.lostInYear);
});

test('what was stored after terms grew is withheld, what was there before is not', () => {
  const circle = new Circle(4);
  const { stores, rows, planning } = circle;
  circle.holdsAll(circle.pack(1));
  const old = present(safetyOutlook(stores, rows, planning).chances, 'chances');
  const after = circle.pack(2);
  for (const { partner, index } of stores.shards.ofPack(after.pack))
    circle.uncommitted.set(partner, new Set([circle.nameOf(after, { partner, index })]));
  const still = safetyOutlook(stores, rows, planning);
  assert.deepEqual([still.chances, still.restorableFrom], [undefined, undefined], 'it is not out');
  circle.holdsAll(after);
  const grown = safetyOutlook(stores, rows, planning);
  assert.equal(grown.restorableFrom, committed);
  assert.equal(grown.chances?.failsInWindow, 1);
  assert.equal(grown.holding, 4);
  circle.uncommitted.clear();
  assert.deepEqual(safetyOutlook(stores, rows, planning).chances, old);
});

test('shards beside those of the layout count where every pack has them and their partner is sound', () => {
  const circle = new Circle(5);
  const { stores, rows, planning } = circle;
  const spare = circle.partner(4);
  const chances = (now = rows): Durability =>
    present(safetyOutlook(stores, now, planning).chances, 'chances');
  const packs = [1, 2].map((number) => circle.pack(number));
  for (const row of packs) {
    circle.holdsAll(row);
    // As if the fifth had been away when the packs were laid out.
    const { index } = present(
      stores.shards.ofPack(row.pack).find(({ partner }) => partner === spare),
      'its shard',
    );
    stores.shards.put({ pack: row.pack, index, partner: spare, phase: 'lost' });
  }
  const alone = chances();
  const [first, second] = packs.map((row) => circle.reserve(row, spare));
  stores.layouts.retire([present(first, 'a reserve')]);
  assert.deepEqual(chances(), alone, 'the other pack has none');
  stores.layouts.retire([present(second, 'a reserve')]);
  const both = chances();
  assert.ok(both.failsInWindow < alone.failsInWindow / 2);
  assert.ok(both.lostInYear < alone.lostInYear);
  const away = rows.map((row) =>
    row.partner === spare ? { ...row, phase: 'suspended' as const } : row,
  );
  assert.deepEqual(chances(away), alone, 'it may not come back');
  const other = present(stores.shards.ofPack(present(packs[0], 'a pack').pack)[0], 'a shard');
  stores.layouts.retire(packs.map((row) => circle.reserve(row, spare, other.index)));
  circle.forget(packs, spare, 200);
  assert.deepEqual(chances(), alone, 'a second copy of a shard that is there adds nothing');
});

test('a computer that is hardly ever on line repairs later, and the outlook is worse', () => {
  const circle = new Circle(8);
  const { stores, rows, planning } = circle;
  circle.holdsAll(circle.pack(1));
  const outlook = (): number => {
    circle.now = instant(circle.now + minuteMs);
    return present(safetyOutlook(stores, rows, planning).chances, 'chances').failsInWindow;
  };
  const repairDays = (): number => Math.round(present(planning.preset.repairMs, 'time') / dayMs);
  assert.equal(repairDays(), 7, 'on for half of the time, as long as nothing is known');
  const unknown = outlook();
  for (const share of [1, 0.1, 0.001]) {
    circle.watched(owner.peerId, share, 1);
    assert.ok(Math.abs(outlook() / unknown - 1) < 0.01, 'one day says nothing yet');
    assert.equal(repairDays(), 7);
  }
  circle.now = instant(began + 20 * dayMs);
  circle.watched(owner.peerId, 1, 20);
  const always = outlook();
  assert.equal(repairDays(), 4);
  circle.watched(owner.peerId, 0.25, 20);
  assert.equal(repairDays(), 4, 'a day on which it is on as usual counts as a day');
  circle.watched(owner.peerId, 0.05, 20);
  const seldom = outlook();
  assert.ok(repairDays() > 12, `${repairDays()}`);
  assert.ok(seldom > always * 1.5, `${seldom} of ${always}`);
});

test('a suspended partner is counted on for what its silence lets expect, and for nothing when it fails to prove', () => {
  const circle = new Circle(4);
  const { stores, rows, planning } = circle;
  circle.holdsAll(circle.pack(1));
  for (const number of [0, 1, 2, 3]) circle.watched(circle.partner(number), 0.5, 14);
  circle.now = instant(began + 20 * dayMs);
  const suspended = (change: Partial<LifecycleState>, silentDays: number): SafetyOutlook => {
    const [first, ...others] = rows;
    const row = present(first, 'a partner');
    const periods = lifecyclePeriods(agreementOf(row).terms, { spareMs: 3 * dayMs, proves: true });
    const state = { ...lifecycleStart(periods, began), phase: 'suspended', ...change } as const;
    const lastSeenAt = instant(circle.now - silentDays * dayMs);
    const lifecycle = encodeLifecycle(state);
    const failing = { ...row, phase: 'suspended' as const, lifecycle, lastSeenAt };
    return safetyOutlook(stores, [failing, ...others], planning);
  };
  const chance = ({ chances }: SafetyOutlook): number => present(chances, 'chances').failsInWindow;
  const all = safetyOutlook(stores, rows, planning);
  const days = [3, 6, 12].map((silent) => suspended({ cause: 'silence' }, silent));
  assert.deepEqual([all.holding, ...days.map(({ holding }) => holding)], [4, 3, 3, 3]);
  const odds = [all, ...days, suspended({ cause: 'wrong' }, 0)].map(chance);
  assert.deepEqual(
    odds,
    odds.toSorted((left, right) => left - right),
  );
  assert.ok(present(odds[1], 'of three days') < present(odds[4], 'of a cheat') / 2);
  assert.equal(chance(suspended({ unproved: true }, 0)), odds[4]);
});
