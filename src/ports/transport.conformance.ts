/** What every carrier of `Transport` does, asked of the simulator's twin and of the adapters alike. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { Outcome } from '../base/outcome.ts';
import { kibi, mebi } from '../base/units.ts';
import type { PeerId } from '../core/vocabulary/ids.ts';
import {
  BodyBroken,
  type OutgoingReply,
  type PeerAddress,
  type PeerReply,
  type PeerRequest,
  type RequestHandler,
  type Silence,
  type Transport,
} from './transport.ts';

/** Two peers that do not know each other yet, and the time they live in. */
export interface TransportPair {
  readonly asker: Transport;
  readonly answerer: Transport;
  /** An address at which nobody listens. */
  readonly deserted: string;
  /** Breaks the connections between the two without a word, as a pulled plug with a reset does. */
  breakOff(): void;
  /** Lets time pass. */
  pause(durationMs: number): Promise<void>;
  close(): Promise<void>;
}

type MakePair = () => Promise<TransportPair>;

/** Behaviours of one pair; the suite closes the pair afterwards. */
type Behaviour = (pair: TransportPair) => Promise<void>;

const asks: PeerRequest = { method: 'GET', path: '/v1/profile' };

/** `answer` serves until the pair is closed; partners have the room that these tests need. */
async function serve(pair: TransportPair, handler: RequestHandler): Promise<PeerAddress> {
  const { addresses } = await pair.answerer.serve(handler, () => 'partner');
  return { peer: pair.answerer.self, addresses };
}

function reply(outcome: Outcome<PeerReply, Silence>): PeerReply {
  assert.ok(outcome.ok, outcome.ok ? '' : `${outcome.error.code}: ${outcome.error.detail}`);
  return outcome.value;
}

function silence(outcome: Outcome<PeerReply, Silence>): Silence['code'] {
  assert.ok(!outcome.ok, 'there is no reply');
  return outcome.error.code;
}

interface Digest {
  readonly bytes: number;
  readonly sha256: string;
}

async function digest(body: AsyncIterable<Uint8Array>): Promise<Digest> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const piece of body) {
    hash.update(piece);
    bytes += piece.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** A source of bytes that counts what was taken from it and says how it ended. */
class Spring {
  takenBytes = 0;
  isReleased = false;
  readonly released: Promise<void>;
  readonly #release: () => void;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.released = promise;
    this.#release = resolve;
  }

  async *body(limitBytes: number, onEnd?: () => void): AsyncGenerator<Uint8Array> {
    try {
      while (this.takenBytes < limitBytes) {
        const piece = new Uint8Array(Math.min(64 * kibi, limitBytes - this.takenBytes));
        piece.fill((this.takenBytes / (64 * kibi)) & 0xff);
        this.takenBytes += piece.length;
        yield piece;
      }
      onEnd?.();
    } finally {
      this.isReleased = true;
      this.#release();
    }
  }
}

const endless: number = 1_024 * mebi;
/** Windows, queues and the kernel's buffers together. */
const heldAtMost: number = 40 * mebi;

/** Resolves once the source has not been asked for a while; returns what was taken from it. */
async function whenStill(pair: TransportPair, spring: Spring): Promise<number> {
  let before = -1;
  while (before !== spring.takenBytes || before === 0) {
    before = spring.takenBytes;
    await pair.pause(150);
  }
  return before;
}

