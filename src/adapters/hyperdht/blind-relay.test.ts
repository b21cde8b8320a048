import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { Client } from 'blind-relay';
import HyperDHT from 'hyperdht';
import { present } from '../../base/assert.ts';
import { mebi } from '../../base/units.ts';
import { idOf, type PeerId } from '../../core/vocabulary/ids.ts';
import type { EventLog } from '../../ports/event-log.ts';
import { BlindRelay } from './blind-relay.ts';
import type { HyperDht, KeyPair, RawStream } from './hyperdht-shapes.ts';
import { RelayBudget } from './relay-budget.ts';

const log: EventLog = { write: () => undefined };
const host = '127.0.0.1';
const greeting = new Uint8Array(1);

function newKeyPair(): KeyPair {
  return HyperDHT.keyPair(randomBytes(32));
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, host);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

interface Circle {
  /** Two raw streams, joined by the relay when it allows that. */
  readonly ends: readonly RawStream[];
  readonly joined: Promise<unknown>;
  readonly keyPairs: readonly KeyPair[];
  close(): Promise<void>;
}

/** A relay and two peers that ask it to pass their streams on. */
async function openCircle(
  relayOptions: (peers: readonly PeerId[]) => {
    readonly partners: readonly PeerId[];
    readonly budget: RelayBudget;
  },
): Promise<Circle> {
  const port = await freePort();
  const bootstrap = [{ host, port }];
  const relayKey = newKeyPair();
  const place = { keyPair: relayKey, bootstrap: [], host, port };
  const relayNode = HyperDHT.bootstrapper(port, host, place);
  const keyPairs = [newKeyPair(), newKeyPair()];
  const { partners, budget } = relayOptions(keyPairs.map((one) => idOf<PeerId>(one.publicKey)));
  const relay = new BlindRelay({
    createStream: (options) => relayNode.createRawStream(options),
    isPartner: (peer) => partners.includes(peer),
    budget,
    log,
  });
  const server = relayNode.createServer({}, (stream) => {
    stream.on('error', () => undefined);
    relay.accept(idOf(stream.remotePublicKey), stream);
  });
  await server.listen(relayKey);
  const nodes = keyPairs.map((keyPair) => new HyperDHT({ keyPair, bootstrap, host }));
  const token = randomBytes(32);
  const opened = nodes.map((node, index) =>
    openEnd(node, relayKey, { isFirst: index === 0, token }),
  );
  return {
    ends: opened.map(({ raw }) => raw),
    joined: Promise.all(opened.map(({ joined }) => joined)),
    keyPairs,
    close: async () => {
      await relay.close();
      await server.close();
      await Promise.all([relayNode, ...nodes].map((node) => node.destroy({ force: true })));
    },
  };
}

function openEnd(
  node: HyperDht,
  relayKey: KeyPair,
  { isFirst, token }: { readonly isFirst: boolean; readonly token: Uint8Array },
): { readonly raw: RawStream; readonly joined: Promise<unknown> } {
  const connection = node.connect(relayKey.publicKey);
  connection.on('error', () => undefined);
  const raw = node.createRawStream();
  raw.on('error', () => undefined);
  const asked = Client.from(connection, { id: connection.publicKey }).pair(isFirst, token, raw);
  asked.on('error', () => undefined);
  const joined = new Promise<void>((resolve) => {
    asked.on('data', (remoteId: number) => {
      const carrier = present(connection.rawStream, 'an open connection has a raw stream');
      raw.connect(carrier.socket, remoteId, carrier.remotePort, carrier.remoteHost);
      // The relay learns from the first packet where an end is.
      raw.write(greeting);
      raw.once('data', () => resolve());
    });
  });
  return { raw, joined };
}

/** Sends until the link is cut or `limitBytes` are sent; gives the bytes that arrived once nothing comes any more. */
async function pour(from: RawStream, to: RawStream, limitBytes: number): Promise<number> {
  let arrivedBytes = 0;
  to.on('data', (data: Uint8Array) => {
    arrivedBytes += data.length;
  });
  const piece = new Uint8Array(64 * 1_024);
  let sentBytes = 0;
  const send = (): void => {
    while (sentBytes < limitBytes) {
      sentBytes += piece.length;
      if (!from.write(piece)) return;
    }
  };
  from.on('drain', send);
  send();
  let before: number;
  do {
    before = arrivedBytes;
    await pause(1_000);
  } while (before !== arrivedBytes);
  return arrivedBytes;
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}

test('what two peers send each other is passed on, and charged to the partner of the two', async () => {
  const budget = new RelayBudget(64 * mebi, () => 0);
  const circle = await openCircle(([first]) => ({ partners: first ? [first] : [], budget }));
  try {
    await circle.joined;
    const [one, other] = circle.ends;
    const arrived = await pour(present(one, 'one'), present(other, 'other'), 4 * mebi);
    assert.equal(arrived, 4 * mebi);
    const [payer, stranger] = circle.keyPairs.map((each) => idOf<PeerId>(each.publicKey));
    const charged = 64 * mebi - budget.left(present(payer, 'payer'));
    assert.ok(charged >= 4 * mebi && charged < 5 * mebi, `${charged} bytes charged`);
    assert.equal(budget.left(present(stranger, 'stranger')), 64 * mebi);
  } finally {
    await circle.close();
  }
});

test('a link is cut when the budget of the day is spent', async () => {
  const budget = new RelayBudget(1 * mebi, () => 0);
  const circle = await openCircle((partners) => ({ partners, budget }));
  try {
    await circle.joined;
    const [one, other] = circle.ends;
    const arrived = await pour(present(one, 'one'), present(other, 'other'), 512 * mebi);
    assert.ok(arrived < 256 * mebi, `${arrived} bytes were passed on`);
    const [payer] = circle.keyPairs.map((each) => idOf<PeerId>(each.publicKey));
    assert.equal(budget.left(present(payer, 'payer')), 0);
  } finally {
    await circle.close();
  }
});

test('between strangers nothing is passed on', async () => {
  const budget = new RelayBudget(64 * mebi, () => 0);
  const circle = await openCircle(() => ({ partners: [], budget }));
  try {
    const outcome = await Promise.race([circle.joined.then(() => 'joined'), pause(2_000)]);
    assert.equal(outcome, undefined);
  } finally {
    await circle.close();
  }
});
