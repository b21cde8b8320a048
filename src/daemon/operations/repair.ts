/** Repair: everything is looked through at once, and what is short is made anew as far as partners can take it now. */
import { z } from 'zod';
import { succeeded } from '../../base/outcome.ts';
import type { RepairProgress, RepairReport } from '../../engine/upkeep/repair-run.ts';
import { type HindranceAnswer, hindranceAnswer } from '../answers.ts';
import { type Operation, operation } from '../operation.ts';

export type RepairInput = Readonly<Record<never, never>>;

export interface RepairResult extends RepairReport {
  /** Partners that may be named in `hindrances`. */
  readonly partners: readonly { readonly id: string; readonly name: string }[];
  /** What stands in the way of what is left. */
  readonly hindrances: readonly HindranceAnswer[];
}

export const repair: Operation<RepairInput, RepairProgress, never, RepairResult> = operation({
  input: z.strictObject({}),
  reach: 'network',
  secret: false,
  inItsName: true,
  run: async ({ computer }, _input, call) => {
    const report = await computer.repair({
      signal: call.signal,
      progress: (progress) => call.progress(progress),
    });
    const hindrances = computer
      .status()
      .hindrances.filter(({ code }) => code === 'partner.failing' || code === 'partner.lacks')
      .map(hindranceAnswer);
    const partners = computer
      .agreements()
      .map(({ row }) => ({ id: row.partner, name: row.partnerName }));
    return succeeded({ ...report, partners, hindrances });
  },
});