const replies: Record<string, Behaviour> = {
  'a request reaches the handler with the asker’s identity, and its reply comes back': async (
    pair,
  ) => {
    const seen: unknown[] = [];
    const to = await serve(pair, async ({ from, method, path, body }) => {
      seen.push({ from, method, path, sent: await digest(body) });
      return { status: 201, body: new Uint8Array([1, 2, 3]) };
    });
    const body = new Uint8Array([9, 9]);
    const answer = reply(
      await pair.asker.request(to, { method: 'POST', path: '/v1/audits', body }),
    );
    assert.equal(answer.status, 201);
    assert.equal((await digest(answer.body)).bytes, 3);
    const sent = { bytes: 2, sha256: createHash('sha256').update(body).digest('hex') };
    assert.deepEqual(seen, [{ from: pair.asker.self, method: 'POST', path: '/v1/audits', sent }]);
  },

  'only listed fields travel, in both directions': async (pair) => {
    let seen: unknown;
    const fields = {
      'content-type': 'application/cbor',
      'covault-name': 'value',
      cookie: 'secret',
      'x-other': 'value',
    };
    const to = await serve(pair, async (request) => {
      seen = request.fields;
      return { status: 204, fields: { ...fields, 'retry-after': '7' } };
    });
    const answer = reply(await pair.asker.request(to, { ...asks, fields }));
    const listed = { 'content-type': 'application/cbor', 'covault-name': 'value' };
    assert.deepEqual({ ...(seen as object) }, listed);
    assert.deepEqual({ ...answer.fields }, { ...listed, 'retry-after': '7' });
  },

  'ranges pass through, so a transfer can be resumed': async (pair) => {
    const stored = new Uint8Array(300_000).map((_, index) => index % 251);
    const to = await serve(pair, async ({ fields }) => {
      const first = Number(/^bytes=([0-9]+)-$/.exec(fields['range'] ?? '')?.[1]);
      const range = `bytes ${first}-${stored.length - 1}/${stored.length}`;
      return { status: 206, fields: { 'content-range': range }, body: stored.subarray(first) };
    });
    const answer = reply(
      await pair.asker.request(to, { ...asks, fields: { range: 'bytes=131072-' } }),
    );
    assert.equal(answer.status, 206);
    assert.equal(answer.fields['content-range'], 'bytes 131072-299999/300000');
    const rest = createHash('sha256').update(stored.subarray(131_072)).digest('hex');
    assert.equal((await digest(answer.body)).sha256, rest);
  },

  'empty bodies are bodies, and a reply to HEAD has none': async (pair) => {
    const to = await serve(pair, async ({ body }) => {
      const { bytes } = await digest(body);
      return { status: 200, fields: { 'covault-got': String(bytes) }, body: new Uint8Array(5) };
    });
    const empty = new Uint8Array(0);
    const put = reply(await pair.asker.request(to, { method: 'PUT', path: '/v1/x', body: empty }));
    assert.equal(put.fields['covault-got'], '0');
    assert.equal((await digest(put.body)).bytes, 5);
    const head = reply(await pair.asker.request(to, { method: 'HEAD', path: '/v1/x' }));
    assert.equal(head.fields['content-length'], '5');
    assert.equal((await digest(head.body)).bytes, 0);
  },

  'large streamed bodies arrive whole in both directions': async (pair) => {
    const size = 24 * mebi + 12_345;
    const expected = await digest(new Spring().body(size));
    const to = await serve(pair, async ({ body }) => {
      const { sha256 } = await digest(body);
      return { status: 200, fields: { 'covault-hash': sha256 }, body: new Spring().body(size) };
    });
    const body = new Spring().body(size);
    const answer = reply(await pair.asker.request(to, { method: 'PUT', path: '/v1/x', body }));
    assert.equal(answer.fields['covault-hash'], expected.sha256);
    assert.deepEqual(await digest(answer.body), expected);
  },

  'many requests at once each get their own reply': async (pair) => {
    const to = await serve(pair, async ({ path, body }) => {
      const { bytes } = await digest(body);
      return { status: 200, fields: { 'covault-path': path, 'covault-got': String(bytes) } };
    });
    const numbers = Array.from({ length: 200 }, (_, index) => index);
    const answers = await Promise.all(
      numbers.map((number) => {
        const body = new Uint8Array(number * 100);
        return pair.asker.request(to, { method: 'PUT', path: `/v1/x/${number}`, body });
      }),
    );
    for (const number of numbers) {
      const { fields } = reply(answers[number] as Outcome<PeerReply, Silence>);
      assert.equal(fields['covault-path'], `/v1/x/${number}`);
      assert.equal(fields['covault-got'], String(number * 100));
    }
  },

  'a handler that throws, or answers nonsense, answers 500': async (pair) => {
    const to = await serve(pair, async ({ path }) => {
      if (path === '/v1/nonsense') return { status: 7 };
      throw new Error('a fault of the handler');
    });
    const thrown = reply(await pair.asker.request(to, asks));
    assert.equal(thrown.status, 500);
    const path = '/v1/nonsense';
    assert.equal(reply(await pair.asker.request(to, { method: 'GET', path })).status, 500);
  },

  'a refusal during an endless upload is delivered, and the upload stops': async (pair) => {
    const to = await serve(pair, async ({ body }) => {
      for await (const _ of body) break;
      return { status: 507, body: new Uint8Array([5]) };
    });
    const spring = new Spring();
    const body = spring.body(endless);
    const answer = reply(await pair.asker.request(to, { method: 'PUT', path: '/v1/x', body }));
    assert.equal(answer.status, 507);
    assert.equal((await digest(answer.body)).bytes, 1);
    await spring.released;
    assert.ok(spring.takenBytes < heldAtMost, `${spring.takenBytes} bytes were taken`);
  },

  'a handler that ignores the body is answered for all the same': async (pair) => {
    const to = await serve(pair, async () => ({ status: 200, body: new Uint8Array(100_000) }));
    for (let round = 0; round < 5; round += 1) {
      const body = new Spring().body(12 * mebi);
      const answer = reply(await pair.asker.request(to, { method: 'PUT', path: '/v1/x', body }));
      assert.equal((await digest(answer.body)).bytes, 100_000);
    }
  },
};

