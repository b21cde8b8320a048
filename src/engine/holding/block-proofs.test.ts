import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../base/assert.ts';
import { type Bytes, concatBytes } from '../../base/bytes.ts';
import type { Outcome } from '../../base/outcome.ts';
import { Prng } from '../../base/prng.ts';
import type { AuditedShard } from '../../core/audits/audited-space.ts';
import type { PeerId, ShardName } from '../../core/vocabulary/ids.ts';
import { blockBytes } from '../../core/vocabulary/limits.ts';
import type { BlobFailure, BlobRange, BlobStore } from '../../ports/blob-store.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { AgreementRow } from '../../ports/stores.ts';
import { sha256 } from '../../primitives/hash.ts';
import { merkleRoot, verifyMerklePath } from '../../primitives/merkle.ts';
import { TwinDisk } from '../../sim/twin-disk.ts';
import { type BlockProofs, type ProofFailure, proveBlocks } from './block-proofs.ts';
import { blobName } from './shard-intake.ts';

const blockCount = 7;
const agreement = { partner: 'ab'.repeat(32) as PeerId } as AgreementRow;
const name = '5c'.repeat(16) as ShardName;
const blob = blobName(agreement, name);

/** A held shard, and how many bytes of it were read. */
class Scene {
  readonly disk: TwinDisk;
  readonly held: BlobStore;
  readonly blocks: readonly Bytes[];
  readonly damaged: string[] = [];
  readBytes = 0;
  failure: BlobFailure | undefined;
  readonly #shard: AuditedShard;

  constructor() {
    const draws = new Prng('block-proofs');
    this.disk = new TwinDisk({ random: draws });
    this.blocks = Array.from({ length: blockCount }, () => draws.bytes(blockBytes));
    const root = merkleRoot(this.blocks.map((block) => sha256(block)));
    this.#shard = { name, blockCount, merkleRoot: root } as AuditedShard;
    this.disk.setWhole(blob, concatBytes(this.blocks));
    this.held = this.#counting(this.disk.attach());
  }

  #counting(disk: BlobStore): BlobStore {
    const read = async (of: string, range?: BlobRange): Promise<Outcome<Bytes, BlobFailure>> => {
      if (this.failure !== undefined) return { ok: false, error: this.failure };
      const outcome = await disk.read(of, range);
      if (outcome.ok) this.readBytes += outcome.value.length;
      return outcome;
    };
    return Object.assign(Object.create(disk) as BlobStore, { read });
  }

  /** The numbers in the order in which an audit asks for them. */
  prove(...numbers: readonly number[]): Promise<Outcome<BlockProofs, ProofFailure>> {
    const log: EventLog = { write: (_, event) => this.damaged.push(event) };
    const chosen = numbers.map((number) => ({ shard: this.#shard, number }));
    return proveBlocks({ held: this.held, log }, agreement, chosen);
  }

  async mustShow(...numbers: readonly number[]): Promise<void> {
    const proven = await this.prove(...numbers);
    assert.ok(proven.ok);
    const { entries, blocks } = proven.value;
    const wanted = numbers.map((number) => this.blocks[number]);
    assert.deepEqual(blocks, wanted);
    for (const { number, proof } of entries) {
      const { hash, path } = present(proof, 'a proof');
      const claim = { root: this.#shard.merkleRoot, leafCount: blockCount, leafIndex: number };
      assert.ok(verifyMerklePath({ ...claim, hash }, path));
    }
  }

  async mustMiss(...numbers: readonly number[]): Promise<void> {
    const proven = await this.prove(...numbers);
    assert.ok(proven.ok);
    assert.deepEqual(
      proven.value.entries.map(({ number, proof }) => [number, proof]),
      numbers.map((number) => [number, undefined]),
    );
    assert.deepEqual(proven.value.blocks, []);
  }

  /** Changes one byte of a block. */
  spoil(number: number): void {
    const bytes = concatBytes(this.blocks);
    const at = number * blockBytes + 17;
    bytes[at] = present(bytes[at], 'inside') ^ 1;
    this.disk.setWhole(blob, bytes);
  }
}

test('a shard is read whole once, and from then on the blocks that are asked for', async () => {
  const scene = new Scene();
  await scene.mustShow(2);
  assert.equal(scene.readBytes, blockCount * blockBytes);
  scene.readBytes = 0;
  await scene.mustShow(0, 2, 6);
  assert.equal(scene.readBytes, 3 * blockBytes);
});

test('what was shown once and is gone, cut off or changed since is not shown again', async () => {
  const scene = new Scene();
  await scene.mustShow(3);
  scene.spoil(3);
  await scene.mustMiss(3);
  scene.disk.setWhole(blob, concatBytes(scene.blocks.slice(0, 3)));
  await scene.mustMiss(3);
  scene.disk.lose(blob);
  await scene.mustMiss(3);
  assert.deepEqual(scene.damaged, ['held.damaged', 'held.damaged', 'held.damaged']);
  scene.disk.setWhole(blob, concatBytes(scene.blocks));
  await scene.mustShow(3);
});

test('of a shard of which one asked block is damaged no block is shown', async () => {
  const scene = new Scene();
  await scene.mustShow(1);
  scene.spoil(5);
  await scene.mustMiss(1, 5);
  await scene.mustShow(1, 2);
});

test('damage in a block that nobody asked for is found where the shard is read whole', async () => {
  const scene = new Scene();
  scene.spoil(6);
  await scene.mustMiss(0);
  scene.disk.setWhole(blob, concatBytes([...scene.blocks, new Uint8Array(blockBytes)]));
  await scene.mustMiss(0);
});

test('a disk that fails says nothing about what lies on it', async () => {
  const scene = new Scene();
  const fails = async (): Promise<void> => {
    scene.failure = { code: 'blob.input-output', detail: 'broken' };
    const proven = await scene.prove(0, 1);
    assert.ok(!proven.ok);
    assert.equal(proven.error.code, 'blob.input-output');
    scene.failure = undefined;
  };
  await fails();
  await scene.mustShow(0);
  await fails();
  assert.deepEqual(scene.damaged, []);
});
