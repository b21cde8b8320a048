/** Search: who could become a partner, and agreements with the best of them as far as more are wanted. */
import { z } from 'zod';
import { succeeded } from '../../base/outcome.ts';
import type { SearchProgress } from '../../engine/partners/partnerships.ts';
import { partnerAnswer } from '../answers.ts';
import { type Operation, operation } from '../operation.ts';
import { type SearchAnswer, searchAnswer } from '../partnership-answers.ts';
import { waysToMeet } from '../partnership-config.ts';

export interface SearchInput {
  /** Looks, asks and ranks; signs nothing. */
  readonly dryRun: boolean;
}

export const search: Operation<SearchInput, SearchProgress, never, SearchAnswer> = operation({
  input: z.strictObject({ dryRun: z.boolean() }),
  reach: 'network',
  secret: false,
  inItsName: true,
  run: async ({ computer, running }, { dryRun }, { signal, progress }) => {
    const before = new Set(computer.partners().map(({ agreement }) => agreement.agreement));
    const report = await computer.search({ dryRun, signal, progress });
    signal.throwIfAborted();
    const signed = computer
      .partners()
      .filter(({ agreement }) => !before.has(agreement.agreement))
      .map(partnerAnswer);
    return succeeded(
      searchAnswer(report, {
        dryRun,
        seeks: running.partnership.seek,
        ways: waysToMeet(running.config),
        daemon: running.daemon,
        signed,
      }),
    );
  },
});
