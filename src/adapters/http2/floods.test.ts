/** What a hostile peer can make this computer spend: raw clients on loopback that do not keep to the rules. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type ClientHttp2Session, connect as connectHttp2, constants } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { test } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { EventLog } from '../../ports/event-log.ts';
import type { PeerStanding, RequestHandler } from '../../ports/transport.ts';
import { createPeerIdentity, type PeerIdentity } from './certificate.ts';
import { defaultLimits, type TransportLimits } from './limits.ts';
import { createPeerTransport } from './transport.ts';

interface Target {
  readonly port: number;
  readonly events: string[];
}

interface TargetOptions {
  readonly limits?: Partial<TransportLimits>;
  readonly handler?: RequestHandler;
  readonly standing?: PeerStanding;
}

/** Runs `attack` against a listening peer, which is closed afterwards. */
async function attacked(
  attack: (target: Target) => Promise<void>,
  options: TargetOptions = {},
): Promise<void> {
  const events: string[] = [];
  const log: EventLog = { write: (_level, event) => void events.push(event) };
  const limits = { ...defaultLimits, closeGraceMs: 50, ...options.limits };
  const listen = ['/ip4/127.0.0.1/tcp/0'];
  const peer = createPeerTransport({ identitySeed: randomBytes(32), listen, log, limits });
  const handler = options.handler ?? (async () => ({ status: 204 }));
  const { addresses } = await peer.serve(handler, () => options.standing ?? 'stranger');
  try {
    await attack({ port: Number(addresses[0]?.split('/').at(-1)), events });
  } finally {
    await peer.close();
  }
}

function newIdentity(): PeerIdentity {
  return createPeerIdentity(randomBytes(32));
}

/** A TLS connection, as soon as its own side believes in it. */
async function dial(target: Target, identity?: PeerIdentity): Promise<TLSSocket> {
  const credentials =
    identity === undefined ? {} : { key: identity.keyPem, cert: identity.certificatePem };
  const socket = connectTls({
    host: '127.0.0.1',
    port: target.port,
    ALPNProtocols: ['h2'],
    rejectUnauthorized: false,
    ...credentials,
  });
  socket.on('error', () => undefined);
  await new Promise((resolve) => {
    socket.once('secureConnect', resolve);
    socket.once('close', resolve);
  });
  return socket;
}

/** Resolves to whether the other side accepted the session. */
async function isAccepted(socket: TLSSocket): Promise<boolean> {
  const session = openSession(socket);
  return new Promise((resolve) => {
    session.once('remoteSettings', () => resolve(true));
    session.once('close', () => resolve(false));
  });
}

function openSession(socket: TLSSocket): ClientHttp2Session {
  const session = connectHttp2('https://peer', { createConnection: () => socket });
  session.on('error', () => undefined);
  return session;
}

function closed(socket: { readonly destroyed: boolean; once(e: 'close', l: () => void): unknown }) {
  return new Promise<void>((resolve) => {
    if (socket.destroyed) resolve();
    else socket.once('close', () => resolve());
  });
}

function statusOf(session: ClientHttp2Session, headers: Record<string, string> = {}) {
  return new Promise<number>((resolve) => {
    const stream = session.request({ ':path': '/v1/profile', ...headers });
    stream.on('error', () => undefined);
    stream.once('response', (answer) => resolve(answer[':status'] ?? 0));
    stream.once('close', () => resolve(0));
    stream.resume();
    stream.end();
  });
}

interface FrameHead {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
}

