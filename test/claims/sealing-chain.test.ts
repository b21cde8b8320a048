import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import { type Bytes, concatBytes, equalBytes, utf8Bytes } from '../../src/base/bytes.ts';
import { Prng } from '../../src/base/prng.ts';
import { instant, mebi } from '../../src/base/units.ts';
import { type ErasureCode, erasureCodeOf } from '../../src/core/erasure/erasure-code.ts';
import { stripeIdOf } from '../../src/core/erasure/layout.ts';
import { decodePack } from '../../src/core/erasure/stripe.ts';
import { encodeManifest, openManifest } from '../../src/core/manifest/manifest.ts';
import { frameKeyOf, frameOverheadBytes, openText } from '../../src/core/packing/frame.ts';
import { packHeaderBytes, readHeader } from '../../src/core/packing/pack-header.ts';
import { chunkOf, openFrameIn, openPack, verifyPack } from '../../src/core/packing/pack-reader.ts';
import { PackWriter, type SealedPack } from '../../src/core/packing/pack-writer.ts';
import { ShardSealer } from '../../src/core/sealing/block.ts';
import { ChunkNamer } from '../../src/core/sealing/chunk-id.ts';
import { deriveKeys } from '../../src/core/sealing/keys.ts';
import { type SealedShard, StripeSealing } from '../../src/core/sealing/stripe-sealing.ts';
import type { Code } from '../../src/core/vocabulary/code.ts';
import type { PeerId } from '../../src/core/vocabulary/ids.ts';
import { blockBytes, payloadBytes } from '../../src/core/vocabulary/limits.ts';
import { type Suite, suiteAesGcm, suiteChaChaPoly } from '../../src/core/vocabulary/suite.ts';
import { compress, decompress } from '../../src/primitives/zstd.ts';
import { blocksOf, good, kernels, type ShardOnDisk, SimCircle } from './sim-circle.ts';

const draws = new Prng('sealing chain');
const keys = deriveKeys(draws.bytes(32));
const namer = new ChunkNamer(keys.chunkIdKey);
const reedSolomon: Code = { id: 'reed-solomon', dataShards: 3, parityShards: 2 };
const partners = Array.from({ length: 5 }, () => deriveKeys(draws.bytes(32)).peerId);

const manifestSalt = draws.bytes(32);
const secret = 'nobody but the owner ever reads this sentence. ';
/** Compresses well, but no two stretches of it are equal. */
const text = utf8Bytes(Array.from({ length: 60_000 }, (_, line) => `${line}: ${secret}`).join(''));

function packOf(suite: Suite, chunks: readonly Bytes[], salt = draws.bytes(32)): SealedPack {
  const writer = new PackWriter({ packKey: keys.packKey, suite, kind: 'data', salt });
  for (const chunk of chunks) writer.add(namer.idBytesOf(chunk), chunk);
  return writer.finish({ pad: false });
}

function shardsOf(pack: SealedPack, code: Code): readonly SealedShard[] {
  const sealing = new StripeSealing({ sealKey: keys.sealKey, owner: keys.peerId, kernels });
  const wanted = partners
    .slice(0, code.dataShards + code.parityShards)
    .map((partner, index) => ({ index, partner }));
  return sealing.seal(pack, code, wanted);
}

function payloadOf(sealer: ShardSealer, shard: Bytes): Bytes {
  return concatBytes(blocksOf(shard).map((block, number) => good(sealer.openBlock(number, block))));
}

function sealerOf(pack: SealedPack, code: Code, { index, partner }: SealedShard): ShardSealer {
  const stripeId = stripeIdOf({ packId: pack.pack, packLength: pack.bytes.length, code });
  const { suite } = pack;
  return new ShardSealer(keys.sealKey, { suite, owner: keys.peerId, partner, stripeId, index });
}

