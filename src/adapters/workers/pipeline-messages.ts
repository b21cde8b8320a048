/** What the pipeline and its threads say to each other. */
import type { Bytes } from '../../base/bytes.ts';
import type { PackKind } from '../../core/packing/pack-header.ts';
import type { ScanRequest } from '../../core/scan/tree-walk.ts';
import type { Suite } from '../../core/vocabulary/suite.ts';
import type { ChunkToSeal, CutBatch } from '../../ports/chunk-pipeline.ts';
import type { PackedFiles } from './cut-request.ts';
import type { PackedBatch } from './scan-reply.ts';

export interface PipelineKeys {
  readonly chunkIdKey: Bytes;
  readonly gearKey: Bytes;
  readonly packKey: Bytes;
}

export interface PipelineSettings {
  readonly keys: PipelineKeys;
  readonly suite: Suite;
  readonly compressionLevel: number;
}

export type PipelineRequest =
  | { readonly type: 'begin-scan'; readonly scan: number; readonly request: ScanRequest }
  | { readonly type: 'continue-scan'; readonly scan: number }
  | { readonly type: 'end-scan'; readonly scan: number }
  | { readonly type: 'cut'; readonly ticket: number; readonly files: PackedFiles }
  | { readonly type: 'seal'; readonly ticket: number; readonly wanted: Uint8Array }
  | {
      readonly type: 'seal-chunks';
      readonly kind: PackKind;
      readonly chunks: readonly ChunkToSeal[];
    }
  | { readonly type: 'flush' };

/** Undefined: the scan is over. */
export type ScanReply = PackedBatch | undefined;
export type CutReply = Omit<CutBatch, 'ticket'>;