function frame({ type, flags, stream }: FrameHead, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const settingsFrame = frame({ type: 4, flags: 0, stream: 0 }, new Uint8Array(0));
const pingFrame = frame({ type: 6, flags: 0, stream: 0 }, new Uint8Array(8));

/** Sends the frame over and over until the connection is closed. */
async function flood(target: Target, one: Buffer): Promise<void> {
  const socket = await dial(target, newIdentity());
  socket.resume();
  socket.write(Buffer.concat([preface, settingsFrame]));
  const many = Buffer.concat(Array.from({ length: 100 }, () => one));
  const timer = setInterval(() => socket.write(many), 1);
  await closed(socket);
  clearInterval(timer);
}

const patience = { timeout: 10_000 };

test('a connection without a certificate is closed before it can ask', patience, () =>
  attacked(async (target) => {
    const socket = await dial(target);
    assert.equal(await isAccepted(socket), false);
    assert.ok(target.events.includes('peer.refused'));
  }),
);

test('one stranger gets so many connections and no more, until one is closed', patience, () =>
  attacked(async (target) => {
    const identity = newIdentity();
    const first = await dial(target, identity);
    assert.equal(await isAccepted(first), true);
    for (let count = 1; count < defaultLimits.stranger.connectionsPerPeer; count += 1)
      assert.equal(await isAccepted(await dial(target, identity)), true);
    assert.equal(await isAccepted(await dial(target, identity)), false);
    assert.equal(await isAccepted(await dial(target, newIdentity())), true);
  }),
);

test('many strangers together get so many connections and no more', patience, () =>
  attacked(
    async (target) => {
      for (let count = 0; count < 3; count += 1)
        assert.equal(await isAccepted(await dial(target, newIdentity())), true);
      assert.equal(await isAccepted(await dial(target, newIdentity())), false);
    },
    { limits: { strangerConnections: 3 } },
  ),
);

test('connections that never finish their handshake are few and short', patience, () =>
  attacked(
    async (target) => {
      const idle = Array.from({ length: 8 }, () => connectTcp(target.port, '127.0.0.1'));
      for (const socket of idle) socket.on('error', () => undefined).resume();
      await Promise.all(idle.slice(4).map(closed));
      const early = idle.slice(0, 4).filter((socket) => socket.destroyed);
      await Promise.all(idle.map(closed));
      assert.ok(early.length <= 4);
      assert.equal(await isAccepted(await dial(target, newIdentity())), true);
    },
    { limits: { handshakeMs: 300, handshakesPerAddress: 4 } },
  ),
);

test('a stranger that asks too often is answered 429', patience, () =>
  attacked(async (target) => {
    const session = openSession(await dial(target, newIdentity()));
    const statuses: number[] = [];
    for (let count = 0; count < 70; count += 1) statuses.push(await statusOf(session));
    const { requestBurst } = defaultLimits.stranger;
    assert.ok(statuses.slice(0, requestBurst).every((status) => status === 204));
    assert.ok(statuses.slice(requestBurst + 2).includes(429));
    session.destroy();
  }),
);

test('a stranger that connects again does not get a fresh burst', patience, () =>
  attacked(async (target) => {
    const identity = newIdentity();
    const statuses: number[] = [];
    for (let round = 0; round < 4; round += 1) {
      const session = openSession(await dial(target, identity));
      for (let count = 0; count < 20; count += 1) statuses.push(await statusOf(session));
      session.destroy();
    }
    assert.ok(statuses.filter((status) => status === 204).length <= 63);
  }),
);

test('no more of a stranger’s requests are under way at once than allowed', patience, () => {
  let underway = 0;
  let most = 0;
  const handler: RequestHandler = async () => {
    underway += 1;
    most = Math.max(most, underway);
    await new Promise((resolve) => setImmediate(resolve));
    underway -= 1;
    return { status: 204 };
  };
  return attacked(
    async (target) => {
      const session = openSession(await dial(target, newIdentity()));
      await Promise.all(Array.from({ length: 50 }, () => statusOf(session)));
      assert.ok(most <= defaultLimits.stranger.concurrentStreams, `${most} at once`);
      session.destroy();
    },
    { handler },
  );
});

/** GET /v1/profile, then its reset, for so many streams from the `first`. */
function resets(first: number, count: number): Buffer {
  const path = Buffer.from('/v1/profile');
  const block = Buffer.concat([Buffer.from([0x82, 0x87, 0x04, path.length]), path]);
  const frames = Array.from({ length: count }, (_, index) => {
    const id = first + 2 * index;
    const cancel = new Uint8Array([0, 0, 0, constants.NGHTTP2_CANCEL]);
    return [
      frame({ type: 1, flags: 5, stream: id }, block),
      frame({ type: 3, flags: 0, stream: id }, cancel),
    ];
  });
  return Buffer.concat(frames.flat());
}

for (const standing of ['stranger', 'partner'] as const)
  test(`rapid reset ends the session of a ${standing}`, patience, () => {
    let requestCount = 0;
    const handler: RequestHandler = () => {
      requestCount += 1;
      return new Promise(() => undefined);
    };
    return attacked(
      async (target) => {
        const socket = await dial(target, newIdentity());
        socket.resume();
        socket.write(Buffer.concat([preface, settingsFrame]));
        let first = 1;
        const timer = setInterval(() => {
          socket.write(resets(first, 100));
          first += 200;
        }, 1);
        await closed(socket);
        clearInterval(timer);
        assert.ok(requestCount <= 2 * defaultLimits[standing].resetBurst, `${requestCount}`);
      },
      { standing, handler },
    );
  });

test('header lists that are too large never reach the handler', patience, () => {
  let requestCount = 0;
  const handler: RequestHandler = async () => {
    requestCount += 1;
    return { status: 204 };
  };
  return attacked(
    async (target) => {
      const session = openSession(await dial(target, newIdentity()));
      const large = { 'covault-large': 'x'.repeat(defaultLimits.headerListBytes) };
      assert.notEqual(await statusOf(session, large), 204);
      const many = Object.fromEntries(
        Array.from({ length: 100 }, (_, index) => [`covault-${index}`, 'x']),
      );
      const other = openSession(await dial(target, newIdentity()));
      assert.notEqual(await statusOf(other, many), 204);
      assert.equal(requestCount, 0);
      session.destroy();
      other.destroy();
    },
    { handler },
  );
});

test('a path that is no path of ours is refused without asking the handler', patience, () =>
  attacked(async (target) => {
    const session = openSession(await dial(target, newIdentity()));
    assert.equal(await statusOf(session, { ':path': '/other' }), 400);
    assert.equal(await statusOf(session, { ':path': `/v1/${'x'.repeat(300)}` }), 400);
    assert.equal(await statusOf(session, { ':method': 'PATCH' }), 405);
    session.destroy();
  }),
);

test('a flood of SETTINGS ends the connection', patience, () =>
  attacked((target) => flood(target, settingsFrame)),
);

test('a flood of PING ends the connection', patience, () =>
  attacked((target) => flood(target, pingFrame)),
);

test('a session that asks for nothing is closed', patience, () =>
  attacked(
    async (target) => {
      const socket = await dial(target, newIdentity());
      assert.equal(await isAccepted(socket), true);
      await closed(socket);
    },
    { limits: { stranger: { ...defaultLimits.stranger, sessionIdleMs: 100 } } },
  ),
);

test('a body that stalls is given up', patience, () => {
  const handled = Promise.withResolvers<unknown>();
  const handler: RequestHandler = async ({ body }) => {
    try {
      for await (const _ of body);
    } catch (problem) {
      handled.resolve(problem);
    }
    return { status: 204 };
  };
  return attacked(
    async (target) => {
      const session = openSession(await dial(target, newIdentity()));
      const stream = session.request({ ':path': '/v1/x', ':method': 'PUT' });
      stream.on('error', () => undefined);
      stream.write(new Uint8Array(10));
      assert.equal(((await handled.promise) as Error).name, 'BodyBroken');
      session.destroy();
    },
    { handler, limits: { bodyIdleMs: 200 } },
  );
});

/** A reply that is asked for and not read; resolves with its status. */
function unread(session: ClientHttp2Session): Promise<number> {
  return new Promise((resolve) => {
    const stream = session.request({ ':path': '/v1/x' });
    stream.on('error', () => undefined);
    stream.once('response', (answer) => resolve(answer[':status'] ?? 0));
    stream.pause();
    stream.end();
  });
}

const large: RequestHandler = async () => ({ status: 200, body: new Uint8Array(1_000_000) });

test(
  'replies to all strangers together take so many bytes, until they are read or left',
  patience,
  () =>
    attacked(
      async (target) => {
        const sessions: ClientHttp2Session[] = [];
        const statuses: number[] = [];
        for (let count = 0; count < 4; count += 1) {
          const session = openSession(await dial(target, newIdentity()));
          sessions.push(session);
          statuses.push(await unread(session));
        }
        assert.deepEqual(statuses, [200, 200, 200, 503]);
        const [first, , , last] = sessions;
        assert.ok(first !== undefined && last !== undefined);
        first.destroy();
        let status = 0;
        while (status !== 200) status = await unread(last);
        for (const session of sessions) session.destroy();
      },
      { handler: large, limits: { strangerReplyBytes: 3_500_000 } },
    ),
);

for (const standing of ['stranger', 'partner'] as const)
  test(
    `a request of a ${standing} that takes too long in all ${standing === 'stranger' ? 'is ended' : 'goes on'}`,
    patience,
    () =>
      attacked(
        async (target) => {
          const session = openSession(await dial(target, newIdentity()));
          const stream = session.request({ ':path': '/v1/x' });
          stream.on('error', () => undefined);
          stream.end();
          const ended = new Promise<string>((resolve) => {
            stream.once('close', () => resolve('ended'));
          });
          const later = new Promise<string>((resolve) => {
            setTimeout(() => resolve('goes on'), 1_000);
          });
          const outcome = await Promise.race([ended, later]);
          assert.equal(outcome, standing === 'stranger' ? 'ended' : 'goes on');
          session.destroy();
        },
        { handler: large, standing, limits: { strangerRequestMs: 300 } },
      ),
  );
