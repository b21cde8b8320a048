/** Invite and join: how two computers that know each other become partners, with no third party. */

import { z } from 'zod';
import { present } from '../../base/assert.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import type { AgreementRow } from '../../ports/stores.ts';
import { type PartnerAnswer, partnerAnswer } from '../answers.ts';
import { lendableBytes } from '../lendable-space.ts';
import { type Operation, type OperationContext, operation } from '../operation.ts';
import { failure, type OperationFailure } from '../operation-failure.ts';

const codeMaximumLength = 4_096;
const validityMaximumMs = 366 * 24 * 3_600_000;

export interface InviteInput {
  /** What this computer lends to whoever joins; undefined: an equal share of what it lends. */
  readonly lendBytes?: number | undefined;
  /** What it wants in return, at least; undefined: as much as it lends. */
  readonly wantBytes?: number | undefined;
  readonly validMs: number;
  /** Waits until somebody has joined. */
  readonly wait: boolean;
}

export interface InviteData {
  readonly code: string;
  /** Where the other computer will look for this one. */
  readonly addresses: readonly string[];
  readonly lendBytes: number;
  readonly wantBytes: number;
  /** Of so many bytes that are lent in all `lendBytes` is a share; null: a person said how much. */
  readonly shareOfBytes: number | null;
  readonly expiresAt: string;
}

export interface InviteAnswer extends InviteData {
  readonly joined: PartnerAnswer | null;
}

export const invite: Operation<InviteInput, never, InviteData, InviteAnswer> = operation({
  input: z.strictObject({
    lendBytes: z.int().nonnegative().optional(),
    wantBytes: z.int().nonnegative().optional(),
    validMs: z.int().positive().max(validityMaximumMs),
    wait: z.boolean(),
  }),
  reach: 'network',
  secret: false,
  inItsName: true,
  run: async (
    { computer, running },
    { lendBytes, wantBytes, validMs, wait },
    call,
  ): Promise<Outcome<InviteAnswer, OperationFailure>> => {
    const spaceBytes = lendBytes ?? computer.shareBytes();
    const wantsBytes = wantBytes ?? spaceBytes;
    if (spaceBytes === 0 && wantsBytes === 0) return failed(failure('invite.nobody-lends'));
    const possibleBytes = Math.max(0, lendableBytes({ computer, running }));
    if (spaceBytes > possibleBytes)
      return failed(failure('invite.no-space', `${possibleBytes} bytes at most`));
    const code = computer.invite({ spaceBytes, wantsBytes, validMs });
    const made: InviteData = {
      code,
      addresses: computer.status().listening,
      lendBytes: spaceBytes,
      wantBytes: wantsBytes,
      shareOfBytes: lendBytes === undefined ? running.config.lend.spaceBytes : null,
      expiresAt: new Date(computer.now() + validMs).toISOString(),
    };
    await call.send(made);
    if (!wait) return succeeded({ ...made, joined: null });
    const agreement = await computer.redeemed(code, call.signal);
    if (agreement === undefined)
      return failed(failure(call.signal.aborted ? 'operation.cancelled' : 'invite.expired'));
    return succeeded({ ...made, joined: partnerOf({ computer, running }, agreement) });
  },
});

export interface JoinInput {
  readonly code: string;
  /** What this computer lends in return; undefined: what the inviter wants. */
  readonly lendBytes?: number | undefined;
}

export const join: Operation<JoinInput, never, never, PartnerAnswer> = operation({
  input: z.strictObject({
    code: z.string().min(1).max(codeMaximumLength),
    lendBytes: z.int().nonnegative().optional(),
  }),
  reach: 'network',
  secret: false,
  inItsName: true,
  run: async (context, { code, lendBytes }) => {
    const joined = await context.computer.join(code.replace(/\s+/g, ''), {
      spaceBytes: lendBytes,
    });
    return joined.ok ? succeeded(partnerOf(context, joined.value)) : joined;
  },
});

function partnerOf({ computer }: OperationContext, agreement: AgreementRow): PartnerAnswer {
  const view = computer
    .partners()
    .find((partner) => partner.agreement.agreement === agreement.agreement);
  return partnerAnswer(present(view, 'whoever just signed is a partner'));
}
