import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bytes } from '../../base/bytes.ts';
import { instant } from '../../base/units.ts';
import { encodeManifest, readPublicManifest } from '../../core/manifest/manifest.ts';
import { readReceipt } from '../../core/manifest/receipt.ts';
import type { OwnerKeys } from '../../core/sealing/keys.ts';
import { suiteAesGcm } from '../../core/vocabulary/suite.ts';
import { agreedPair, keysOf } from '../../sim/agreed-pair.ts';
import { ManifestKeeper } from './manifest-keeper.ts';

const pair = agreedPair(1_000_000);

function keeper(): { keep: ManifestKeeper; put: (document: Bytes) => string } {
  const { holder, clock, log, agreement } = pair;
  const { stores } = agreedPair(1_000_000);
  const keep = new ManifestKeeper({ identitySeed: holder.identitySeed, stores, clock, log });
  const put = (document: Bytes): string => {
    const receipt = keep.put(agreement, document);
    if (!receipt.ok) return receipt.error.code;
    const read = readReceipt(receipt.value, holder.peerId);
    assert.ok(read.ok);
    assert.deepEqual(read.value.manifestHash, hashOf(document));
    return `${read.value.incarnation}.${read.value.sequence}`;
  };
  return { keep, put };
}

function manifest(
  place: { incarnation: number; sequence: number; previous?: Bytes; salt?: number },
  keys: OwnerKeys = pair.owner,
): Bytes {
  const { incarnation, sequence, previous, salt } = place;
  const header = {
    incarnation,
    sequence,
    ...(previous === undefined ? {} : { previousHash: hashOf(previous) }),
    time: instant(1_700_000_000_000),
    partners: [],
  };
  const body = { ownerName: 'owner', indexPacks: [], snapshots: [], agreements: [] };
  return encodeManifest({ header, body }, keys, {
    salt: new Uint8Array(32).fill(salt ?? 1),
    suite: suiteAesGcm,
  });
}

function hashOf(document: Bytes): Bytes {
  const read = readPublicManifest(document, pair.owner.peerId);
  assert.ok(read.ok);
  return read.value.hash;
}

test('C28: the newest manifest is kept, receipted, and given to whoever asks', () => {
  const { keep, put } = keeper();
  assert.equal(keep.get(pair.owner.peerId).ok, false);
  const first = manifest({ incarnation: 0, sequence: 1 });
  assert.equal(put(first), '0.1');
  const second = manifest({ incarnation: 0, sequence: 2, previous: first });
  assert.equal(put(second), '0.2');
  assert.equal(put(second), '0.2', 'twice: a receipt again');
  assert.equal(put(first), '0.1', 'one that is known is receipted, old as it is');
  const newest = keep.get(pair.owner.peerId);
  assert.deepEqual(newest.ok && newest.value, second);
});

test('older ones are stale, other ones in the same place or of another past are forks', () => {
  const { put } = keeper();
  const first = manifest({ incarnation: 1, sequence: 5 });
  assert.equal(put(first), '1.5');
  assert.equal(put(manifest({ incarnation: 1, sequence: 4 })), 'manifest.stale');
  assert.equal(put(manifest({ incarnation: 0, sequence: 9 })), 'manifest.stale');
  assert.equal(put(manifest({ incarnation: 1, sequence: 5, salt: 2 })), 'manifest.fork');
  assert.equal(put(manifest({ incarnation: 1, sequence: 6, salt: 3 })), 'manifest.fork');
  assert.equal(put(manifest({ incarnation: 1, sequence: 9, salt: 4 })), '1.9', 'a gap is accepted');
  assert.equal(put(manifest({ incarnation: 2, sequence: 1, salt: 5 })), '2.1', 'a later life too');
});

test('a manifest that another key signed, or that was tampered with, is refused', () => {
  const { put } = keeper();
  const stranger = manifest({ incarnation: 0, sequence: 1 }, keysOf('stranger'));
  assert.equal(put(stranger), 'manifest.malformed');
  const good = manifest({ incarnation: 0, sequence: 1 });
  for (let at = 0; at < good.length; at += 7) {
    const bad = good.slice();
    bad[at] = (bad[at] ?? 0) ^ 1;
    const answer = keeper().keep.put(pair.agreement, bad);
    assert.equal(answer.ok ? 'taken' : answer.error.code, 'manifest.malformed', `byte ${at}`);
  }
});

test('a partner that sends ever new manifests fills no disk', () => {
  const { put, keep } = keeper();
  let previous: Bytes | undefined;
  for (let sequence = 1; sequence <= 60; sequence += 1) {
    const next = manifest({ incarnation: 0, sequence, ...(previous && { previous }) });
    assert.equal(put(next), `0.${sequence}`);
    previous = next;
  }
  const newest = keep.get(pair.owner.peerId);
  assert.deepEqual(newest.ok && newest.value, previous);
});
