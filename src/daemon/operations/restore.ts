/** Restore: a snapshot, or what lies at and below one of its paths, into a folder. */
import { z } from 'zod';
import { failed, succeeded } from '../../base/outcome.ts';
import { snapshotLimits } from '../../core/scan/snapshot.ts';
import type { RestoreProgress, RestoreRequest } from '../../engine/computer.ts';
import { type RestoreAnswer, restoreAnswer } from '../answers.ts';
import { createLateTarget, TargetUnusable } from '../late-target.ts';
import { type Operation, operation } from '../operation.ts';
import { failure } from '../operation-failure.ts';
import { pathSchema } from '../path-schema.ts';
import { type PathText, pathBytesOf } from '../path-text.ts';
import { chooseSnapshot } from '../snapshot-choice.ts';
import { snapshotText } from './snapshots.ts';

export const overwriteModes = ['always', 'if-changed', 'if-newer', 'never'] as const;

export interface RestoreInput {
  readonly snapshot: string;
  readonly path?: PathText | undefined;
  /** Absolute; made when it is not there. */
  readonly target: PathText;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly overwrite: RestoreRequest['overwrite'];
  readonly deleteExtra: boolean;
  readonly dryRun: boolean;
  readonly verify: boolean;
}

export type RestoreResult = RestoreAnswer & { readonly snapshot: string };

const pattern = z.string().min(1).max(snapshotLimits.excludeLength);
const patterns = z.array(pattern).max(snapshotLimits.excludes);

export const restore: Operation<RestoreInput, RestoreProgress, never, RestoreResult> = operation({
  input: z.strictObject({
    snapshot: snapshotText,
    path: pathSchema.optional(),
    target: pathSchema,
    include: patterns,
    exclude: patterns,
    overwrite: z.enum(overwriteModes),
    deleteExtra: z.boolean(),
    dryRun: z.boolean(),
    verify: z.boolean(),
  }),
  reach: 'network',
  secret: false,
  run: async ({ computer, running }, input, call) => {
    const chosen = chooseSnapshot(computer.snapshots(), input.snapshot);
    if (!chosen.ok) return chosen;
    const { path, target: folder, ...choices } = input;
    const request = {
      ...choices,
      snapshot: chosen.value.snapshot,
      path: path === undefined ? undefined : pathBytesOf(path),
    };
    const { dryRun } = input;
    const target = createLateTarget(() => running.openTarget(pathBytesOf(folder), { dryRun }));
    try {
      const done = await computer.restore(request, target, {
        signal: call.signal,
        progress: (progress) => call.progress(progress),
      });
      if (!done.ok) return done;
      return succeeded({ snapshot: chosen.value.snapshot, ...restoreAnswer(done.value) });
    } catch (problem) {
      if (!(problem instanceof TargetUnusable)) throw problem;
      const code = problem.isFull ? 'restore.no-space' : 'restore.bad-target';
      return failed(failure(code, problem.message));
    } finally {
      await target.close();
    }
  },
});
