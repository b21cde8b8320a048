/** Undeleting: what was deleted at partners and is still needed comes back from their trash. */
import { z } from 'zod';
import { succeeded } from '../../base/outcome.ts';
import type { UndeleteReport } from '../../engine/recovery/undelete-run.ts';
import { type Operation, operation } from '../operation.ts';
import { namesOf } from './audits.ts';

export type UndeleteInput = Readonly<Record<never, never>>;

export interface UndeleteProgress {
  readonly deleted: number;
  readonly done: number;
}

export type UndeleteResult = Omit<UndeleteReport, 'silent'> & {
  /** Partners that did not tell what was deleted there. */
  readonly silent: readonly { readonly id: string; readonly name: string }[];
};

export const undelete: Operation<UndeleteInput, UndeleteProgress, never, UndeleteResult> =
  operation({
    input: z.strictObject({}),
    reach: 'network',
    secret: false,
    inItsName: true,
    run: async ({ computer }, _input, { signal, progress }) => {
      const report = await computer.undelete({ signal, progress });
      signal.throwIfAborted();
      const nameOf = namesOf(computer);
      const silent = report.silent.map((id) => ({ id, name: nameOf(id) }));
      return succeeded({ ...report, silent });
    },
  });