for (const suite of [suiteAesGcm, suiteChaChaPoly]) {
  const other = suite === suiteAesGcm ? suiteChaChaPoly : suiteAesGcm;

  test(`C7, C31: with suite ${suite} a pack and its blocks come back exactly, and open under no other suite`, () => {
    const chunk = draws.bytes(300_000);
    const pack = packOf(suite, [chunk, text.slice(0, 100_000)]);
    assert.equal(good(readHeader(pack.bytes)).suite, suite);
    const shards = shardsOf(pack, reedSolomon);
    const payloads = new Map(
      shards
        .slice(2)
        .map((shard) => [shard.index, payloadOf(sealerOf(pack, reedSolomon, shard), shard.bytes)]),
    );
    const code = erasureCodeOf(reedSolomon, kernels);
    const decoded = good(decodePack(code, pack.bytes.length, payloads));
    assert.ok(equalBytes(decoded, pack.bytes));
    good(verifyPack(keys.packKey, namer, decoded));
    for (const shard of shards) {
      const wrong = sealerOf({ ...pack, suite: other }, reedSolomon, shard);
      assert.ok(!wrong.openBlock(0, shard.bytes.subarray(0, blockBytes)).ok);
    }
    const renamed = new Uint8Array(pack.bytes);
    renamed[5] = other;
    assert.ok(!openPack(keys.packKey, renamed).ok);
  });

  test(`C7, C31: a manifest sealed with suite ${suite} says so before its salt, and opens`, () => {
    const document = manifestOf(suite);
    assert.equal(document[indexOf(document, manifestSalt) - 1], suite);
    assert.equal(good(openManifest(document, keys)).body.ownerName, 'owner');
    assert.equal(indexOf(document, utf8Bytes('owner')), -1);
  });
}

test('C7, C31: equal contents under equal salts are other bytes under another suite', () => {
  const salt = draws.bytes(32);
  const [aes, chaCha] = [suiteAesGcm, suiteChaChaPoly].map((suite) =>
    packOf(suite, [draws.fork('same').bytes(300_000)], salt),
  );
  const left = present(aes, 'a pack').bytes.subarray(packHeaderBytes);
  const right = present(chaCha, 'a pack').bytes.subarray(packHeaderBytes);
  assert.equal(left.length, right.length);
  assert.ok(equalPositions(left, right) < left.length / 128);
});

test('C7, C31: a pack of a suite that this version does not know is refused before anything is opened', () => {
  const pack = packOf(suiteAesGcm, [text.slice(0, 1_000)]);
  for (const unknown of [0, 3, 255]) {
    const renamed = new Uint8Array(pack.bytes);
    renamed[5] = unknown;
    assert.deepEqual(readHeader(renamed), { ok: false, error: { code: 'pack.unknown-version' } });
    assert.deepEqual(openPack(keys.packKey, renamed), readHeader(renamed));
  }
});

function manifestOf(suite: Suite): Bytes {
  return encodeManifest(
    {
      header: { incarnation: 0, sequence: 1, time: instant(0), partners: [] },
      body: { ownerName: 'owner', indexPacks: [], snapshots: [], agreements: [] },
    },
    keys,
    { salt: manifestSalt, suite },
  );
}

/** An owner whose one file is text that repeats, backed up to so many partners. */
async function textAtPartners(partnerCount: number): Promise<SimCircle> {
  const circle = await SimCircle.made(`text at ${partnerCount}`, partnerCount);
  circle.owner.files.writeFile('/home/text', text);
  await circle.backedUp();
  return circle;
}

function dataShardsOf(circle: SimCircle): ShardOnDisk[] {
  return circle.shards().filter(({ row }) => row.kind === 'data');
}

/** Any of the shards as their partners hold them, opened with the owner's keys. */
function openedPayloads(circle: SimCircle, shards: readonly ShardOnDisk[]): Map<number, Bytes> {
  return new Map(
    shards.map((shard) => [shard.index, payloadOf(circle.sealer(shard), shard.bytes)]),
  );
}

