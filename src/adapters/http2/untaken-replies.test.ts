/** Peers that ask for much and take nothing of it, or little: raw clients on loopback that keep their windows closed. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type ClientHttp2Session, connect } from 'node:http2';
import { test } from 'node:test';
import { mebi } from '../../base/units.ts';
import type { Body, OutgoingReply, PeerStanding, RequestHandler } from '../../ports/transport.ts';
import { createPeerIdentity, type PeerIdentity } from './certificate.ts';
import { defaultLimits, type TransportLimits } from './limits.ts';
import { createPeerTransport } from './transport.ts';

interface Scene {
  /** Another connection of the same peer unless it is another's; its streams have no window until it gives them one. */
  readonly connect: (identity?: PeerIdentity) => ClientHttp2Session;
}

interface Circumstances {
  readonly handler: RequestHandler;
  readonly standing?: PeerStanding;
  readonly limits?: Partial<TransportLimits>;
}

async function attacked(
  { handler, standing = 'partner', limits }: Circumstances,
  attack: (scene: Scene) => Promise<void>,
): Promise<void> {
  const peer = createPeerTransport({
    identitySeed: randomBytes(32),
    listen: ['/ip4/127.0.0.1/tcp/0'],
    log: { write: () => undefined },
    limits: { ...defaultLimits, closeGraceMs: 50, ...limits },
  });
  const { addresses } = await peer.serve(handler, () => standing);
  const url = `https://127.0.0.1:${addresses[0]?.split('/').at(-1)}`;
  const attacker = newIdentity();
  const sessions: ClientHttp2Session[] = [];
  try {
    await attack({
      connect: ({ keyPem: key, certificatePem: cert } = attacker) => {
        const settings = { initialWindowSize: 0 };
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

function newIdentity(): PeerIdentity {
  return createPeerIdentity(randomBytes(32));
}

interface Asked {
  /** 0 when the stream closes without an answer. */
  readonly status: Promise<number>;
  /** Bytes of the body when the stream has closed. */
  readonly taken: Promise<number>;
}

function ask(session: ClientHttp2Session): Asked {
  const stream = session.request({ ':path': '/v1/x' }, { endStream: true });
  stream.on('error', () => undefined);
  const { promise: taken, resolve } = Promise.withResolvers<number>();
  let bodyBytes = 0;
  stream.on('data', (bytes: Uint8Array) => {
    bodyBytes += bytes.length;
  });
  const status = new Promise<number>((answered) => {
    stream.once('response', (answer) => answered(answer[':status'] ?? 0));
    stream.once('close', () => {
      answered(0);
      resolve(bodyBytes);
    });
  });
  return { status, taken };
}

function askOften(session: ClientHttp2Session, count: number): readonly Asked[] {
  return Array.from({ length: count }, () => ask(session));
}

async function statusesOf(asked: readonly Asked[]): Promise<readonly number[]> {
  return await Promise.all(asked.map(({ status }) => status));
}

function countOf(statuses: readonly number[], wanted: number): number {
  return statuses.filter((status) => status === wanted).length;
}

const patience = { timeout: 20_000 };
const large = new Uint8Array(4 * mebi);

/** Replies of 4 MiB, and how many of them lay ready at once without having been counted. */
class LargeReplies {
  mostUncounted = 0;
  #uncounted = 0;

  readonly handler: RequestHandler = async () => {
    this.#uncounted += 1;
    this.mostUncounted = Math.max(this.mostUncounted, this.#uncounted);
    return this.#reply();
  };

  #reply(): OutgoingReply {
    let isCounted = false;
    const look = (): Body => {
      if (!isCounted) this.#uncounted -= 1;
      isCounted = true;
      return large;
    };
    return {
      status: 200,
      get body(): Body {
        return look();
      },
    };
  }
}

test(
  'a partner leaves so many bytes of whole replies untaken, over all its connections, and no more',
  patience,
  async () => {
    const replies = new LargeReplies();
    await attacked({ handler: replies.handler }, async ({ connect }) => {
      const sessions = Array.from({ length: 4 }, () => connect());
      const asked = sessions.map((session) => askOften(session, 128));
      const statuses = await statusesOf(asked.flat());
      const room = defaultLimits.partner.replyBytes / large.length;
      assert.equal(countOf(statuses, 200), room);
      assert.equal(countOf(statuses, 429), statuses.length - room);
      assert.equal(replies.mostUncounted, 1);
      for (const session of sessions) session.destroy();
      const next = connect();
      let status = 0;
      while (status !== 200) status = await ask(next).status;
    });
  },
);

interface Streams {
  readonly handler: RequestHandler;
  pulledBytes: number;
}

/** Replies of 2 MiB that are made in pieces while they are sent. */
function streams(): Streams {
  const piece = new Uint8Array(mebi / 2);
  async function* body(): AsyncGenerator<Uint8Array> {
    for (let count = 0; count < 4; count += 1) {
      made.pulledBytes += piece.length;
      yield piece;
    }
  }
  const made: Streams = {
    pulledBytes: 0,
    handler: async () => ({ status: 200, body: body() }),
  };
  return made;
}

test(
  'streamed replies that are not taken cost a piece each, and wait for their turn beyond so many; taken, they all arrive',
  patience,
  async () => {
    const made = streams();
    const limits = { partner: { ...defaultLimits.partner, replyBytes: 8 * mebi } };
    await attacked({ handler: made.handler, limits }, async ({ connect }) => {
      const sessions = [connect(), connect()];
      const asked = sessions.flatMap((session) => askOften(session, 20));
      let answeredCount = 0;
      const eightAnswered = new Promise<void>((resolve) => {
        for (const { status } of asked)
          void status.then(() => {
            answeredCount += 1;
            if (answeredCount === 8) resolve();
          });
      });
      await eightAnswered;
      // Whoever asks now is answered after all that was asked before, were there room for it.
      for (const session of sessions)
        await new Promise((resolve) => {
          session.ping(resolve);
        });
      assert.equal(answeredCount, 8);
      assert.ok(made.pulledBytes <= 8 * mebi, `${made.pulledBytes} bytes`);
      for (const session of sessions) session.settings({ initialWindowSize: mebi });
      const taken = await Promise.all(asked.map((one) => one.taken));
      assert.deepEqual(
        taken,
        asked.map(() => 2 * mebi),
      );
    });
  },
);

test(
  'a reply of which nothing is taken for long is cut off, and the next has its room',
  patience,
  async () => {
    const { handler } = streams();
    const partner = { ...defaultLimits.partner, replyBytes: mebi };
    await attacked({ handler, limits: { partner, bodyIdleMs: 300 } }, async ({ connect }) => {
      const session = connect();
      const [first, second, third] = askOften(session, 3);
      const events: string[] = [];
      for (const [name, asked] of Object.entries({ first, second, third })) {
        void asked?.status.then((status) => events.push(`${name} ${status}`));
        void asked?.taken.then((bytes) => events.push(`${name} over, ${bytes}`));
      }
      await third?.taken;
      const each = ['first', 'second', 'third'].flatMap((name) => [
        `${name} 200`,
        `${name} over, 0`,
      ]);
      assert.deepEqual(events, each);
    });
  },
);

test('waiting replies that nobody waits for any more are passed over', patience, async () => {
  const { handler } = streams();
  const partner = { ...defaultLimits.partner, replyBytes: mebi };
  await attacked({ handler, limits: { partner } }, async ({ connect }) => {
    const [holding, leaving, staying] = [connect(), connect(), connect()];
    assert.equal(await ask(holding).status, 200);
    const left = ask(leaving);
    await new Promise((resolve) => {
      leaving.ping(resolve);
    });
    const kept = ask(staying);
    leaving.destroy();
    assert.equal(await left.status, 0);
    holding.destroy();
    assert.equal(await kept.status, 200);
  });
});

test(
  'one stranger cannot take the room for replies that all strangers share',
  patience,
  async () => {
    const handler: RequestHandler = async () => ({ status: 200, body: large });
    await attacked({ handler, standing: 'stranger' }, async ({ connect }) => {
      const asked = [connect(), connect()].map((session) => askOften(session, 8));
      const statuses = await statusesOf(asked.flat());
      const room = defaultLimits.stranger.replyBytes / large.length;
      assert.equal(countOf(statuses, 200), room);
      assert.equal(countOf(statuses, 429), statuses.length - room);
      assert.equal(await ask(connect(newIdentity())).status, 200);
    });
  },
);
