/**
 * What is left of the space that a computer lends: whatever was promised counts, from the proposal that bears our signature to the end of the agreement, and then what
 * lies here still.
 */
import { isInForce } from '../../core/partners/lifecycle-phase.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import type { AgreementPhase } from '../../ports/stores.ts';

/** An agreement or a proposal, as far as space goes. */
export interface SpaceClaim {
  readonly partner: PeerId;
  readonly phase: AgreementPhase;
  readonly weLendBytes: number;
}

/** In force, or a proposal that the other may still sign. */
export function isPromise({ phase }: Pick<SpaceClaim, 'phase'>): boolean {
  return isInForce(phase) || phase === 'proposed';
}

/**
 * Bytes of all that is lent which nobody has a claim to; less than 0 where more was promised than is lent now. Of `weHoldBytes`, bytes held for a partner, those
 * of former ones count.
 */
export function unpromisedBytes(
  offeredBytes: number,
  claims: readonly SpaceClaim[],
  weHoldBytes: (partner: PeerId) => number,
): number {
  const promises = claims.filter(isPromise);
  const former = new Set(claims.map(({ partner }) => partner));
  for (const { partner } of promises) former.delete(partner);
  const promised = promises.reduce((sum, { weLendBytes }) => sum + weLendBytes, 0);
  const left = [...former].reduce((sum, peer) => sum + weHoldBytes(peer), 0);
  return offeredBytes - promised - left;
}