test('C8, C9, C10, C11: contents are compressed before they are coded and encrypted, and nothing is lost', async () => {
  const circle = await textAtPartners(4);
  const shards = dataShardsOf(circle);
  const stored = shards.reduce((sum, { bytes }) => sum + bytes.length, 0);
  assert.ok(stored < text.length / 2, `${stored} bytes at partners for ${text.length} of text`);
  const { packKey } = circle.owner.keys;
  const { row, code } = present(shards[0], 'a shard');
  const payloads = openedPayloads(circle, shards.slice(0, code.dataShards));
  const pack = good(decodePack(erasureCodeOf(code, kernels), row.lengthBytes, payloads));
  const { header, contents } = good(openPack(packKey, pack));
  const key = frameKeyOf(packKey, header);
  const chunks: Bytes[] = [];
  for (const [number, frame] of contents.frames.entries()) {
    const sealed = pack.subarray(frame.offset, frame.offset + frame.storedBytes);
    assert.ok(compress(sealed, 19).length >= sealed.length, 'what is encrypted looks random');
    const opened = good(openText(key, number, { sealed }));
    assert.equal(opened.length, frame.storedBytes - frameOverheadBytes + 1);
    assert.equal(opened[0], 1, 'the mark of compressed contents');
    assert.ok(opened.length * 5 < frame.rawBytes, 'compressed before it was encrypted');
    const raw = good(decompress(opened.subarray(1), frame.rawBytes));
    assert.ok(equalBytes(raw, good(openFrameIn(key, pack, { contents, number }))));
    contents.chunkFrames.forEach((inFrame, chunk) => {
      const offset = present(contents.chunkOffsets[chunk], 'an offset');
      const length = present(contents.chunkLengths[chunk], 'a length');
      if (inFrame === number) chunks.push(present(chunkOf(raw, { offset, length }), 'a chunk'));
    });
  }
  assert.ok(equalBytes(concatBytes(chunks), text), 'the chunks are the file');
});

test('C9: incompressible contents are kept as they are, and cost no more than their frames', () => {
  const random = draws.bytes(mebi);
  const pack = packOf(suiteAesGcm, [random]);
  const { contents } = good(openPack(keys.packKey, pack.bytes));
  assert.equal(contents.frames[0]?.storedBytes, random.length + frameOverheadBytes);
  good(verifyPack(keys.packKey, namer, pack.bytes));
});

test('C8, C12: nothing that lies at a partner shows a word of the contents or of their names', async () => {
  const circle = await textAtPartners(4);
  const words = [secret.slice(0, 12), 'text', '/home', 'CVPK'].map(utf8Bytes);
  for (const partner of circle.partners) {
    const { held } = partner.home;
    assert.ok(held.wholeNames().length > 0);
    for (const blob of held.wholeNames()) {
      const bytes = present(held.whole(blob), 'a held shard');
      // Four letters come by chance once in 4 GiB.
      for (const word of words) assert.equal(indexOf(bytes, word), -1);
      for (const block of blocksOf(bytes)) assert.ok(compress(block, 19).length >= block.length);
    }
  }
});

test('C12, C13: what a partner holds is compressed, encrypted, coded, then encrypted again for that partner alone', async () => {
  const circle = await SimCircle.made('for one alone', 5);
  circle.owner.files.writeFile('/home/file', draws.bytes(2 * mebi));
  await circle.backedUp();
  const shards = dataShardsOf(circle);
  const { row, code } = present(shards[0], 'a shard');
  const stripe = shards.filter((shard) => shard.row.pack === row.pack);
  assert.equal(stripe.length, code.dataShards + code.parityShards);
  for (const shard of stripe) {
    const block = shard.bytes.subarray(0, blockBytes);
    for (const other of stripe) {
      const foreign = circle.sealer({ ...shard, partner: other.partner });
      const misplaced = circle.sealer({ ...shard, index: other.index });
      assert.equal(foreign.openBlock(0, block).ok, other === shard);
      assert.equal(misplaced.openBlock(0, block).ok, other === shard);
    }
  }
  const inner = erasureCodeOf(code, kernels);
  for (const missing of stripe) {
    const others = stripe.filter((shard) => shard !== missing);
    assert.ok(
      equalBytes(
        regenerated(inner, openedPayloads(circle, others), missing.index),
        payloadOf(circle.sealer(missing), missing.bytes),
      ),
      'the owner, who takes off the second encryption, makes any shard from the others',
    );
    const guess = regenerated(inner, sealedPayloads(others), missing.index);
    const sealed = present(sealedPayloads([missing]).get(missing.index), 'its own');
    assert.ok(
      equalPositions(guess, sealed) < sealed.length / 128,
      'partners, who cannot, gain nothing by putting theirs together',
    );
  }
});

