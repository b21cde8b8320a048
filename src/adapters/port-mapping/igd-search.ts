/**
 * Finds routers that speak UPnP: one question by multicast on every network of this computer, and answers for a while (UPnP Device Architecture 2.0, §1.3).
 *
 * Whoever is on the network can answer. An answer that leads to another host than its sender is none: nobody makes this computer ask others.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { networkInterfaces } from 'node:os';

export interface FoundIgd {
  /** Where it describes itself; on the host that answered. */
  readonly location: URL;
  /** The address of this computer on the network where it answered. */
  readonly ownAddress: string;
}

const group = '239.255.255.250';
const ssdpPort = 1900;
const networksMaximum = 8;
/** Answers that are looked into. */
const answersMaximum = 8;
const answerMaximumBytes = 2_048;
/** UDP may lose the question. */
const repeatMs = 1_000;
/** A router of version 2 answers to those who look for version 1. */
const target = 'urn:schemas-upnp-org:device:InternetGatewayDevice:1';

const question: Buffer = Buffer.from(
  [
    'M-SEARCH * HTTP/1.1',
    `HOST: ${group}:${ssdpPort}`,
    'MAN: "ssdp:discover"',
    'MX: 1',
    `ST: ${target}`,
    '\r\n',
  ].join('\r\n'),
);

/** The first router with which `attempt` succeeds; rejects when none did before `signal` aborts. */
export async function firstIgd<T>(
  attempt: (found: FoundIgd) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const sockets: Socket[] = [];
  const seen = new Set<string>();
  let repeat: NodeJS.Timeout | undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      const refuse = (): void => reject(new Error('UPnP: no router'));
      if (signal.aborted) refuse();
      signal.addEventListener('abort', refuse, { once: true });
      const heard = (found: FoundIgd): void => {
        if (seen.has(found.location.href) || seen.size >= answersMaximum) return;
        seen.add(found.location.href);
        attempt(found).then(resolve, () => undefined);
      };
      for (const address of ownAddresses()) sockets.push(listen(address, heard));
      repeat = setInterval(() => sockets.forEach(ask), repeatMs);
    });
  } finally {
    clearInterval(repeat);
    for (const socket of sockets) socket.close();
  }
}

function ownAddresses(): readonly string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .slice(0, networksMaximum)
    .map(({ address }) => address);
}

function listen(ownAddress: string, heard: (found: FoundIgd) => void): Socket {
  const socket = createSocket('udp4');
  // A network that cannot be asked has no router for us.
  socket.on('error', () => undefined);
  socket.on('message', (message, from) => {
    const location = locationIn(message, from);
    if (location !== undefined) heard({ location, ownAddress });
  });
  socket.bind({ address: ownAddress, port: 0 }, () => {
    socket.setMulticastInterface(ownAddress);
    ask(socket);
  });
  return socket;
}

function ask(socket: Socket): void {
  socket.send(question, ssdpPort, group, () => undefined);
}

/** Where whoever answered says that it is described; undefined when that is not on itself. */
export function locationIn(
  message: Uint8Array,
  from: Pick<RemoteInfo, 'address'>,
): URL | undefined {
  if (message.length > answerMaximumBytes) return undefined;
  const text = Buffer.from(message).toString('latin1');
  if (!/^HTTP\/1\.[01] 200 /.test(text)) return undefined;
  const value = /^location:[ \t]*(\S+)[ \t]*\r?$/im.exec(text)?.[1] ?? '';
  if (!URL.canParse(value)) return undefined;
  const location = new URL(value);
  return location.protocol === 'http:' && location.hostname === from.address ? location : undefined;
}
