/** What a home's disk refused, or a damaged catalogue, as the failure that a person is told. */
import { StorageBroken, StorageDamaged, StorageFull } from '../ports/stores.ts';
import { failure, type OperationFailure } from './operation-failure.ts';

/** Undefined for a problem that is none of the storage's. */
export function storageFailure(problem: unknown): OperationFailure | undefined {
  if (problem instanceof StorageFull) return failure('home.no-space', problem.message);
  if (problem instanceof StorageDamaged) return failure('catalogue.damaged', problem.message);
  if (problem instanceof StorageBroken) return failure('catalogue.input-output', problem.message);
  return undefined;
}
