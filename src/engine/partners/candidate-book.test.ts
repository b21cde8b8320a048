import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hourMs, instant } from '../../base/units.ts';
import { idOf, type PeerId } from '../../core/vocabulary/ids.ts';
import { type Profile, signProfile } from '../../core/wire/profile.ts';
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

function opened(): { readonly book: CandidateBook; pass(ms: number): void } {
  let nowMs = 1_000_000;
  const stores = twinStores();
  const clock = { now: () => instant(nowMs), sleep: async () => undefined };
  const book = new CandidateBook({ self, stores, clock, book: new PartnerBook(stores) });
  return {
    book,
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
