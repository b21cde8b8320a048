/** A failure of the configuration, in the form that every operation's failure has. */
import type { ConfigFailure } from '../adapters/disk/config-file.ts';
import { failure, type OperationFailure } from './operation-failure.ts';

export function configFailure(problem: ConfigFailure): OperationFailure {
  switch (problem.code) {
    case 'config.unknown-key':
      return failure(problem.code, `${problem.name}; did you mean ${problem.nearest}?`);
    case 'config.bad-value':
      return failure(problem.code, `${problem.name}: ${problem.detail}`);
    default:
      return failure(problem.code, problem.detail);
  }
}
