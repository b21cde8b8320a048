/** What a restore target and its threads say to each other. Paths and names have one character for every byte. */
import type { Bytes } from '../../base/bytes.ts';
import type { EntryKind } from '../../core/scan/tree-entry.ts';
import type { SealedFrame, Standing, TargetProblem } from '../../ports/restore-target.ts';
import type { PackedChunks } from './fill-request.ts';

export interface TargetSettings {
  /** A real path. */
  readonly folder: string;
  /** Ends the names of unfinished files of this restore, so that it meets no others. */
  readonly session: string;
  readonly keys: {
    readonly chunkIdKey: Bytes;
    readonly gearKey: Bytes;
    readonly packKey: Bytes;
  };
}

export interface TextProblem {
  readonly path: string;
  readonly problem: TargetProblem['problem'];
  readonly detail: string;
}

export interface FileToFill {
  readonly path: string;
  readonly size: number;
  readonly sparse: boolean;
  /** With what the file is finished once everything that the request has for it is written. */
  readonly finish: EntryToFinish | undefined;
}

export interface FillRequest {
  readonly frames: readonly SealedFrame[];
  readonly chunks: PackedChunks;
  readonly files: readonly FileToFill[];
}

export interface FillReply {
  readonly problems: readonly TextProblem[];
  /** Bytes written to each file of the request; undefined where no unfinished file is left. */
  readonly written: readonly (number | undefined)[];
}

export interface EntryToFinish {
  readonly path: string;
  readonly kind: EntryKind;
  readonly mode: number;
  readonly modifiedNs: bigint;
  readonly size: number;
  readonly uid: number;
  readonly gid: number;
  readonly userName: string | undefined;
  readonly groupName: string | undefined;
  readonly target: Bytes | undefined;
  readonly linkTo: string | undefined;
  /** Bytes that went into the unfinished file; undefined when there is none. */
  readonly written: number | undefined;
}

export interface FileToCompare {
  readonly path: string;
  readonly chunkIds: Bytes;
  readonly size: number;
}

export type TargetRequest = {
  /** Rises when something was removed: what was seen before may be gone. */
  readonly removals: number;
} & (
  | { readonly type: 'inspect'; readonly paths: readonly string[] }
  | { readonly type: 'compare'; readonly files: readonly FileToCompare[] }
  | { readonly type: 'make-folders'; readonly paths: readonly string[] }
  | { readonly type: 'fill'; readonly fill: FillRequest }
  | { readonly type: 'finish'; readonly entries: readonly EntryToFinish[] }
  | { readonly type: 'names'; readonly folder: string }
  | { readonly type: 'remove'; readonly path: string }
  | { readonly type: 'discard'; readonly paths: readonly string[] }
);

export type InspectReply = readonly (Standing | undefined)[];
