/**
 * Runs one operation by name on an open home: checks the input, keeps progress from flooding, and turns whatever goes wrong into a failure with a code.
 *
 * Both the local API and a command without a daemon come through here.
 */
import { failed, type Outcome } from '../base/outcome.ts';
import { ListingFailed } from '../engine/restore/browse.ts';
import type { Operation } from './operation.ts';
import { failure, type OperationFailure } from './operation-failure.ts';
import { operations } from './operations/registry.ts';
import type { RunningComputer } from './running-computer.ts';
import { storageFailure } from './storage-failure.ts';

export interface CallListener {
  readonly signal: AbortSignal;
  progress(value: unknown): void;
  send(value: unknown): Promise<void>;
}

export type AnyOperation = Operation<unknown, unknown, unknown, unknown>;

/** Progress more often than this tells nobody more. */
const progressEveryMs = 100;

export function operationNamed(name: string): AnyOperation | undefined {
  return Object.hasOwn(operations, name)
    ? (operations[name as keyof typeof operations] as unknown as AnyOperation)
    : undefined;
}

export async function runOperation(
  running: RunningComputer,
  request: { readonly name: string; readonly input: unknown },
  listener: CallListener,
): Promise<Outcome<unknown, OperationFailure>> {
  const chosen = operationNamed(request.name);
  if (chosen === undefined) return failed(failure('operation.unknown', request.name));
  const input = chosen.input.safeParse(request.input);
  if (!input.success) return failed(failure('operation.bad-input', inputProblems(input.error)));
  try {
    const barred = chosen.inItsName === true ? barredName(running) : undefined;
    if (barred !== undefined) return failed(barred);
    if (chosen.reach === 'network') {
      const started = await running.start();
      if (!started.ok) return started;
    }
    const context = { computer: running.computer, running };
    const { signal } = listener;
    const call = { signal, progress: paced(listener), send: listener.send };
    return await chosen.run(context, input.data, call);
  } catch (problem) {
    const found = failureOf(problem, listener.signal);
    if (found.code === 'operation.internal')
      running.log.write('error', 'operation.internal', {
        operation: request.name,
        stack: problem instanceof Error ? (problem.stack ?? problem.message) : String(problem),
      });
    return failed(found);
  }
}

/** Why nothing may be done in the name of this identity here. */
function barredName({ computer }: RunningComputer): OperationFailure | undefined {
  if (computer.supersededBy() !== undefined)
    return failure('identity.superseded', 'it lives on on another computer');
  if (computer.isRecovering()) return failure('recovery.unfinished', 'it has to end first');
  return undefined;
}

function paced(listener: CallListener): (value: unknown) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (value) => {
    const now = performance.now();
    if (now - last < progressEveryMs || listener.signal.aborted) return;
    last = now;
    listener.progress(value);
  };
}

function inputProblems(error: {
  readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];
}): string {
  return error.issues
    .map(({ path, message }) => `${path.map(String).join('.') || 'input'}: ${message}`)
    .join('; ');
}

/** A failed assertion or any other surprise is a mistake of ours; the process goes on only to say so. */
export function failureOf(problem: unknown, signal: AbortSignal): OperationFailure {
  if (problem instanceof ListingFailed) return problem.failure;
  const ofStorage = storageFailure(problem);
  if (ofStorage !== undefined) return ofStorage;
  if (signal.aborted) return failure('operation.cancelled');
  const detail = problem instanceof Error ? `${problem.name}: ${problem.message}` : String(problem);
  return failure('operation.internal', detail);
}
