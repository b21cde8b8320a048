/** Status: protection, partners, what lies where. */
import { z } from 'zod';
import { succeeded } from '../../base/outcome.ts';
import type { StatusReport } from '../../engine/computer.ts';
import {
  type FormerPartner,
  type SearchOutlook,
  type StatusAnswer,
  statusAnswer,
} from '../answers.ts';
import { type Operation, type OperationContext, operation } from '../operation.ts';
import type { RunningComputer } from '../running-computer.ts';
import { namesOf } from './audits.ts';

export interface StatusInput {
  /** Asks every partner for a sign of life first. */
  readonly probe: boolean;
}

export const status: Operation<StatusInput, never, never, StatusAnswer> = operation({
  input: z.strictObject({ probe: z.boolean() }),
  reach: 'local',
  secret: false,
  run: async (context, { probe }) => {
    const { computer, running } = context;
    if (probe) await computer.probePartners();
    const report = computer.status();
    return succeeded(
      statusAnswer(report, {
        daemon: running.daemon,
        reneged: renegedPartners(context),
        search: searchOutlook(running, report),
        nameOf: namesOf(computer),
      }),
    );
  },
});

function renegedPartners({ computer }: OperationContext): readonly FormerPartner[] {
  const current = new Set(computer.partners().map(({ agreement }) => agreement.partner));
  const former = computer
    .agreements()
    .filter(({ row }) => row.phase === 'reneged' && !current.has(row.partner));
  return [...new Map(former.map(({ row }) => [row.partner, row.partnerName]))].map(
    ([id, name]) => ({ id, name }),
  );
}

export function searchOutlook(
  { computer, partnership }: Pick<RunningComputer, 'computer' | 'partnership'>,
  report: StatusReport,
): SearchOutlook {
  const candidates = computer.candidates();
  const accepted = candidates.filter(({ rank }) => rank !== undefined).length;
  return {
    seeks: partnership.seek,
    missing: report.missingPartners,
    candidates: accepted,
    refused: candidates.length - accepted,
  };
}
