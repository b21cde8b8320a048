/**
 * The vectors that another implementation of docs/format.md can check itself by. Each case gives its input and its one right outcome, a
 * refusal included; here they hold our own code to it.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import { type Bytes, hexBytes, hexText } from '../../src/base/bytes.ts';
import { stripeIdOf } from '../../src/core/erasure/layout.ts';
import { frameKeyOf, openFrame } from '../../src/core/packing/frame.ts';
import { chunkOf, openFrameIn, verifyPack } from '../../src/core/packing/pack-reader.ts';
import { paddedLength } from '../../src/core/packing/padding.ts';
import { ShardSealer } from '../../src/core/sealing/block.ts';
import { ChunkNamer } from '../../src/core/sealing/chunk-id.ts';
import type { DocumentType } from '../../src/core/sealing/domains.ts';
import { deriveKeys } from '../../src/core/sealing/keys.ts';
import { recoveryTopic } from '../../src/core/sealing/recovery-topic.ts';
import { ShardNamer } from '../../src/core/sealing/shard-name.ts';
import { signDocument, verifyDocument } from '../../src/core/sealing/signed-document.ts';
import type { CodeId } from '../../src/core/vocabulary/code.ts';
import { idOf, type PackId, type PeerId, type StripeId } from '../../src/core/vocabulary/ids.ts';
import { blockBytes, payloadBytes } from '../../src/core/vocabulary/limits.ts';
import { parseSuite, type Suite } from '../../src/core/vocabulary/suite.ts';
import { sha256 } from '../../src/primitives/hash.ts';
import { merklePath, merkleRoot, verifyMerklePath } from '../../src/primitives/merkle.ts';

function bytes(text: string): Bytes {
  return present(hexBytes(text), 'vectors are hexadecimal');
}

function suiteOf(value: number): Suite {
  return present(parseSuite(value), 'vectors use known suites');
}

/** The cases of a file; their shape is asserted by their use. */
function casesOf<Case>(name: string): readonly Case[] {
  const text = readFileSync(new URL(`${name}.json`, import.meta.url), 'utf8');
  const { cases } = JSON.parse(text) as { readonly cases: readonly Case[] };
  assert.ok(cases.length > 0);
  return cases;
}

type Texts = Readonly<Record<string, string>>;

test('keys and recovery topics derive from the root seed', () => {
  type Case = { rootSeed: string; keys: Texts; recoveryTopics: Texts };
  for (const { rootSeed, keys, recoveryTopics } of casesOf<Case>('keys')) {
    const { peerId, ...derived } = deriveKeys(bytes(rootSeed));
    const texts = Object.entries(derived).map(([name, key]) => [name, hexText(key)]);
    assert.deepEqual({ peerId, ...Object.fromEntries(texts) }, keys);
    for (const [index, topic] of Object.entries(recoveryTopics))
      assert.equal(hexText(recoveryTopic(derived.recoveryTopicKey, Number(index))), topic);
  }
});

test('chunk ids', () => {
  for (const { chunkIdKey, chunk, chunkId } of casesOf<Record<string, string>>('chunk-ids'))
    assert.equal(new ChunkNamer(bytes(chunkIdKey ?? '')).idOf(bytes(chunk ?? '')), chunkId);
});

interface FrameCase {
  readonly name: string;
  readonly packKey: string;
  readonly suite: number;
  readonly salt: string;
  readonly number: number;
  readonly rawBytes: number;
  readonly sealed: string;
  readonly expected: { readonly raw: string } | { readonly code: string };
}

for (const frame of casesOf<FrameCase>('frames'))
  test(`frame: ${frame.name}`, () => {
    const { suite, salt, number, rawBytes } = frame;
    const key = frameKeyOf(bytes(frame.packKey), { suite: suiteOf(suite), salt: bytes(salt) });
    const opened = openFrame(key, number, { sealed: bytes(frame.sealed), rawBytes });
    const outcome = opened.ok ? { raw: hexText(opened.value) } : opened.error;
    assert.deepEqual(outcome, frame.expected);
  });

interface PackCase {
  readonly name: string;
  readonly packKey: string;
  readonly chunkIdKey: string;
  readonly pack: string;
  readonly expected: object;
}

for (const vector of casesOf<PackCase>('packs'))
  test(`pack: ${vector.name}`, () => {
    assert.deepEqual(outcomeOfPack(vector), vector.expected);
  });