function regenerated(code: ErasureCode, from: ReadonlyMap<number, Bytes>, index: number): Bytes {
  return present(good(code.decode(from, [index])).get(index), 'the element');
}

/** What partners hold without the tags: as long as the payloads, but sealed. */
function sealedPayloads(shards: readonly ShardOnDisk[]): Map<number, Bytes> {
  return new Map(
    shards.map(({ index, bytes }) => [
      index,
      concatBytes(blocksOf(bytes).map((block) => block.subarray(0, payloadBytes))),
    ]),
  );
}

test('C13: two partners that hold the very same data hold other bytes, under names that do not match', async () => {
  const circle = await SimCircle.made('two copies', 2);
  circle.owner.files.writeFile('/home/file', draws.bytes(mebi));
  await circle.backedUp();
  const [first, second] = circle.partners.map((partner) =>
    circle.shardsAt(partner).filter(({ row }) => row.kind === 'data'),
  );
  assert.ok(first !== undefined && second !== undefined && first.length > 0);
  assert.equal(first.length, second.length);
  const blobs = circle.partners.flatMap(({ home }) => home.held.wholeNames());
  assert.equal(new Set(blobs).size, blobs.length);
  for (const mine of first) {
    const theirs = present(
      second.find(({ stripe }) => stripe === mine.stripe),
      'the other copy',
    );
    assert.equal(mine.code.dataShards, 1);
    assert.ok(
      equalBytes(
        payloadOf(circle.sealer(mine), mine.bytes),
        payloadOf(circle.sealer(theirs), theirs.bytes),
      ),
      'with one data shard the parity is a copy of it',
    );
    assert.ok(equalPositions(mine.bytes, theirs.bytes) < mine.bytes.length / 128);
  }
});

test('C13: blocks with equal contents are different bytes wherever they lie', () => {
  const empty = new Uint8Array(3 * payloadBytes);
  const pack = packOf(suiteAesGcm, [text.slice(0, 1_000)]);
  const seen = new Set<string>();
  let sealedCount = 0;
  for (const partner of partners)
    for (const index of [0, 1, 2]) {
      const shard = { index, partner, bytes: empty, merkleRoot: empty };
      for (const block of blocksOf(sealerOf(pack, reedSolomon, shard).sealShard(empty).bytes)) {
        seen.add(Buffer.from(block).toString('base64'));
        sealedCount += 1;
      }
    }
  assert.equal(seen.size, sealedCount);
});

test("C12: without the owner's keys a partner opens nothing of what it holds", async () => {
  const circle = await textAtPartners(3);
  for (const shard of circle.shards()) {
    const own = shard.partner.keys;
    for (const owner of [circle.owner.keys.peerId, own.peerId] satisfies PeerId[]) {
      const sealer = new ShardSealer(own.sealKey, {
        suite: suiteAesGcm,
        owner,
        partner: own.peerId,
        stripeId: shard.stripe,
        index: shard.index,
      });
      assert.ok(!sealer.openBlock(0, shard.bytes.subarray(0, blockBytes)).ok);
    }
  }
});

function indexOf(bytes: Bytes, part: Bytes): number {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(part);
}

/** How many positions hold the same byte; by chance one in 256. */
function equalPositions(left: Uint8Array, right: Uint8Array): number {
  let equal = 0;
  for (let position = 0; position < left.length; position += 1)
    if (left[position] === right[position]) equal += 1;
  return equal;
}
