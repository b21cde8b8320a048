/** What a partner can make this computer read and hold by asking for its own shards: over real connections, by a client that does not keep to the rules. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type ClientHttp2Session, connect, type OutgoingHttpHeaders } from 'node:http2';
import { test } from 'node:test';
import { createPeerIdentity } from '../../adapters/http2/certificate.ts';
import { defaultLimits } from '../../adapters/http2/limits.ts';
import { createPeerTransport } from '../../adapters/http2/transport.ts';
import type { Bytes } from '../../base/bytes.ts';
import { mebi } from '../../base/units.ts';
import type { ShardName } from '../../core/vocabulary/ids.ts';
import { blockBytes } from '../../core/vocabulary/limits.ts';
import { encodeRefusal, statusOf } from '../../core/wire/refusal.ts';
import { parsePath, pathOf } from '../../core/wire/resources.ts';
import { uploadFields } from '../../core/wire/shard-upload.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import type { RequestHandler } from '../../ports/transport.ts';
import { MerkleBuilder } from '../../primitives/merkle.ts';
import { type AgreedPair, agreedPair } from '../../sim/agreed-pair.ts';
import { ShardIntake } from './shard-intake.ts';
import { ShardService } from './shard-service.ts';

/** More than one piece. */
const shardBlocks = 20;
const shard: Bytes = new Uint8Array(shardBlocks * blockBytes).map((_, index) => index >> 16);
const patience = { timeout: 20_000 };

function named(number: number): ShardName {
  return number.toString(16).padStart(32, '0') as ShardName;
}

/** How much is read at a time, and how often at once. Reads wait until they may go on. */
class WatchedReads {
  readonly held: BlobStore;
  largestBytes = 0;
  mostAtOnce = 0;
  allBytes = 0;
  #underwayCount = 0;
  #mayGoOn: Promise<void> = Promise.resolve();