function outcomeOfPack(vector: PackCase): object {
  const pack = bytes(vector.pack);
  const packKey = bytes(vector.packKey);
  const verified = verifyPack(packKey, new ChunkNamer(bytes(vector.chunkIdKey)), pack);
  if (!verified.ok) return { code: verified.error.code };
  const { header, contents } = verified.value;
  const { kind, suite, salt } = header;
  const key = frameKeyOf(packKey, header);
  const chunks = Array.from(contents.chunkLengths, (length, chunk) => {
    const frame = contents.chunkFrames[chunk] ?? -1;
    const offset = contents.chunkOffsets[chunk] ?? -1;
    const raw = openFrameIn(key, pack, { contents, number: frame });
    assert.ok(raw.ok);
    const found = present(chunkOf(raw.value, { offset, length }), 'verified before');
    const id = hexText(contents.chunkIds.subarray(chunk * 32, (chunk + 1) * 32));
    return { id, frame, offset, bytes: hexText(found) };
  });
  const packId = hexText(sha256(pack));
  return { packId, kind, suite, salt: hexText(salt), frames: contents.frames, chunks };
}

interface BlockCase {
  readonly sealKey: string;
  readonly suite: number;
  readonly owner: PeerId;
  readonly partner: PeerId;
  readonly stripeId: StripeId;
  readonly index: number;
  readonly number: number;
  readonly expected: object;
}

for (const vector of casesOf<BlockCase>('blocks'))
  test(`block: suite ${vector.suite}, index ${vector.index}, number ${vector.number}`, () => {
    const sealer = new ShardSealer(bytes(vector.sealKey), {
      ...vector,
      suite: suiteOf(vector.suite),
    });
    const payload = Uint8Array.from({ length: payloadBytes }, (_, at) => at * 31 + (at >> 8));
    const block = new Uint8Array(blockBytes);
    sealer.sealBlock(vector.number, payload, block);
    const found = {
      sha256: hexText(sha256(block)),
      beginning: hexText(block.subarray(0, 32)),
      tag: hexText(block.subarray(payloadBytes)),
    };
    assert.deepEqual(found, vector.expected);
    assert.deepEqual(sealer.openBlock(vector.number, block), { ok: true, value: payload });
    assert.equal(sealer.openBlock(vector.number + 1, block).ok, false);
  });

test('shard names', () => {
  type Case = {
    shardNameKey: string;
    partner: PeerId;
    stripeId: StripeId;
    index: number;
    shardName: string;
  };
  for (const { shardNameKey, partner, stripeId, index, shardName } of casesOf<Case>(
    'shard-names',
  )) {
    const namer = new ShardNamer(bytes(shardNameKey), partner);
    const name = namer.nameOf(stripeId, index);
    assert.equal(name, shardName);
    assert.deepEqual(namer.read(name), { stripePrefix: bytes(stripeId).slice(0, 14), index });
  }
});

test('stripe ids', () => {
  type Case = {
    packId: PackId;
    packLength: number;
    code: { id: CodeId; dataShards: number; parityShards: number };
    stripeId: string;
  };
  for (const { stripeId, ...stripe } of casesOf<Case>('stripe-ids'))
    assert.equal(stripeIdOf(stripe), stripeId);
});

interface SignatureCase {
  readonly name: string;
  readonly type: DocumentType;
  readonly body: string;
  readonly signature: string;
  readonly signer: string;
  readonly valid: boolean;
}

for (const vector of casesOf<SignatureCase>('signatures'))
  test(`signature: ${vector.name}`, () => {
    const signer = idOf<PeerId>(bytes(vector.signer));
    const signature = bytes(vector.signature);
    const valid = verifyDocument(vector.type, bytes(vector.body), { signature, signer });
    assert.equal(valid, vector.valid);
  });

test('signing is deterministic: the valid signature is the one that the seed gives', () => {
  const [right] = casesOf<SignatureCase>('signatures');
  const owners = casesOf<{ keys: Texts }>('keys').map(({ keys }) => keys);
  const owner = owners.find((keys) => keys['peerId'] === right?.signer);
  assert.ok(right !== undefined && owner !== undefined);
  const seed = bytes(owner['identitySeed'] ?? '');
  assert.equal(hexText(signDocument(right.type, bytes(right.body), seed)), right.signature);
});

test('Merkle roots and paths', () => {
  type Case = { blocks: readonly string[]; root: string; leafIndex?: number; path?: string[] };
  for (const { blocks, root, leafIndex, path } of casesOf<Case>('merkle-roots')) {
    const hashes = blocks.map((block) => sha256(bytes(block)));
    assert.equal(hexText(merkleRoot(hashes)), root);
    if (leafIndex === undefined || path === undefined) continue;
    assert.deepEqual(merklePath(hashes, leafIndex).map(hexText), path);
    const hash = present(hashes[leafIndex], 'a leaf of the tree');
    const claim = { root: bytes(root), leafCount: blocks.length, leafIndex, hash };
    assert.equal(verifyMerklePath(claim, path.map(bytes)), true);
  }
});

test('padded lengths', () => {
  for (const { length, padded } of casesOf<{ length: number; padded: number }>('padding'))
    assert.equal(paddedLength(length), padded);
});
