/** The stripe coder on worker threads: erasure code, then the second encryption (C5, C12, C13). */
import { availableParallelism } from 'node:os';
import type { Bytes } from '../../base/bytes.ts';
import type { Code } from '../../core/vocabulary/code.ts';
import type { PackId, PeerId } from '../../core/vocabulary/ids.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { SealedShard, ShardToSeal, StripeCoder } from '../../ports/stripe-coder.ts';
import type { CoderRequest } from './coder-worker.ts';
import { workerEntry } from './worker-entry.ts';
import { WorkerPool } from './worker-pool.ts';

export interface CoderSettings {
  readonly sealKey: Bytes;
  readonly owner: PeerId;
}

export interface WorkerCoderOptions extends CoderSettings {
  /** Default: as many as the computer has processors. */
  readonly workers?: number;
  readonly log: EventLog;
}

export function createWorkerCoder(options: WorkerCoderOptions): StripeCoder {
  const { sealKey, owner, log } = options;
  const pool = new WorkerPool({
    entry: workerEntry('coder-worker'),
    settings: { sealKey, owner } satisfies CoderSettings,
    count: options.workers ?? availableParallelism(),
    log,
  });
  return {
    code: (
      pack: { readonly pack: PackId; readonly suite: number; readonly bytes: Bytes },
      code: Code,
      wanted: readonly ShardToSeal[],
    ): Promise<readonly SealedShard[]> => {
      // The caller keeps its bytes; a view of a larger buffer would drag all of that along.
      const bytes =
        pack.bytes.length === pack.bytes.buffer.byteLength ? pack.bytes : pack.bytes.slice();
      const request: CoderRequest = {
        pack: { pack: pack.pack, suite: pack.suite, bytes },
        code,
        wanted: wanted.map(({ index, partner }) => ({ index, partner })),
      };
      return pool.run(pool.lightest(), request);
    },
    close: () => pool.close(),
  };
}
