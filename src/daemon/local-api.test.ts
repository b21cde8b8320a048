import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { defaultConfig } from '../adapters/disk/config-file.ts';
import { homePaths } from '../adapters/disk/home.ts';
import { present } from '../base/assert.ts';
import { createLocalApi } from './local-api.ts';
import { callDaemon } from './local-api-client.ts';
import { serveLocalApi, tokenName, tokenOf } from './local-api-server.ts';
import type { RunningComputer } from './running-computer.ts';

const home = mkdtempSync(join(tmpdir(), 'covault-api-'));
after(() => rmSync(home, { recursive: true, force: true }));

/** Enough of a computer for what only touches the configuration. */
const running = {
  home,
  paths: homePaths(home),
  config: defaultConfig(),
  daemon: true,
} as unknown as RunningComputer;

const token = 'right';
const host = '127.0.0.1:4748';
const api = createLocalApi(running, {
  access: { by: 'http', token, hosts: new Set([host]) },
  stopping: new AbortController().signal,
});

async function asked(
  headers: Readonly<Record<string, string>>,
  path = '/v1/operations/config-get',
): Promise<number> {
  const response = await posted(headers, path);
  await response.text();
  return response.status;
}

async function posted(headers: Readonly<Record<string, string>>, path: string): Promise<Response> {
  return api.request(path, {
    method: 'POST',
    headers: {
      host,
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      ...headers,
    },
    body: '{}',
  });
}

test('a request with the token, from no page or from our own, is answered', async () => {
  assert.equal(await asked({}), 200);
  assert.equal(await asked({ origin: `http://${host}`, 'sec-fetch-site': 'same-origin' }), 200);
});

test('a page of another site is refused, even with the token', async () => {
  assert.equal(await asked({ origin: 'http://evil.example' }), 403);
  assert.equal(await asked({ origin: 'null' }), 403);
  assert.equal(await asked({ 'sec-fetch-site': 'cross-site' }), 403);
});

test('a name that was made to resolve to this computer is refused', async () => {
  assert.equal(await asked({ host: 'evil.example:4748' }), 403);
  assert.equal(await asked({ host: '127.0.0.1' }), 403);
});

test('a wrong token and a form post are refused', async () => {
  assert.equal(await asked({ authorization: 'Bearer wrong' }), 401);
  assert.equal(await asked({ authorization: '' }), 401);
  const form = await posted({ 'content-type': 'text/plain' }, '/v1/operations/config-get');
  assert.equal(form.status, 415);
  assert.match(await form.text(), /the Content-Type must be application\/json/);
});

test('what holds the root seed is not told over HTTP', async () => {
  assert.equal(await asked({}, '/v1/operations/kit'), 403);
});

test('an unknown operation and names of inherited properties are not found', async () => {
  assert.equal(await asked({}, '/v1/operations/nothing'), 404);
  assert.equal(await asked({}, '/v1/operations/constructor'), 404);
});

test('the socket answers its user with JSON lines, and only its user may open it', async () => {
  const server = await serveLocalApi(running, undefined);
  assert.ok(server.ok);
  assert.equal(statSync(server.value.socket).mode & 0o777, 0o600);
  const call = (name: string, input: unknown) =>
    callDaemon({
      home,
      name,
      input,
      signal: new AbortController().signal,
      progress: () => undefined,
      send: async () => undefined,
    });
  const got = await call('config-get', { name: 'lend.spaceBytes' });
  assert.deepEqual(got, {
    daemon: 'answered',
    outcome: { ok: true, value: { 'lend.spaceBytes': 0 } },
  });
  const wrong = await call('config-get', { name: 7 });
  assert.ok(wrong.daemon === 'answered' && !wrong.outcome.ok);
  assert.equal(wrong.outcome.error.code, 'operation.bad-input');
  const unknown = await call('nothing', {});
  assert.ok(unknown.daemon === 'answered' && !unknown.outcome.ok);
  assert.equal(unknown.outcome.error.code, 'operation.unknown');
  await server.value.close();
  assert.deepEqual(await call('config-get', {}), { daemon: 'none' });
});

test('a client that hangs up cancels its operation; so does the end of the daemon', async () => {
  const noticed: string[] = [];
  const waiting = {
    ...running,
    start: async () => ({ ok: true, value: undefined }),
    computer: {
      supersededBy: () => undefined,
      isRecovering: () => false,
      agreements: () => [],
      invite: () => 'code',
      now: () => 0,
      status: () => ({ listening: [] }),
      redeemed: async (_code: string, signal: AbortSignal) => {
        if (!signal.aborted) await once(signal, 'abort');
        noticed.push('cancelled');
        return undefined;
      },
    },
  } as unknown as RunningComputer;
  const server = await serveLocalApi(waiting, undefined);
  assert.ok(server.ok);
  const wait = (gone: AbortController, sent: () => void) =>
    callDaemon({
      home,
      name: 'invite',
      input: { lendBytes: 0, wantBytes: 1, validMs: 1000, wait: true },
      signal: gone.signal,
      progress: () => undefined,
      send: async () => sent(),
    });
  const gone = new AbortController();
  const left = await wait(gone, () => gone.abort());
  assert.ok(left.daemon === 'answered' && !left.outcome.ok);
  assert.equal(left.outcome.error.code, 'operation.cancelled');
  const closing: Promise<void>[] = [];
  const stopped = await wait(new AbortController(), () => {
    closing.push(server.value.close());
  });
  await Promise.all(closing);
  assert.ok(stopped.daemon === 'answered' && !stopped.outcome.ok);
  assert.equal(stopped.outcome.error.code, 'operation.cancelled');
  assert.deepEqual(noticed, ['cancelled', 'cancelled']);
});

test('the token is made once, and readable by its user alone', () => {
  const made = tokenOf(home);
  assert.equal(tokenOf(home), made);
  assert.ok(made.length >= 43);
  assert.equal(statSync(join(home, tokenName)).mode & 0o777, 0o600);
});

test('on HTTP the server is found at the address it names, with the token of its home', async () => {
  const server = await serveLocalApi(running, { host: '127.0.0.1', port: 0 });
  assert.ok(server.ok);
  const url = `${present(server.value.http, 'HTTP was asked for')}/v1/operations/config-get`;
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${tokenOf(home)}` };
  const response = await fetch(url, { method: 'POST', headers, body: '{"name":"cache.capBytes"}' });
  const lines = (await response.text()).trim().split('\n');
  assert.deepEqual(JSON.parse(lines.at(-1) ?? ''), { result: { 'cache.capBytes': 2 ** 31 } });
  const naked = await fetch(url, { method: 'POST', headers: {}, body: '{}' });
  assert.equal(naked.status, 401);
  await naked.text();
  await server.value.close();
});
