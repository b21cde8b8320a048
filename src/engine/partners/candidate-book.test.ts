import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hourMs, instant, minuteMs } from '../../base/units.ts';
import { idOf, type PeerId } from '../../core/vocabulary/ids.ts';
import { type Profile, signProfile } from '../../core/wire/profile.ts';
import { StorageFull, type Stores } from '../../ports/stores.ts';
import { publicKeyOf } from '../../primitives/signature.ts';
import { twinStores } from '../../sim/twin-stores.ts';
import { CandidateBook } from './candidate-book.ts';
import { PartnerBook } from './partner-book.ts';

const self = 'aa'.repeat(32) as PeerId;

function seedOf(number: number): Uint8Array {
  const seed = new Uint8Array(32).fill(7);
  new DataView(seed.buffer).setUint32(0, number);
  return seed;
}

function peerOf(number: number): PeerId {
  return idOf(publicKeyOf(seedOf(number)));
}

function profileOf(number: number): Uint8Array {
  const profile: Profile = {
    peer: peerOf(number),
    name: `peer ${number}`,
    protocols: [1],
    program: 'test',
    system: 'linux',
    architecture: 'x64',
    place: {},
    offeredBytes: 1,
    wantedBytes: 1,
    presets: ['circle'],
    references: [],
    time: instant(1),
  };
  return signProfile(profile, seedOf(number));
}

interface Opened {
  readonly book: CandidateBook;
  readonly stores: Stores;
  pass(ms: number): void;
  again(): CandidateBook;
}

function opened(stores: Stores = twinStores()): Opened {
  let nowMs = 1_000_000;
  const clock = { now: () => instant(nowMs), sleep: async () => undefined };
  const again = (): CandidateBook =>
    new CandidateBook({ self, stores, clock, book: new PartnerBook(stores) });
  return {
    ...{ book: again(), stores, again },
    pass: (ms) => {
      nowMs += ms;
    },
  };
}

test('strangers that ask take few places, however many they are', () => {
  const { book, pass } = opened();
  for (let number = 0; number < 40; number += 1)
    book.named({ peer: peerOf(1_000 + number), addresses: [] }, 'configured');
  for (let number = 0; number < 200; number += 1) {
    book.showed({ peer: peerOf(number), addresses: [] }, profileOf(number), { asked: true });
    if (number % 20 === 0) pass(2 * 60_000);
  }
  const all = book.all();
  assert(all.filter(({ source }) => source === 'asked-us').length <= 64);
  assert.equal(all.filter(({ source }) => source === 'configured').length, 40);
});

test('only so many strangers are written down in a minute', () => {
  const { book } = opened();
  for (let number = 0; number < 50; number += 1)
    book.showed({ peer: peerOf(number), addresses: [] }, profileOf(number), { asked: true });
  assert.equal(book.all().length, 32);
});

test('names from others never fill the book', () => {
  const { book, pass } = opened();
  book.showed({ peer: peerOf(900), addresses: [] }, profileOf(900), { asked: true });
  for (let number = 0; number < 400; number += 1) {
    book.named({ peer: peerOf(number), addresses: ['/ip4/192.0.2.1/tcp/1'] }, 'dht');
    pass(10);
  }
  assert.equal(book.all().length, 256);
  assert.equal(book.profileOf(peerOf(900))?.name, 'peer 900');
});

test('a profile that somebody else signed says nothing', () => {
  const { book } = opened();
  const known = book.showed({ peer: peerOf(1), addresses: [] }, profileOf(2), { asked: true });
  assert.equal(known, false);
  assert.deepEqual(book.all(), []);
  assert.equal(book.showed({ peer: self, addresses: [] }, profileOf(1), { asked: true }), false);
});

test('a refused candidate is remembered with its reason, until it comes by itself', () => {
  const { book, pass } = opened();
  const contact = { peer: peerOf(1), addresses: [] };
  book.named(contact, 'dht');
  book.refused(contact.peer, 'negotiation.space', hourMs);
  assert.equal(book.get(contact.peer)?.refusal, 'negotiation.space');
  pass(60_000);
  assert(book.showed(contact, profileOf(1), { asked: true }));
  assert.equal(book.get(contact.peer)?.refusal, undefined);
  assert.equal(book.profileOf(contact.peer)?.name, 'peer 1');
});

test('ten thousand names in an hour cost a few writes, and those of one kind leave room for another', () => {
  const stores = twinStores();
  let [written, transactions] = [0, 0];
  const put: Stores['candidates']['put'] = (row) => {
    written += 1;
    stores.candidates.put(row);
  };
  const transact: Stores['transact'] = (work) => {
    transactions += 1;
    return stores.transact(work);
  };
  const counted = { ...stores, transact, candidates: { ...stores.candidates, put } };
  const { book, pass } = opened(counted);
  for (let number = 0; number < 10_000; number += 1) {
    const addresses = [`/ip4/192.0.2.1/tcp/${1 + (number % 9_000)}`];
    book.named({ peer: peerOf(number % 600), addresses }, 'dht');
    if (number % 500 === 0) pass(minuteMs);
  }
  book.named({ peer: peerOf(70_000), addresses: [] }, 'partner');
  book.save();
  assert(book.get(peerOf(70_000)) !== undefined);
  assert(written <= 600, `${written}`);
  assert(transactions <= 25, `${transactions}`);
  pass(hourMs);
  book.named({ peer: peerOf(80_000), addresses: [] }, 'dht');
  assert(book.get(peerOf(80_000)) !== undefined, 'the next hour');
});

test('what was saved is there after a restart, in the same order', () => {
  const { book, pass, again } = opened();
  for (const number of [1, 2, 3]) {
    book.named({ peer: peerOf(number), addresses: [] }, 'dht');
    pass(1_000);
  }
  book.refused(peerOf(2), 'negotiation.space', hourMs);
  book.save();
  assert.deepEqual(again().all(), book.all());
  assert.deepEqual(
    book.all().map(({ peer }) => peer),
    [peerOf(3), peerOf(2), peerOf(1)],
  );
});

test('without room on the disk candidates are known all the same, and written down later', () => {
  const stores = twinStores();
  let isFull = true;
  const transact: Stores['transact'] = (work) => {
    if (isFull) throw new StorageFull('no room');
    return stores.transact(work);
  };
  const { book, again } = opened({ ...stores, transact });
  book.named({ peer: peerOf(1), addresses: [] }, 'dht');
  assert.equal(book.all().length, 1);
  assert.equal(again().all().length, 0);
  isFull = false;
  book.save();
  assert.equal(again().all().length, 1);
});
