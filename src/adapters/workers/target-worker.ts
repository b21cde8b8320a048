/** A thread of the restore target. */
import { workerData } from 'node:worker_threads';
import { PosixTarget } from '../posix/posix-target.ts';
import type { TargetRequest, TargetSettings } from '../posix/target-messages.ts';
import { serveJobs } from './job-loop.ts';

const target: PosixTarget = new PosixTarget(workerData as TargetSettings);

serveJobs((request: TargetRequest) => ({ reply: target.answer(request), transfer: [] }));
