/**
 * An operation: one thing a person can ask of a computer, callable in this process or through the daemon's local API.
 *
 * Input and result are plain JSON, so that both ways are the same code. Progress may be dropped when there is too much of it; data may not.
 */
import type { z } from 'zod';
import type { Outcome } from '../base/outcome.ts';
import type { Computer } from '../engine/computer.ts';
import type { OperationFailure } from './operation-failure.ts';
import type { RunningComputer } from './running-computer.ts';

/** `local`: answers from this computer alone. `network`: peers are served while it runs. */
export type OperationReach = 'local' | 'network';

export interface OperationCall<Progress, Data> {
  readonly signal: AbortSignal;
  /** The latest counts; callers see some of them. */
  progress(progress: Progress): void;
  /** A piece of the answer that is too long for one value; resolves when the caller can take more. */
  send(data: Data): Promise<void>;
}

export interface OperationContext {
  readonly computer: Computer;
  readonly running: RunningComputer;
}

export interface Operation<Input, Progress, Data, Result> {
  readonly input: z.ZodType<Input>;
  readonly reach: OperationReach;
  /** Its answer holds the root seed: it goes over the home's own socket only, never over HTTP. */
  readonly secret: boolean;
  /** Signs, asks or changes something in the name of the identity: refused once that lives on on another computer, and while its recovery has not ended. */
  readonly inItsName?: true;
  run(
    context: OperationContext,
    input: Input,
    call: OperationCall<Progress, Data>,
  ): Promise<Outcome<Result, OperationFailure>>;
}

export function operation<Input, Progress, Data, Result>(
  definition: Operation<Input, Progress, Data, Result>,
): Operation<Input, Progress, Data, Result> {
  return definition;
}
