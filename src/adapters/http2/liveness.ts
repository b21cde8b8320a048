/**
 * Notices that a connection is dead although requests are under way on it.
 *
 * Node stops reading from a socket while it cannot write, so a connection that is reset in the middle of an upload may not report it. When
 * no byte moves, the other side's HTTP/2 is asked with a PING, which it answers however slow its application is; no answer, no connection.
 */
import type { Http2Session } from 'node:http2';
import type { Duplex } from 'node:stream';

export interface WatchedConnection {
  readonly session: Http2Session;
  /** The stream of bytes under the session. */
  readonly duplex: Duplex & { readonly bytesRead?: number };
}

export interface LivenessOptions {
  readonly intervalMs: number;
  /** Whether requests are under way; an unused connection is not asked. */
  readonly isActive: () => boolean;
  /** Called once. */
  readonly onDead: () => void;
}

export function watchLiveness(watched: WatchedConnection, options: LivenessOptions): void {
  const { session } = watched;
  let movedBytes = -1;
  let isAsked = false;
  const timer = setInterval(() => {
    const now = moved(watched);
    const isStill = now === movedBytes && options.isActive();
    movedBytes = now;
    if (isStill && isAsked) {
      clearInterval(timer);
      options.onDead();
    } else if (isStill) {
      isAsked = ask(session, () => {
        isAsked = false;
      });
      movedBytes = moved(watched);
    } else {
      isAsked = false;
    }
  }, options.intervalMs);
  timer.unref();
  session.once('close', () => clearInterval(timer));
}

function ask(session: Http2Session, onAnswer: () => void): boolean {
  try {
    session.ping((problem) => {
      if (problem === null) onAnswer();
    });
  } catch {
    // The session is being destroyed: the silence that follows is the answer.
  }
  return true;
}

function moved({ duplex }: WatchedConnection): number {
  return duplex.bytesRead ?? 0;
}
