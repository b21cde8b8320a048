/**
 * The daemon's local API: `POST /v1/operations/NAME` with a JSON input, answered with JSON lines.
 *
 * Lines are `{"progress":…}` and `{"data":…}`, then exactly one `{"result":…}` or `{"failure":…}`. When the client hangs up the operation is cancelled.
 * Over HTTP a page in a browser is the adversary: it can send requests to this computer, and can make its own name resolve to it. So a request
 * must carry the token, name this server as its host, and come from no other origin. The home's socket is guarded by its file mode.
 */
import { timingSafeEqual } from 'node:crypto';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { stream } from 'hono/streaming';
import { utf8Bytes } from '../base/bytes.ts';
import { mebi } from '../base/units.ts';
import { sha256 } from '../primitives/hash.ts';
import { failure, type OperationFailure } from './operation-failure.ts';
import { operationNamed, runOperation } from './operation-run.ts';
import type { RunningComputer } from './running-computer.ts';

export const operationsPath = '/v1/operations/';
const inputMaximumBytes: number = 4 * mebi;

export type Access =
  | { readonly by: 'socket' }
  | {
      readonly by: 'http';
      readonly token: string;
      /** `host:port` as clients may name this server. */
      readonly hosts: ReadonlySet<string>;
    };

export function createLocalApi(
  running: RunningComputer,
  options: { readonly access: Access; readonly stopping: AbortSignal },
): Hono {
  const { access, stopping } = options;
  const api = new Hono();
  api.use(async (context, next) => {
    context.header('cache-control', 'no-store');
    context.header('x-content-type-options', 'nosniff');
    const refusal = access.by === 'http' ? refusalOf(context, access) : undefined;
    if (refusal !== undefined) return context.json({ failure: refusal.failure }, refusal.status);
    await next();
    return undefined;
  });
  api.post(`${operationsPath}:name`, bodyLimit({ maxSize: inputMaximumBytes }), (context) =>
    answer(context, { running, access, stopping }),
  );
  return api;
}

interface Refusal {
  readonly status: 401 | 403;
  readonly failure: OperationFailure;
}

function refusalOf(
  context: Context,
  access: Access & { readonly by: 'http' },
): Refusal | undefined {
  const host = (context.req.header('host') ?? '').toLowerCase();
  if (!access.hosts.has(host)) return forbidden(403, 'not the name of this server');
  const origin = context.req.header('origin');
  if (origin !== undefined && origin.toLowerCase() !== `http://${host}`)
    return forbidden(403, 'a page of another origin');
  const site = context.req.header('sec-fetch-site');
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    return forbidden(403, 'a page of another site');
  const given = context.req.header('authorization') ?? '';
  if (!sameText(given, `Bearer ${access.token}`)) return forbidden(401, 'the token is wrong');
  return undefined;
}

function forbidden(status: 401 | 403, detail: string): Refusal {
  return { status, failure: failure('operation.forbidden', detail) };
}

/** In a time that does not tell where the texts differ. */
function sameText(left: string, right: string): boolean {
  return timingSafeEqual(sha256(utf8Bytes(left)), sha256(utf8Bytes(right)));
}

interface Serving {
  readonly running: RunningComputer;
  readonly access: Access;
  readonly stopping: AbortSignal;
}

async function answer(context: Context, serving: Serving): Promise<Response> {
  const name = context.req.param('name') ?? '';
  const chosen = operationNamed(name);
  if (chosen === undefined)
    return context.json({ failure: failure('operation.unknown', name) }, 404);
  if (chosen.secret && serving.access.by === 'http')
    return context.json({ failure: failure('operation.forbidden', name) }, 403);
  // Only a page's script can set this type, and only after a preflight that is never answered.
  if (!/^application\/json\b/i.test(context.req.header('content-type') ?? '')) {
    const detail = 'the Content-Type must be application/json';
    return context.json({ failure: failure('operation.bad-input', detail) }, 415);
  }
  let input: unknown;
  try {
    input = await context.req.json();
  } catch {
    return context.json({ failure: failure('operation.bad-input', 'the body is not JSON') }, 400);
  }
  context.header('content-type', 'application/x-ndjson');
  return stream(context, async (lines) => {
    const hungUp = new AbortController();
    lines.onAbort(() => hungUp.abort());
    const signal = AbortSignal.any([hungUp.signal, serving.stopping]);
    const write = async (line: unknown): Promise<void> => {
      if (!hungUp.signal.aborted) await lines.write(`${JSON.stringify(line)}\n`);
    };
    const outcome = await runOperation(
      serving.running,
      { name, input },
      {
        signal,
        progress: (progress) => void write({ progress }),
        send: (data) => write({ data }),
      },
    );
    await write(outcome.ok ? { result: outcome.value } : { failure: outcome.error });
  });
}
