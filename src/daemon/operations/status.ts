/** Status: protection, partners, what lies where. */
import { z } from 'zod';
import { succeeded } from '../../base/outcome.ts';
import { type StatusAnswer, statusAnswer } from '../answers.ts';
import { type Operation, operation } from '../operation.ts';

export interface StatusInput {
  /** Asks every partner for a sign of life first. */
  readonly probe: boolean;
}

export const status: Operation<StatusInput, never, never, StatusAnswer> = operation({
  input: z.strictObject({ probe: z.boolean() }),
  reach: 'local',
  secret: false,
  run: async ({ computer, running }, { probe }) => {
    if (probe) await computer.probePartners();
    return succeeded(statusAnswer(computer.status(), running.daemon));
  },
});
