/** Backup: capture what is asked for, then wait until partners hold it as well as was wanted. */
import { lstatSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { z } from 'zod';
import { readConfig } from '../../adapters/disk/config-file.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { takesShards } from '../../core/partners/lifecycle-phase.ts';
import { snapshotLimits } from '../../core/scan/snapshot.ts';
import type { ScanRequest } from '../../core/scan/tree-walk.ts';
import type { BackupProgress, ProtectionProgress } from '../../engine/computer.ts';
import type { SnapshotPhase } from '../../ports/stores.ts';
import { type BackupAnswer, backupAnswer } from '../answers.ts';
import { configFailure } from '../configuration-failure.ts';
import {
  type Operation,
  type OperationCall,
  type OperationContext,
  operation,
} from '../operation.ts';
import { failure, type OperationFailure } from '../operation-failure.ts';
import { pathSchema } from '../path-schema.ts';
import { type PathText, pathBytesOf } from '../path-text.ts';
import { countScanned, type ScanCounts } from '../scan-count.ts';

export interface BackupInput {
  /** Absolute; empty: the configured sources. */
  readonly roots: readonly PathText[];
  readonly tags: readonly string[];
  /** Added to the configured patterns. */
  readonly excludePatterns: readonly string[];
  /** Undefined: as configured. */
  readonly oneFileSystem?: boolean | undefined;
  /** Counts what would be read, and reads nothing. */
  readonly dryRun: boolean;
  readonly wait: SnapshotPhase;
}

export type BackupStage =
  | { readonly stage: 'capturing'; readonly counts: BackupProgress }
  | { readonly stage: 'protecting'; readonly counts: ProtectionProgress };

export type BackupResult =
  | { readonly dryRun: true; readonly counts: ScanCounts }
  | {
      readonly dryRun: false;
      readonly report: BackupAnswer;
      readonly wanted: SnapshotPhase;
      readonly phase: SnapshotPhase;
      readonly protection: ProtectionProgress;
      readonly partners: number;
      readonly reachable: number;
    };

type BackupCall = OperationCall<BackupStage, never>;

const { roots, tags, tagLength, excludes, excludeLength } = snapshotLimits;

export const phases = ['captured', 'protected', 'complete'] as const;

export const backup: Operation<BackupInput, BackupStage, never, BackupResult> = operation({
  input: z.strictObject({
    roots: z.array(pathSchema).max(roots),
    tags: z.array(z.string().min(1).max(tagLength)).max(tags),
    excludePatterns: z.array(z.string().min(1).max(excludeLength)).max(excludes),
    oneFileSystem: z.boolean().optional(),
    dryRun: z.boolean(),
    wait: z.enum(phases),
  }),
  reach: 'network',
  secret: false,
  run: async (context, input, call) => {
    const scan = scanOf(context, input);
    if (!scan.ok) return scan;
    if (input.dryRun) {
      const counts = await countScanned(context.running.pipeline, scan.value, call.signal);
      return succeeded({ dryRun: true, counts });
    }
    return capture(context, { ...input, scan: scan.value }, call);
  },
});

function scanOf(
  { running }: OperationContext,
  input: BackupInput,
): Outcome<ScanRequest, OperationFailure> {
  // As it is now: who has just set what is to be backed up need not start the daemon again.
  const config = readConfig(running.paths.configFile);
  if (!config.ok) return failed(configFailure(config.error));
  const { backup: configured } = config.value;
  const asked: readonly PathText[] = input.roots.length > 0 ? input.roots : configured.sources;
  if (asked.length === 0) return failed(failure('backup.no-sources'));
  const paths = asked.map(pathBytesOf);
  // A mistyped path must not end as an empty snapshot that looks like a backup.
  if (!paths.some(stands)) return failed(failure('backup.nothing', missingText(asked)));
  const excludePatterns = [...configured.excludePatterns, ...input.excludePatterns];
  if (excludePatterns.length > excludes)
    return failed(failure('operation.bad-input', `more than ${excludes} exclude patterns`));
  return succeeded({
    roots: paths,
    excludePatterns,
    excludeFileNames: configured.excludeFileNames,
    oneFileSystem: input.oneFileSystem ?? configured.oneFileSystem,
    maximumFileBytes: configured.maximumFileBytes ?? undefined,
    skipCacheFolders: true,
  });
}

/** What cannot be looked at is the scan's to report. */
function stands(path: Uint8Array): boolean {
  try {
    return lstatSync(Buffer.from(path), { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true;
  }
}

function missingText(paths: readonly PathText[]): string {
  const [first] = paths;
  const name = typeof first === 'string' ? first : 'the path';
  return `${name}${paths.length > 1 ? ` and ${paths.length - 1} more` : ''}: not there`;
}

async function capture(
  context: OperationContext,
  input: BackupInput & { readonly scan: ScanRequest },
  call: BackupCall,
): Promise<Outcome<BackupResult, OperationFailure>> {
  const { computer } = context;
  const done = await computer.backup(
    { scan: input.scan, hostName: hostname(), userName: userName(), tags: input.tags },
    { signal: call.signal, progress: (counts) => call.progress({ stage: 'capturing', counts }) },
  );
  if (!done.ok) return done;
  const phase =
    input.wait === 'captured'
      ? 'captured'
      : await computer.protect(done.value.snapshot, input.wait, {
          signal: call.signal,
          progress: (counts) => call.progress({ stage: 'protecting', counts }),
        });
  const after = computer.status();
  const standing = after.partners.filter(
    ({ agreement }) => takesShards(agreement.phase) && !agreement.paused,
  );
  return succeeded({
    dryRun: false,
    report: backupAnswer(done.value),
    wanted: input.wait,
    phase,
    protection: after.protection,
    partners: standing.length,
    reachable: standing.filter(({ reachable }) => reachable !== false).length,
  });
}

/** Some users of containers have no name. */
function userName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}
