/** Agreements: what was signed with whom, and how it went since. */
import { z } from 'zod';
import { succeeded } from '../../base/outcome.ts';
import { type Operation, operation } from '../operation.ts';
import { chooseAgreement } from '../partner-choice.ts';
import {
  type AgreementAnswer,
  type AgreementDetails,
  agreementAnswer,
  agreementDetails,
} from '../partnership-answers.ts';

const idMaximumLength = 255;

export const agreements: Operation<
  Record<string, never>,
  never,
  never,
  readonly AgreementAnswer[]
> = operation({
  input: z.strictObject({}),
  reach: 'local',
  secret: false,
  run: async ({ computer }) => succeeded(computer.agreements().map(agreementAnswer)),
});

export interface AgreementShowInput {
  /** The beginning of its id, or of its partner's, or the partner's name. */
  readonly agreement: string;
}

export const agreementShow: Operation<AgreementShowInput, never, never, AgreementDetails> =
  operation({
    input: z.strictObject({ agreement: z.string().min(1).max(idMaximumLength) }),
    reach: 'local',
    secret: false,
    run: async ({ computer, running }, { agreement }) => {
      const all = computer.agreements();
      const chosen = chooseAgreement(all, agreement);
      if (!chosen.ok) return chosen;
      const { row } = chosen.value;
      const others = all
        .map((view) => view.row)
        .filter((other) => other.partner === row.partner && other.agreement !== row.agreement);
      const receipts = running.receiptsOf(row.agreement);
      return succeeded(agreementDetails(chosen.value, { receipts, others }));
    },
  });