const silences: Record<string, Behaviour> = {
  'nobody at the address is peer.unreachable, and so is no address at all': async (pair) => {
    const { self: peer } = pair.answerer;
    const nobody = { peer, addresses: [pair.deserted] };
    assert.equal(silence(await pair.asker.request(nobody, asks)), 'peer.unreachable');
    const nowhere = { peer, addresses: [] };
    assert.equal(silence(await pair.asker.request(nowhere, asks)), 'peer.unreachable');
  },

  'a deserted address does not keep the peer from being found at the next one': async (pair) => {
    const { peer, addresses } = await serve(pair, async () => ({ status: 200 }));
    const to = { peer, addresses: [pair.deserted, ...addresses] };
    assert.equal(reply(await pair.asker.request(to, asks)).status, 200);
  },

  'somebody else at the address is peer.wrong-identity and sees no request': async (pair) => {
    let requestCount = 0;
    const { addresses } = await serve(pair, async () => {
      requestCount += 1;
      return { status: 200 };
    });
    const peer = 'ab'.repeat(32) as PeerId;
    const outcome = await pair.asker.request({ peer, addresses }, asks);
    assert.equal(silence(outcome), 'peer.wrong-identity');
    assert.equal(requestCount, 0);
  },

  'who answers at an address can be asked, without any request': async (pair) => {
    let requests = 0;
    const to = await serve(pair, async () => {
      requests += 1;
      return { status: 200 };
    });
    const identified = await pair.asker.identify(to.addresses[0] ?? '');
    assert.deepEqual(identified, { ok: true, value: pair.answerer.self });
    const nobody = await pair.asker.identify(pair.deserted);
    assert.equal(nobody.ok ? '' : nobody.error.code, 'peer.unreachable');
    assert.equal(requests, 0);
  },

  'a peer that does not answer is peer.silent': async (pair) => {
    const never = new Promise<OutgoingReply>(() => undefined);
    const to = await serve(pair, () => never);
    const outcome = await pair.asker.request(to, asks, { idleMs: 300 });
    assert.equal(silence(outcome), 'peer.silent');
  },

  'a peer that stops in the middle of a reply breaks its body': async (pair) => {
    const to = await serve(pair, async () => ({ status: 200, body: stalling() }));
    const answer = reply(await pair.asker.request(to, asks, { idleMs: 300 }));
    await assert.rejects(digest(answer.body), BodyBroken);
  },

  'a slow reader is not taken for a silent peer': async (pair) => {
    const size = 12 * mebi;
    const to = await serve(pair, async () => ({ status: 200, body: new Spring().body(size) }));
    const answer = reply(await pair.asker.request(to, asks, { idleMs: 200 }));
    await pair.pause(700);
    assert.equal((await digest(answer.body)).bytes, size);
  },

  'a cancelled request is peer.cancelled, before it starts and while it waits': async (pair) => {
    let signalled: (() => void) | undefined;
    const arrived = new Promise<void>((resolve) => {
      signalled = resolve;
    });
    const to = await serve(pair, () => {
      signalled?.();
      return new Promise<OutgoingReply>(() => undefined);
    });
    const early = await pair.asker.request(to, asks, { signal: AbortSignal.abort() });
    assert.equal(silence(early), 'peer.cancelled');
    const controller = new AbortController();
    const waiting = pair.asker.request(to, asks, { signal: controller.signal });
    await arrived;
    controller.abort();
    assert.equal(silence(await waiting), 'peer.cancelled');
  },

  'cancelling during an upload ends it on both sides': async (pair) => {
    const handled = Promise.withResolvers<unknown>();
    const spring = new Spring();
    const controller = new AbortController();
    const to = await serve(pair, async ({ body }) => {
      let bytes = 0;
      try {
        for await (const piece of body) {
          bytes += piece.length;
          if (bytes > 1 * mebi) controller.abort();
        }
      } catch (problem) {
        handled.resolve(problem);
      }
      return { status: 200 };
    });
    const request = { method: 'PUT', path: '/v1/x', body: spring.body(endless) } as const;
    const outcome = await pair.asker.request(to, request, { signal: controller.signal });
    assert.equal(silence(outcome), 'peer.cancelled');
    assert.ok((await handled.promise) instanceof BodyBroken);
    await spring.released;
  },

  'cancelling during a reply breaks its body and stops its sender': async (pair) => {
    const spring = new Spring();
    const to = await serve(pair, async () => ({ status: 200, body: spring.body(endless) }));
    const controller = new AbortController();
    const answer = reply(await pair.asker.request(to, asks, { signal: controller.signal }));
    await assert.rejects(async () => {
      for await (const _ of answer.body) controller.abort();
    }, BodyBroken);
    await spring.released;
  },

  'leaving a reply’s body unread stops its sender': async (pair) => {
    const spring = new Spring();
    const to = await serve(pair, async () => ({ status: 200, body: spring.body(endless) }));
    const answer = reply(await pair.asker.request(to, asks));
    for await (const _ of answer.body) break;
    await spring.released;
    assert.ok(spring.takenBytes < heldAtMost, `${spring.takenBytes} bytes were taken`);
  },
};

