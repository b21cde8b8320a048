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
/** Answers that are looked into, those of one router again and again, for a busy one may fail at first; and how long each may take. */
const attemptsMaximum = 8;
const attemptMs = 2_000;
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

/** The first router with which `attempt` succeeds; rejects when none did before `signal` aborts, with what the last of them failed with. */
export async function firstIgd<T>(
  attempt: (found: FoundIgd, signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const sockets = new Map<string, Socket>();
  const trying = new Set<string>();
  let attempts = 0;
  let failure = 'nothing answers';
  let repeat: NodeJS.Timeout | undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      const refuse = (): void => reject(new Error(`UPnP: no router (${failure})`));
      if (signal.aborted) refuse();
      signal.addEventListener('abort', refuse, { once: true });
      const heard = (found: FoundIgd): void => {
        const { href } = found.location;
        if (trying.has(href) || attempts >= attemptsMaximum) return;
        trying.add(href);
        attempts += 1;
        const failed = (problem: unknown): void => {
          trying.delete(href);
          failure = reasonOf(problem);
        };
        attempt(found, AbortSignal.any([signal, AbortSignal.timeout(attemptMs)])).then(
          resolve,
          failed,
        );
      };
      const askAll = (): void => {
        for (const socket of sockets.values()) ask(socket);
        // A link that has just been plugged in has its address a moment later.
        for (const address of ownAddresses())
          if (!sockets.has(address)) sockets.set(address, listen(address, heard));
      };
      askAll();
      repeat = setInterval(askAll, repeatMs);
    });
  } finally {
    clearInterval(repeat);
    for (const socket of sockets.values()) socket.close();
  }
}

/** What `fetch` fails with says little; its cause does. */
function reasonOf(problem: unknown): string {
  const cause = problem instanceof Error ? (problem.cause ?? problem) : problem;
  return String(cause);
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
