/** Connections that others opened, by whatever carrier: charged to their peers' accounts, served until closed. */
import type { PeerId } from '../../core/vocabulary/ids.ts';
import type { Route } from '../../ports/transport.ts';
import type { AuthenticatedConnection } from './carrier.ts';
import { type IncomingOptions, IncomingSession } from './incoming-session.ts';

export class Admission {
  readonly #options: IncomingOptions;
  readonly #sessions = new Set<IncomingSession>();
  #isClosing = false;

  constructor(options: IncomingOptions) {
    this.#options = options;
  }

  /** A connection too many is destroyed. */
  admit(connection: AuthenticatedConnection): void {
    const { log, accounts, standingOf } = this.#options;
    const { peer, duplex } = connection;
    const account = this.#isClosing ? undefined : accounts.connect(peer, standingOf(peer));
    if (account === undefined) {
      const reason = this.#isClosing ? 'closing' : 'too many connections';
      log.write('debug', 'peer.refused', { peer, reason });
      duplex.destroy();
      return;
    }
    const session = new IncomingSession(connection, account, this.#options);
    this.#sessions.add(session);
    session.onClose(() => this.#sessions.delete(session));
  }

  /** Undefined when the peer has not connected here. */
  route(peer: PeerId): Route | undefined {
    return [...this.#sessions].find((session) => session.peer === peer)?.route;
  }

  /** Takes no more connections; lets requests under way finish for `graceMs`. */
  async close(graceMs: number): Promise<void> {
    this.#isClosing = true;
    const closed = [...this.#sessions].map((session) => session.close());
    const grace = setTimeout(() => {
      for (const session of this.#sessions) session.destroy();
    }, graceMs);
    await Promise.all(closed);
    clearTimeout(grace);
  }
}
