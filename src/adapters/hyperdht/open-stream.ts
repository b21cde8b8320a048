/** Opening one stream to a peer through the DHT, by its key, perhaps with the help of a relay. */

import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { bytesOf, type PeerId } from '../../core/vocabulary/ids.ts';
import type { Silence } from '../../ports/transport.ts';
import type { HyperDht, SecretStream } from './hyperdht-shapes.ts';

export interface OpenedStream {
  readonly stream: SecretStream;
  readonly relay: PeerId | undefined;
}

export interface StreamWay {
  readonly relay: PeerId | undefined;
  /** Ends the attempt; a stream that is open stays. */
  readonly signal: AbortSignal;
}

/** An open stream whose other end has proven to be the peer. */
export function openStream(
  node: HyperDht,
  peer: PeerId,
  { relay, signal }: StreamWay,
): Promise<Outcome<OpenedStream, Silence>> {
  if (signal.aborted) return Promise.resolve(unreachable('no connection in time'));
  const relayThrough = relay === undefined ? null : Buffer.from(bytesOf(relay));
  const stream = node.connect(Buffer.from(bytesOf(peer)), { relayThrough });
  return new Promise((resolve) => {
    let detail = 'no connection';
    const onAbort = (): void => {
      detail = 'no connection in time';
      stream.destroy();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    stream.on('error', (problem: Error) => {
      detail = problem.message;
    });
    stream.once('close', () => {
      signal.removeEventListener('abort', onAbort);
      resolve(unreachable(detail));
    });
    stream.once('open', () => {
      signal.removeEventListener('abort', onAbort);
      resolve(succeeded({ stream, relay }));
    });
  });
}

function unreachable(detail: string): Outcome<never, Silence> {
  return failed({ code: 'peer.unreachable', detail });
}
