/** One life of the daemon: open the home, serve peers and the local API, wait to be stopped, end cleanly. */
import { join } from 'node:path';
import { type Outcome, succeeded } from '../base/outcome.ts';
import { openComputer } from './composition.ts';
import type { PassphraseSource } from './key-opening.ts';
import { type HttpListen, serveLocalApi, tokenName } from './local-api-server.ts';
import type { OperationFailure } from './operation-failure.ts';

export interface DaemonOptions {
  readonly home: string;
  readonly passphrase: PassphraseSource;
  /** Undefined: as configured. */
  readonly listen: readonly string[] | undefined;
  readonly http: HttpListen | undefined;
  /** Aborting it stops the daemon. */
  readonly signal: AbortSignal;
  readonly ready: (started: DaemonStarted) => void;
}

export interface DaemonStarted {
  readonly peer: string;
  readonly name: string;
  readonly listening: readonly string[];
  readonly socket: string;
  readonly http: string | null;
  readonly tokenFile: string | null;
  readonly pid: number;
}

export async function runDaemon(options: DaemonOptions): Promise<Outcome<void, OperationFailure>> {
  const opened = await openComputer({ ...options, daemon: true, uploadLimit: undefined });
  if (!opened.ok) return opened;
  const running = opened.value;
  try {
    const started = await running.start();
    if (!started.ok) return started;
    // Partners learn where this computer is now, and it learns who is there.
    void running.computer.probePartners();
    const api = await serveLocalApi(running, options.http);
    if (!api.ok) return api;
    const { self, name, listening } = running.computer.status();
    options.ready({
      peer: self,
      name,
      listening,
      socket: api.value.socket,
      http: api.value.http ?? null,
      tokenFile: api.value.http === undefined ? null : join(running.home, tokenName),
      pid: process.pid,
    });
    await aborted(options.signal);
    await api.value.close();
    return succeeded(undefined);
  } finally {
    await running.close();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
