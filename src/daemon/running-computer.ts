/** A home that is open: the computer in it, and what operations need beside it. */
import type { Config } from '../adapters/disk/config-file.ts';
import type { HomePaths } from '../adapters/disk/home.ts';
import type { Bytes } from '../base/bytes.ts';
import type { Outcome } from '../base/outcome.ts';
import type { RecoveryKit } from '../core/recovery/kit.ts';
import type { AgreementId } from '../core/vocabulary/ids.ts';
import type { Computer } from '../engine/computer.ts';
import type { PartnershipSettings } from '../engine/partners/partnership-settings.ts';
import type { ChunkPipeline } from '../ports/chunk-pipeline.ts';
import type { EventLog } from '../ports/event-log.ts';
import type { RecordRow } from '../ports/peer-stores.ts';
import type { RestoreTarget } from '../ports/restore-target.ts';
import type { NetworkState } from './network.ts';
import type { OperationFailure } from './operation-failure.ts';

export interface RunningComputer {
  /** Absolute path of the home. */
  readonly home: string;
  readonly paths: HomePaths;
  readonly computer: Computer;
  readonly version: string;
  /** True inside `covault up`: peers are served between operations too. */
  readonly daemon: boolean;
  /** As they were when the home was opened. */
  readonly config: Config;
  /** What follows from it for partnerships. */
  readonly partnership: PartnershipSettings;
  /** The DHT and the router's ports, as they are now. */
  network(): NetworkState;
  /** The track record of an agreement, rising. */
  receiptsOf(agreement: AgreementId): readonly RecordRow[];
  /** The pipeline's workers are started by its first use. */
  readonly pipeline: ChunkPipeline;
  readonly log: EventLog;
  /** Holds the words: for the person alone. */
  kit(): RecoveryKit;
  /** `dryRun`: for looking only; nothing is made where nothing stands. */
  openTarget(folder: Bytes, options: { readonly dryRun: boolean }): Promise<RestoreTarget>;
  /** Listens and serves peers; the second call does nothing. */
  start(): Promise<Outcome<void, OperationFailure>>;
  close(): Promise<void>;
}
