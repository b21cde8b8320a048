/** Partners: who they are, whether shards are sent to them, and how a partnership ends or goes on. */
import { z } from 'zod';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import type { AgreementView, PartnerFailure } from '../../engine/partners/partnerships.ts';
import { type PartnerAnswer, partnerAnswer } from '../answers.ts';
import { lendableBytes } from '../lendable-space.ts';
import { type Operation, operation } from '../operation.ts';
import { failure, type OperationFailure } from '../operation-failure.ts';
import { chooseAnyPartner } from '../partner-choice.ts';
import { type AgreementAnswer, agreementAnswer } from '../partnership-answers.ts';
import { choosePartner } from '../snapshot-choice.ts';

const idMaximumLength = 255;
const idSchema = z.string().min(1).max(idMaximumLength);

export interface PartnersInput {
  readonly probe: boolean;
  /** Id prefix or name; undefined: all of them. */
  readonly partner?: string | undefined;
}

export const partners: Operation<PartnersInput, never, never, readonly PartnerAnswer[]> = operation(
  {
    input: z.strictObject({ probe: z.boolean(), partner: idSchema.optional() }),
    reach: 'local',
    secret: false,
    run: async ({ computer }, { probe, partner }) => {
      if (probe) await computer.probePartners();
      const all = computer.partners();
      if (partner === undefined) return succeeded(all.map(partnerAnswer));
      const chosen = choosePartner(all, partner);
      return chosen.ok ? succeeded([partnerAnswer(chosen.value)]) : chosen;
    },
  },
);

export interface PauseInput {
  readonly partner: string;
  readonly paused: boolean;
}

export const pausePartner: Operation<PauseInput, never, never, PartnerAnswer> = operation({
  input: z.strictObject({ partner: idSchema, paused: z.boolean() }),
  reach: 'local',
  secret: false,
  run: async ({ computer }, { partner, paused }) => {
    const chosen = choosePartner(computer.partners(), partner);
    if (!chosen.ok) return chosen;
    const id = chosen.value.agreement.partner;
    if (!computer.setPaused(id, paused))
      return failed({ code: 'partner.unknown', detail: partner });
    const after = choosePartner(computer.partners(), id);
    return after.ok ? succeeded(partnerAnswer(after.value)) : after;
  },
});

/** What a person decides about a partnership. */
export const decisions = ['leave', 'stay', 'forget', 'forgive'] as const;
export type Decision = (typeof decisions)[number];

export interface DecisionInput {
  readonly partner: string;
  readonly decision: Decision;
}

export const decidePartner: Operation<DecisionInput, never, never, AgreementAnswer> = operation({
  input: z.strictObject({ partner: idSchema, decision: z.enum(decisions) }),
  // The partner is told at once where that is possible.
  reach: 'network',
  secret: false,
  inItsName: true,
  run: async ({ computer }, { partner, decision }) => {
    const chosen = chooseAnyPartner(computer.agreements(), partner);
    if (!chosen.ok) return chosen;
    return answered(await computer[decision](chosen.value.row.partner));
  },
});

export interface TermsInput {
  readonly partner: string;
  /** Undefined: as it is. */
  readonly lendBytes?: number | undefined;
  readonly wantBytes?: number | undefined;
}

export const changeTerms: Operation<TermsInput, never, never, AgreementAnswer> = operation({
  input: z.strictObject({
    partner: idSchema,
    lendBytes: z.int().nonnegative().optional(),
    wantBytes: z.int().nonnegative().optional(),
  }),
  reach: 'network',
  secret: false,
  inItsName: true,
  run: async (context, { partner, lendBytes, wantBytes }, { signal }) => {
    const { computer } = context;
    const chosen = choosePartner(computer.partners(), partner);
    if (!chosen.ok) return chosen;
    // What was promised may be kept, even where less is lent by now.
    const { weLendBytes } = chosen.value;
    const possibleBytes = weLendBytes + Math.max(0, lendableBytes(context));
    if (lendBytes !== undefined && lendBytes > possibleBytes)
      return failed(failure('partner.no-space', `${possibleBytes} bytes at most`));
    const change = {
      ...(lendBytes === undefined ? {} : { weLendBytes: lendBytes }),
      ...(wantBytes === undefined ? {} : { lendsUsBytes: wantBytes }),
    };
    const id = chosen.value.agreement.partner;
    return answered(await computer.changeTerms(id, change, signal));
  },
});

function answered(
  outcome: Outcome<AgreementView, PartnerFailure>,
): Outcome<AgreementAnswer, OperationFailure> {
  if (outcome.ok) return succeeded(agreementAnswer(outcome.value));
  return failed(failure(outcome.error.code, outcome.error.detail));
}
