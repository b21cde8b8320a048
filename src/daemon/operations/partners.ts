/** Partners: who they are, and whether shards are sent to them. */
import { z } from 'zod';
import { failed, succeeded } from '../../base/outcome.ts';
import { type PartnerAnswer, partnerAnswer } from '../answers.ts';
import { type Operation, operation } from '../operation.ts';
import { choosePartner } from '../snapshot-choice.ts';

const idMaximumLength = 255;

export interface PartnersInput {
  readonly probe: boolean;
  /** Id prefix or name; undefined: all of them. */
  readonly partner?: string | undefined;
}

export const partners: Operation<PartnersInput, never, never, readonly PartnerAnswer[]> = operation(
  {
    input: z.strictObject({
      probe: z.boolean(),
      partner: z.string().min(1).max(idMaximumLength).optional(),
    }),
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
  input: z.strictObject({
    partner: z.string().min(1).max(idMaximumLength),
    paused: z.boolean(),
  }),
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
