/** A thread of the stripe coder. */
import { workerData } from 'node:worker_threads';
import { assert } from '../../base/assert.ts';
import { StripeSealing } from '../../core/sealing/stripe-sealing.ts';
import type { Code } from '../../core/vocabulary/code.ts';
import type { PackId } from '../../core/vocabulary/ids.ts';
import { parseSuite } from '../../core/vocabulary/suite.ts';
import type { ShardToSeal } from '../../ports/stripe-coder.ts';
import { loadKernels } from '../kernels/kernel-files.ts';
import { type JobReply, serveJobs } from './job-loop.ts';
import type { CoderSettings } from './worker-coder.ts';

/** What the coder asks of a thread. */
export interface CoderRequest {
  readonly pack: { readonly pack: PackId; readonly suite: number; readonly bytes: Uint8Array };
  readonly code: Code;
  readonly wanted: readonly ShardToSeal[];
}

const settings = workerData as CoderSettings;
const sealing: StripeSealing = new StripeSealing({ ...settings, kernels: loadKernels() });

serveJobs(({ pack, code, wanted }: CoderRequest): JobReply => {
  const suite = parseSuite(pack.suite);
  assert(suite !== undefined, 'a pack of a known suite');
  const reply = sealing.seal({ ...pack, suite }, code, wanted);
  return { reply, transfer: reply.map(({ bytes }) => bytes.buffer) };
});
