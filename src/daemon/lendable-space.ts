/** What nobody was promised yet of all that this computer lends; less than 0 where more was promised than is lent now. */
import { unpromisedBytes } from '../engine/partners/unpromised-space.ts';
import type { OperationContext } from './operation.ts';

export function lendableBytes({ computer, running }: OperationContext): number {
  const views = computer.agreements();
  const held = new Map(views.map(({ row, weHoldBytes }) => [row.partner, weHoldBytes]));
  const claims = views.map(({ row, weLendBytes }) => ({
    ...{ partner: row.partner, phase: row.phase },
    weLendBytes,
  }));
  const { spaceBytes } = running.config.lend;
  return unpromisedBytes(spaceBytes, claims, (partner) => held.get(partner) ?? 0);
}
