/** Calls an operation of the daemon that runs on a home, through the home's socket. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { failed, type Outcome, succeeded } from '../base/outcome.ts';
import { mebi } from '../base/units.ts';
import { socketPathOf } from './api-socket.ts';
import { failure, type OperationFailure } from './operation-failure.ts';

const lineMaximumCharacters: number = 64 * mebi;
const operationsPath = '/v1/operations/';

export interface DaemonCall {
  readonly home: string;
  readonly name: string;
  readonly input: unknown;
  readonly signal: AbortSignal;
  progress(value: unknown): void;
  send(value: unknown): Promise<void>;
}

export type DaemonAnswer =
  | { readonly daemon: 'none' }
  | { readonly daemon: 'answered'; readonly outcome: Outcome<unknown, OperationFailure> };

/** `none` when nobody listens on the socket: the caller may open the home itself. */
export async function callDaemon(call: DaemonCall): Promise<DaemonAnswer> {
  let socket: ReturnType<typeof socketPathOf>;
  try {
    socket = socketPathOf(call.home);
  } catch {
    return { daemon: 'none' };
  }
  try {
    const response = await sent(call, socket.path);
    return { daemon: 'answered', outcome: await readAnswer(call, response) };
  } catch (problem) {
    if (call.signal.aborted) return answered(failure('operation.cancelled'));
    const { code, message } = problem as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTSOCK')
      return { daemon: 'none' };
    if (code === 'ECONNRESET' || problem instanceof BrokenOff)
      return answered(failure('daemon.broke-off', message));
    return answered(failure('daemon.unreachable', message));
  } finally {
    socket.release();
  }
}

function answered(error: OperationFailure): DaemonAnswer {
  return { daemon: 'answered', outcome: failed(error) };
}

class BrokenOff extends Error {
  override readonly name = 'BrokenOff';
}

function sent(call: DaemonCall, socketPath: string): Promise<IncomingMessage> {
  const body = JSON.stringify(call.input);
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      socketPath,
      method: 'POST',
      path: operationsPath + encodeURIComponent(call.name),
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        host: 'localhost',
      },
      signal: call.signal,
      agent: false,
    });
    request.on('response', resolve);
    request.on('error', reject);
    request.end(body);
  });
}

async function readAnswer(
  call: DaemonCall,
  response: IncomingMessage,
): Promise<Outcome<unknown, OperationFailure>> {
  let answer: Outcome<unknown, OperationFailure> | undefined;
  let rest = '';
  response.setEncoding('utf8');
  for await (const piece of response) {
    const lines = (rest + piece).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > lineMaximumCharacters) throw new BrokenOff('an endless line');
    for (const line of lines) answer = (await readLine(call, line)) ?? answer;
  }
  // A refusal before the operation began is one value without a line end.
  if (rest !== '') answer = (await readLine(call, rest)) ?? answer;
  if (answer === undefined) throw new BrokenOff('no answer at the end');
  return answer;
}

async function readLine(
  call: DaemonCall,
  text: string,
): Promise<Outcome<unknown, OperationFailure> | undefined> {
  let line: Readonly<Record<string, unknown>>;
  try {
    line = JSON.parse(text);
  } catch {
    throw new BrokenOff('an answer that is not JSON');
  }
  if ('progress' in line) call.progress(line['progress']);
  else if ('data' in line) await call.send(line['data']);
  else if ('result' in line) return succeeded(line['result']);
  else if ('failure' in line) return failed(line['failure'] as OperationFailure);
  return undefined;
}
