/** Serves the local API on the home's socket, and on HTTP when that was asked for. */
import { randomBytes } from 'node:crypto';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { createAdaptorServer } from '@hono/node-server';
import { failed, type Outcome, succeeded } from '../base/outcome.ts';
import { socketName, socketPathOf } from './api-socket.ts';
import { type Access, createLocalApi } from './local-api.ts';
import { failure, type OperationFailure } from './operation-failure.ts';
import type { RunningComputer } from './running-computer.ts';

export const tokenName = 'api-token';
const tokenBytes = 32;
/** Takes nothing from what its user may do: folders that are made meanwhile must stay usable. */
const privateMask = 0o077;
const socketMode = 0o600;

export interface HttpListen {
  readonly host: string;
  readonly port: number;
}

export interface LocalApiServer {
  readonly socket: string;
  /** Where it listens on HTTP; undefined when it does not. */
  readonly http: string | undefined;
  /** Cancels what runs, and resolves once the last answer has gone out. */
  close(): Promise<void>;
}

export async function serveLocalApi(
  running: RunningComputer,
  listen: HttpListen | undefined,
): Promise<Outcome<LocalApiServer, OperationFailure>> {
  const stopping = new AbortController();
  const servers: Server[] = [];
  const close = async (): Promise<void> => {
    stopping.abort();
    await Promise.all(servers.map(closed));
    rmSync(join(running.home, socketName), { force: true });
  };
  try {
    servers.push(await serveSocket(running, stopping.signal));
    const http =
      listen === undefined ? undefined : await serveHttp(running, listen, stopping.signal);
    if (http !== undefined) servers.push(http.server);
    return succeeded({ socket: join(running.home, socketName), http: http?.url, close });
  } catch (problem) {
    await close();
    return failed(failure('network.cannot-listen', (problem as Error).message));
  }
}

/** The home's lock is held by this process, so a socket that is there is a leftover. */
async function serveSocket(running: RunningComputer, stopping: AbortSignal): Promise<Server> {
  rmSync(join(running.home, socketName), { force: true });
  const server = serverOf(running, { by: 'socket' }, stopping);
  const { path, release } = socketPathOf(running.home);
  server.once('close', release);
  const mask = process.umask(privateMask);
  try {
    const ready = listening(server);
    server.listen(path);
    await ready;
  } finally {
    process.umask(mask);
  }
  chmodSync(path, socketMode);
  return server;
}

async function serveHttp(
  running: RunningComputer,
  listen: HttpListen,
  stopping: AbortSignal,
): Promise<{ readonly server: Server; readonly url: string }> {
  const hosts = new Set<string>();
  const access: Access = { by: 'http', token: tokenOf(running.home), hosts };
  const server = serverOf(running, access, stopping);
  const ready = listening(server);
  server.listen(listen.port, listen.host);
  await ready;
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : listen.port;
  const host = listen.host.includes(':') ? `[${listen.host}]` : listen.host;
  for (const name of [host, 'localhost', '127.0.0.1', '[::1]'])
    hosts.add(`${name.toLowerCase()}:${port}`);
  return { server, url: `http://${host}:${port}` };
}

function serverOf(running: RunningComputer, access: Access, stopping: AbortSignal): Server {
  const api = createLocalApi(running, { access, stopping });
  return createAdaptorServer({ fetch: api.fetch }) as Server;
}

function listening(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', reject);
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}

/** Made once for each home; whoever can read the home may call the API. */
export function tokenOf(home: string): string {
  const path = join(home, tokenName);
  try {
    const token = readFileSync(path, 'utf8').trim();
    if (/^[\w-]{43}$/.test(token)) return token;
  } catch (problem) {
    if ((problem as NodeJS.ErrnoException).code !== 'ENOENT') throw problem;
  }
  const token = randomBytes(tokenBytes).toString('base64url');
  writeFileSync(path, `${token}\n`, { mode: 0o600 });
  return token;
}
