/** Snapshots and what is in them: the list, the entries below a path, the contents of one file. */
import { z } from 'zod';
import type { Bytes } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import type { SnapshotRow } from '../../ports/stores.ts';
import {
  type EntryAnswer,
  entryAnswer,
  type SnapshotAnswer,
  type SnapshotDetails,
  snapshotAnswer,
  snapshotDetails,
} from '../answers.ts';
import { type Operation, type OperationContext, operation } from '../operation.ts';
import { failure, type OperationFailure } from '../operation-failure.ts';
import { pathSchema } from '../path-schema.ts';
import { type PathText, pathBytesOf } from '../path-text.ts';
import { chooseSnapshot } from '../snapshot-choice.ts';

/** Entries that travel together. */
const entriesTogether = 200;
const snapshotMaximumLength = 64;

export const snapshotText: z.ZodString = z.string().min(1).max(snapshotMaximumLength);

export const snapshots: Operation<
  Record<string, never>,
  never,
  never,
  readonly SnapshotAnswer[]
> = operation({
  input: z.strictObject({}),
  reach: 'local',
  secret: false,
  run: async ({ computer }) => succeeded(computer.snapshots().map(snapshotAnswer)),
});

export interface DetailsInput {
  readonly snapshot: string;
}

export const snapshotShow: Operation<DetailsInput, never, never, SnapshotDetails> = operation({
  input: z.strictObject({ snapshot: snapshotText }),
  reach: 'local',
  secret: false,
  run: async ({ computer }, input) => {
    const chosen = chooseSnapshot(computer.snapshots(), input.snapshot);
    if (!chosen.ok) return chosen;
    const details = snapshotDetails(chosen.value);
    return details === undefined
      ? failed(failure('restore.integrity', 'the snapshot in the catalogue cannot be read'))
      : succeeded(details);
  },
});

export interface ListInput {
  readonly snapshot: string;
  /** Absolute in the snapshot; undefined: its top. */
  readonly path?: PathText | undefined;
  readonly recursive: boolean;
}

export interface ListResult {
  readonly snapshot: string;
  readonly entries: number;
}

export const list: Operation<ListInput, never, readonly EntryAnswer[], ListResult> = operation({
  input: z.strictObject({
    snapshot: snapshotText,
    path: pathSchema.optional(),
    recursive: z.boolean(),
  }),
  reach: 'local',
  secret: false,
  run: async ({ computer }, input, call) => {
    const chosen = chooseSnapshot(computer.snapshots(), input.snapshot);
    if (!chosen.ok) return chosen;
    const path = input.path === undefined ? undefined : pathBytesOf(input.path);
    let together: EntryAnswer[] = [];
    let entries = 0;
    for await (const listed of computer.list(chosen.value.snapshot, path, input.recursive)) {
      together.push(entryAnswer(listed));
      entries += 1;
      call.signal.throwIfAborted();
      if (together.length < entriesTogether) continue;
      await call.send(together);
      together = [];
    }
    if (together.length > 0) await call.send(together);
    return succeeded({ snapshot: chosen.value.snapshot, entries });
  },
});

export interface CatInput {
  readonly snapshot: string;
  readonly path: PathText;
}

/** A piece of the file, in base64. */
export interface CatData {
  readonly base64: string;
}

export const cat: Operation<CatInput, never, CatData, { readonly bytes: number }> = operation({
  input: z.strictObject({ snapshot: snapshotText, path: pathSchema }),
  reach: 'local',
  secret: false,
  run: async (context, input, call) => {
    const opened = await openFile(context, input);
    if (!opened.ok) return opened;
    let bytes = 0;
    for await (const piece of opened.value) {
      call.signal.throwIfAborted();
      bytes += piece.length;
      const { buffer, byteOffset, length } = piece;
      await call.send({ base64: Buffer.from(buffer, byteOffset, length).toString('base64') });
    }
    return succeeded({ bytes });
  },
});

async function openFile(
  { computer }: OperationContext,
  input: CatInput,
): Promise<Outcome<AsyncIterable<Bytes>, OperationFailure>> {
  const chosen: Outcome<SnapshotRow, OperationFailure> = chooseSnapshot(
    computer.snapshots(),
    input.snapshot,
  );
  if (!chosen.ok) return chosen;
  return computer.read(chosen.value.snapshot, pathBytesOf(input.path));
}
