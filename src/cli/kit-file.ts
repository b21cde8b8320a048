/** The recovery kit on disk: readable by its user alone, and never written over something else. */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { failed, type Outcome, succeeded } from '../base/outcome.ts';
import { failure, type OperationFailure } from '../daemon/operation-failure.ts';

/** The absolute path that was written. */
export function writeKitFile(file: string, kit: string): Outcome<string, OperationFailure> {
  const path = resolve(file);
  try {
    const descriptor = openSync(path, 'wx', 0o600);
    try {
      writeSync(descriptor, kit);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    return succeeded(path);
  } catch (problem) {
    return failed(failure('kit.not-written', (problem as Error).message));
  }
}
