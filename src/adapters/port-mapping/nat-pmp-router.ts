/** NAT-PMP (RFC 6886): a few bytes by UDP to the default gateway. */
import { createSocket } from 'node:dgram';
import { leaseSeconds, type PortWish, type Router } from './router.ts';

const serverPort = 5351;
/** Sent again after this, then after twice as long each time (§3.1), until the caller gives up. */
const firstRepeatMs = 250;
const operations = { externalAddress: 0, udp: 1, tcp: 2 } as const;
const answered = 128;

export function natPmpRouter(gateway: string): Router {
  return {
    externalHost: async (signal) => {
      const request = Buffer.from([0, operations.externalAddress]);
      const answer = await ask(gateway, { request, answerBytes: 12, signal });
      return answer.subarray(8, 12).join('.');
    },
    map: async (wish, signal) => {
      const request = mapRequest(wish, leaseSeconds);
      const answer = await ask(gateway, { request, answerBytes: 16, signal });
      if (answer.readUInt16BE(8) !== wish.port) throw new Error('an answer about another port');
      return answer.readUInt16BE(10);
    },
    unmap: async (mapped, signal) => {
      const request = mapRequest({ ...mapped, externalPort: 0 }, 0);
      await ask(gateway, { request, answerBytes: 16, signal });
    },
  };
}

function mapRequest({ port, externalPort, protocol }: PortWish, seconds: number): Buffer {
  const request = Buffer.alloc(12);
  request.writeUInt8(operations[protocol], 1);
  request.writeUInt16BE(port, 4);
  request.writeUInt16BE(externalPort, 6);
  request.writeUInt32BE(seconds, 8);
  return request;
}

interface Question {
  readonly request: Buffer;
  readonly answerBytes: number;
  readonly signal: AbortSignal;
}

/** Only what comes from the gateway itself is taken: the socket is connected to it. */
function ask(gateway: string, { request, answerBytes, signal }: Question): Promise<Buffer> {
  const socket = createSocket('udp4');
  let repeat: NodeJS.Timeout | undefined;
  const given = new Promise<Buffer>((resolve, reject) => {
    const refuse = (): void => reject(new Error('NAT-PMP: no answer'));
    if (signal.aborted) refuse();
    signal.addEventListener('abort', refuse, { once: true });
    socket.once('error', reject);
    socket.on('message', (message) => {
      const result = message.length < 4 ? undefined : message.readUInt16BE(2);
      if (message[0] !== 0 || message[1] !== answered + (request[1] ?? 0)) return;
      if (result !== 0) reject(new Error(`NAT-PMP: refused (${result})`));
      else if (message.length >= answerBytes) resolve(message);
    });
    const send = (waitMs: number): void => {
      socket.send(request);
      repeat = setTimeout(() => send(2 * waitMs), waitMs);
    };
    socket.connect(serverPort, gateway, () => send(firstRepeatMs));
  });
  return given.finally(() => {
    clearTimeout(repeat);
    socket.close();
  });
}
