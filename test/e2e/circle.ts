/** Computers that are partners of each other, as homes and processes of their own on loopback. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { covault, type Daemon, type Said, type Surroundings, startDaemon } from './command-line.ts';

export interface Home {
  readonly name: string;
  readonly path: string;
  /** Loopback, the same after every start: partners remember it. */
  readonly address: string;
}

export type Answer = Readonly<Record<string, unknown>>;

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A command on a home, answered in JSON. */
export function on(
  home: Home,
  argv: readonly string[],
  surroundings: Surroundings = {},
): Promise<Said> {
  return covault(['--home', home.path, '--json', ...argv], surroundings);
}

/** The same, which must end well. */
export async function done(home: Home, argv: readonly string[]): Promise<Answer> {
  const said = await on(home, argv);
  assert.equal(said.exit, 0, `${argv.join(' ')}: ${lastWords(said)}`);
  return said.json();
}

/** The answer or failure without the progress before it, cut to what a person can read. */
export function lastWords({ out, err }: Said): string {
  return `${out.trim().split('\n').at(-1)?.slice(0, 1_500)}${err.slice(-500)}`;
}

export function failureCode(said: Said): string {
  return String((said.json()['error'] as { readonly code?: unknown } | undefined)?.code);
}

/** Exit code and stable code together, and the sentences that a person is given with them. */
export function assertFailure(said: Said, exit: number, code: string): void {
  assert.deepEqual([said.exit, failureCode(said)], [exit, code], lastWords(said));
  const error = said.json()['error'] as Readonly<Record<string, unknown>>;
  for (const part of ['message', 'meaning', 'advice'])
    assert.match(String(error[part]), /^[A-Z`].{8,}/, `${code} lacks its ${part}`);
}

export async function makeHome(folder: string, name: string): Promise<Home> {
  const path = join(folder, name);
  const address = `/ip4/127.0.0.1/tcp/${await freePort()}`;
  const home = { name, path, address };
  await done(home, ['init', '--no-passphrase', '--name', name]);
  await done(home, ['config', 'set', 'network.listen', JSON.stringify([address])]);
  return home;
}

/** What makes this home the lost computer, on loopback: others may listen where it would by itself. */
export function recovering(home: Home, kit: string): readonly string[] {
  return ['recover', '--kit', kit, '--no-passphrase', '--listen', home.address];
}

export async function up(home: Home, surroundings: Surroundings = {}): Promise<Daemon> {
  const daemon = await startDaemon(home.path, [], surroundings);
  assert.equal(daemon.started['error'], undefined, JSON.stringify(daemon.started));
  return daemon;
}

/** `partner` must be up; `owner` need not. Each lends the other `space`. */
export async function befriend(owner: Home, partner: Home, space = '2GB'): Promise<void> {
  const invited = await done(partner, ['invite', '--lend', space]);
  await done(owner, ['join', String(invited['code'])]);
}

/** Looks until `found` gives something; fails loudly after `limitMs`. */
export async function eventually<T>(
  what: string,
  found: () => T | undefined | Promise<T | undefined>,
  limitMs = 30_000,
): Promise<T> {
  const end = performance.now() + limitMs;
  for (;;) {
    const value = await found();
    if (value !== undefined) return value;
    if (performance.now() > end) throw new Error(`${what}: not after ${limitMs} ms`);
    await sleep(20);
  }
}

/** Ends daemons that are still there. */
export async function endAll(daemons: Iterable<Daemon>): Promise<void> {
  const running = [...daemons].filter(
    ({ child }) => child.exitCode === null && child.signalCode === null,
  );
  await Promise.all(running.map((daemon) => daemon.stop()));
}