  constructor(disk: BlobStore) {
    const read: BlobStore['read'] = async (name, range) => {
      this.#underwayCount += 1;
      this.mostAtOnce = Math.max(this.mostAtOnce, this.#underwayCount);
      await this.#mayGoOn;
      const found = await disk.read(name, range);
      this.#underwayCount -= 1;
      if (!found.ok) return found;
      this.largestBytes = Math.max(this.largestBytes, found.value.length);
      this.allBytes += found.value.length;
      return found;
    };
    this.held = new Proxy(disk, {
      get: (target, key) => {
        if (key === 'read') return read;
        const value: unknown = Reflect.get(target, key);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  /** Gives what lets them go on again. */
  stop(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#mayGoOn = promise;
    return resolve;
  }
}

interface Scene {
  readonly reads: WatchedReads;
  readonly connect: (settings?: { readonly initialWindowSize: number }) => ClientHttp2Session;
}

/** A holder of so many shards of one owner, who is its partner. */
async function holding(shardCount: number, attack: (scene: Scene) => Promise<void>): Promise<void> {
  const pair = agreedPair((shardCount + 1) * shardBlocks * blockBytes);
  const reads = new WatchedReads(pair.disk.attach());
  const identitySeed = randomBytes(32);
  const log = { write: (): void => undefined };
  const limits = { ...defaultLimits, closeGraceMs: 50 };
  const listen = ['/ip4/127.0.0.1/tcp/0'];
  const peer = createPeerTransport({ identitySeed, listen, log, limits });
  const { addresses } = await peer.serve(
    await serviceOf(pair, reads.held, shardCount),
    () => 'partner',
  );
  const url = `https://127.0.0.1:${addresses[0]?.split('/').at(-1)}`;
  const { keyPem: key, certificatePem: cert } = createPeerIdentity(randomBytes(32));
  const sessions: ClientHttp2Session[] = [];
  try {
    await attack({
      reads,
      connect: (settings = { initialWindowSize: mebi }) => {
        const session = connect(url, { key, cert, rejectUnauthorized: false, settings });
        session.on('error', () => undefined);
        sessions.push(session);
        return session;
      },
    });
  } finally {
    for (const session of sessions) session.destroy();
    await peer.close();
  }
}

async function serviceOf(
  { holder, stores, clock, log, agreement }: AgreedPair,
  held: BlobStore,
  shardCount: number,
): Promise<RequestHandler> {
  const intake = new ShardIntake({ identitySeed: holder.identitySeed, stores, held, clock, log });
  for (let number = 0; number < shardCount; number += 1) {
    const upload = { name: named(number), blockCount: shardBlocks, firstBlock: 0, merkleRoot };
    const taken = await intake.put(agreement, upload, bodyOf(shard));
    assert.ok(taken.ok);
  }
  const service = new ShardService({ stores, held, intake });
  return async (request) => {
    const resource = parsePath(request.path);
    assert.equal(resource?.resource, 'shard');
    const answer = await service.answer(request, agreement, resource);
    return answer.ok
      ? { status: 200, ...answer.value }
      : { status: statusOf(answer.error.code), body: encodeRefusal(answer.error) };
  };
}

const merkleRoot: Bytes = (() => {
  const merkle = new MerkleBuilder();
  for (let at = 0; at < shard.length; at += blockBytes)
    merkle.addBlock(shard.subarray(at, at + blockBytes));
  return merkle.root();
})();

async function* bodyOf(bytes: Bytes): AsyncGenerator<Uint8Array> {
  yield bytes;
}

interface Answer {
  readonly status: number;
  readonly bodyBytes: number;
}

/** Resolves when the stream has closed. */
function ask(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  onAnswered: () => void = () => undefined,
): Promise<Answer> {
  return new Promise((resolve) => {
    const stream = session.request(headers, { endStream: true });
    let [status, bodyBytes] = [0, 0];
    stream.on('error', () => undefined);
    stream.once('response', (answer) => {
      status = answer[':status'] ?? 0;
      onAnswered();
    });
    stream.on('data', (bytes: Uint8Array) => {
      bodyBytes += bytes.length;
    });
    stream.once('close', () => resolve({ status, bodyBytes }));
  });
}

function pathOfShard(number: number): string {
  return pathOf({ resource: 'shard', name: named(number) });
}

/** PUT of a shard that is held, with nothing but headers. */
function putAgain(session: ClientHttp2Session, number: number): Promise<Answer> {
  const fields = uploadFields({ blockCount: shardBlocks, firstBlock: 0, merkleRoot });
  return ask(session, { ':method': 'PUT', ':path': pathOfShard(number), ...fields });
}

test(
  'an owner that puts all its held shards again at once has them read in pieces, two at a time, and the rest is refused',
  patience,
  () =>
    holding(60, async ({ reads, connect }) => {
      [reads.largestBytes, reads.mostAtOnce, reads.allBytes] = [0, 0, 0];
      const goOn = reads.stop();
      const session = connect();
      let refusedCount = 0;
      const { promise: allButWaitingRefused, resolve } = Promise.withResolvers<void>();
      const answers = Array.from({ length: 60 }, async (_, number) => {
        const answer = await putAgain(session, number);
        if (answer.status === 429) refusedCount += 1;
        if (refusedCount === 60 - 2 - 32) resolve();
        return answer.status;
      });
      await allButWaitingRefused;
      assert.equal(reads.allBytes, 0);
      goOn();
      const statuses = await Promise.all(answers);
      assert.equal(statuses.filter((status) => status === 200).length, 2 + 32);
      assert.equal(statuses.filter((status) => status === 429).length, 60 - 2 - 32);
      assert.ok(reads.largestBytes <= mebi, `${reads.largestBytes} bytes at once`);
      assert.ok(reads.mostAtOnce <= 2, `${reads.mostAtOnce} at once`);
      assert.equal(reads.allBytes, (2 + 32) * shard.length);
      const later = await putAgain(session, 59);
      assert.equal(later.status, 200);
    }),
);

test(
  'shards that are asked for and not taken are read by a piece each, and to their ends when they are',
  patience,
  () =>
    holding(4, async ({ reads, connect }) => {
      [reads.largestBytes, reads.allBytes] = [0, 0];
      const session = connect({ initialWindowSize: 0 });
      let answeredCount = 0;
      const { promise: allAnswered, resolve } = Promise.withResolvers<void>();
      const answers = Array.from({ length: 60 }, (_, number) =>
        ask(session, { ':path': pathOfShard(number % 4) }, () => {
          answeredCount += 1;
          if (answeredCount === 60) resolve();
        }),
      );
      await allAnswered;
      await new Promise((answered) => {
        session.ping(answered);
      });
      const pieceBytes = mebi / 2;
      assert.ok(reads.largestBytes <= pieceBytes, `${reads.largestBytes} bytes at once`);
      assert.ok(reads.allBytes <= 60 * pieceBytes, `${reads.allBytes} bytes in all`);
      session.settings({ initialWindowSize: mebi });
      for (const answer of await Promise.all(answers))
        assert.deepEqual(answer, { status: 200, bodyBytes: shard.length });
      assert.equal(reads.allBytes, 60 * shard.length);
    }),
);