async function* stalling(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(1_000);
  await new Promise(() => undefined);
}

function failing(): never {
  throw new Error('the source broke');
}

const breaks: Record<string, Behaviour> = {
  'a reply whose source breaks is never a whole reply': async (pair) => {
    const to = await serve(pair, async () => ({
      status: 200,
      body: new Spring().body(3 * mebi, failing),
    }));
    const answer = reply(await pair.asker.request(to, asks));
    await assert.rejects(digest(answer.body), BodyBroken);
  },

  'a reply that is not as long as announced is never a whole reply': async (pair) => {
    const to = await serve(pair, async ({ path }) => ({
      status: 200,
      fields: { 'content-length': path === '/v1/short' ? '1000001' : '999999' },
      body: new Spring().body(1_000_000),
    }));
    for (const path of ['/v1/short', '/v1/long']) {
      const outcome = await pair.asker.request(to, { method: 'GET', path });
      await assert.rejects(digest(reply(outcome).body), BodyBroken, path);
    }
  },

  'a request whose source breaks is peer.broken-off, and its handler sees a broken body': async (
    pair,
  ) => {
    const handled = Promise.withResolvers<unknown>();
    const to = await serve(pair, async ({ body }) => {
      await digest(body).then(handled.resolve, handled.resolve);
      return { status: 200 };
    });
    const body = new Spring().body(3 * mebi, failing);
    const outcome = await pair.asker.request(to, { method: 'PUT', path: '/v1/x', body });
    assert.equal(silence(outcome), 'peer.broken-off');
    assert.ok((await handled.promise) instanceof BodyBroken);
  },

  'a request that is not as long as announced never reaches its handler whole': async (pair) => {
    const handled: unknown[] = [];
    const to = await serve(pair, async ({ body }) => {
      handled.push(await digest(body).catch((problem: unknown) => problem));
      return { status: 200 };
    });
    for (const length of ['1000001', '999999']) {
      const body = new Spring().body(1_000_000);
      const fields = { 'content-length': length };
      const request = { method: 'PUT', path: '/v1/x', fields, body } as const;
      assert.equal(silence(await pair.asker.request(to, request)), 'peer.broken-off');
    }
    while (handled.length < 2) await pair.pause(20);
    for (const end of handled) assert.ok(end instanceof BodyBroken);
  },

  'a connection lost during a reply breaks its body, and the next request works': async (pair) => {
    const to = await serve(pair, async () => ({
      status: 200,
      body: new Spring().body(64 * mebi),
    }));
    const answer = reply(await pair.asker.request(to, asks));
    const reading = digest(answer.body);
    pair.breakOff();
    await assert.rejects(reading, BodyBroken);
    const again = reply(await pair.asker.request(to, asks));
    assert.equal((await digest(again.body)).bytes, 64 * mebi);
  },

  'a connection lost during an upload is peer.broken-off, and a broken body there': async (
    pair,
  ) => {
    const handled = Promise.withResolvers<unknown>();
    const to = await serve(pair, async ({ body }) => {
      const ending = digest(body);
      pair.breakOff();
      await ending.then(handled.resolve, handled.resolve);
      return { status: 200 };
    });
    const body = new Spring().body(endless);
    const outcome = await pair.asker.request(to, { method: 'PUT', path: '/v1/x', body });
    assert.equal(silence(outcome), 'peer.broken-off');
    assert.ok((await handled.promise) instanceof BodyBroken);
  },

  'a connection lost before the reply is peer.broken-off': async (pair) => {
    const to = await serve(pair, () => {
      pair.breakOff();
      return new Promise<OutgoingReply>(() => undefined);
    });
    assert.equal(silence(await pair.asker.request(to, asks)), 'peer.broken-off');
  },
};

