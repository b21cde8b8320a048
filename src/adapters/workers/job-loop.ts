/** The inside of a worker thread: takes jobs, does them in order, sends replies. */
import { parentPort, type Transferable } from 'node:worker_threads';
import { present } from '../../base/assert.ts';
import type { JobMessage, ReplyMessage } from './worker-pool.ts';

export interface JobReply {
  readonly reply: unknown;
  /** Buffers that go along without being copied. */
  readonly transfer: readonly Transferable[];
}

/** What `work` throws ends the thread, and with it the pool. */
export function serveJobs<Request>(work: (request: Request) => JobReply): void {
  const port = present(parentPort, 'this file runs in a worker thread');
  port.on('message', ({ job, request }: JobMessage) => {
    const { reply, transfer } = work(request as Request);
    port.postMessage({ job, reply } satisfies ReplyMessage, transfer);
  });
}