const pressures: Record<string, Behaviour> = {
  'a slow reader stops the sender of a reply': async (pair) => {
    const spring = new Spring();
    const to = await serve(pair, async () => ({ status: 200, body: spring.body(endless) }));
    const answer = reply(await pair.asker.request(to, asks));
    const taken = await whenStill(pair, spring);
    assert.ok(taken < heldAtMost, `${taken} bytes were taken`);
    for await (const _ of answer.body) break;
  },

  'a slow handler stops the sender of a request': async (pair) => {
    const spring = new Spring();
    const goOn = Promise.withResolvers<void>();
    const to = await serve(pair, async () => {
      await goOn.promise;
      return { status: 429 };
    });
    const request = { method: 'PUT', path: '/v1/x', body: spring.body(endless) } as const;
    const outcome = pair.asker.request(to, request);
    const taken = await whenStill(pair, spring);
    assert.ok(taken < heldAtMost, `${taken} bytes were taken`);
    goOn.resolve();
    assert.equal(reply(await outcome).status, 429);
  },

  'a reader that stops now and then gets every byte': async (pair) => {
    const size = 20 * mebi;
    const to = await serve(pair, async () => ({ status: 200, body: new Spring().body(size) }));
    const answer = reply(await pair.asker.request(to, asks));
    let bytes = 0;
    let pauseAt = 0;
    for await (const piece of answer.body) {
      bytes += piece.length;
      if (bytes < pauseAt) continue;
      pauseAt = bytes + 4 * mebi;
      await pair.pause(30);
    }
    assert.equal(bytes, size);
  },
};

const closings: Record<string, Behaviour> = {
  'closing the asker settles every request, and later ones are cancelled': async (pair) => {
    const to = await serve(pair, async ({ path }) =>
      path === '/v1/never'
        ? new Promise<OutgoingReply>(() => undefined)
        : { status: 200, body: stalling() },
    );
    const answer = reply(await pair.asker.request(to, asks));
    const reading = assert.rejects(digest(answer.body), BodyBroken);
    const waiting = pair.asker.request(to, { method: 'GET', path: '/v1/never' });
    await pair.pause(50);
    await pair.asker.close();
    assert.ok(['peer.broken-off', 'peer.cancelled'].includes(silence(await waiting)));
    await reading;
    assert.equal(silence(await pair.asker.request(to, asks)), 'peer.cancelled');
  },

  'closing the answerer settles every request, never with a whole body': async (pair) => {
    const to = await serve(pair, async ({ path }) =>
      path === '/v1/never'
        ? new Promise<OutgoingReply>(() => undefined)
        : { status: 200, body: stalling() },
    );
    const answer = reply(await pair.asker.request(to, asks));
    const reading = assert.rejects(digest(answer.body), BodyBroken);
    const waiting = pair.asker.request(to, { method: 'GET', path: '/v1/never' });
    await pair.pause(50);
    await pair.answerer.close();
    assert.equal(silence(await waiting), 'peer.broken-off');
    await reading;
    assert.equal(silence(await pair.asker.request(to, asks)), 'peer.unreachable');
  },

  'closing lets a request under way finish': async (pair) => {
    const goOn = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    const to = await serve(pair, async () => {
      arrived.resolve();
      await goOn.promise;
      return { status: 200, body: new Spring().body(1 * mebi) };
    });
    const waiting = pair.asker.request(to, asks);
    await arrived.promise;
    const closed = pair.answerer.close();
    goOn.resolve();
    assert.equal((await digest(reply(await waiting).body)).bytes, 1 * mebi);
    await closed;
  },

  'a peer can listen again after its listening was closed': async (pair) => {
    const first = await pair.answerer.serve(
      async () => ({ status: 200 }),
      () => 'partner',
    );
    await first.close();
    const to = await serve(pair, async () => ({ status: 204 }));
    assert.equal(reply(await pair.asker.request(to, asks)).status, 204);
  },
};

/** Declares the suite's tests; each makes its own pair and closes it. */
export function describeTransport(name: string, makePair: MakePair): void {
  const behaviours = { ...replies, ...silences, ...breaks, ...pressures, ...closings };
  for (const [sentence, behaviour] of Object.entries(behaviours))
    test(`${name}: ${sentence}`, { timeout: 10_000 }, async () => {
      const pair = await makePair();
      try {
        await behaviour(pair);
      } finally {
        await pair.close();
      }
    });
}
