/** What both sides of a negotiation share: what each knows of itself, and what stands in a proposal (C3, C24–C27; docs/protocol.md#negotiation). */
import type { Bytes } from '../../base/bytes.ts';
import { type Instant, minuteMs } from '../../base/units.ts';
import type { AgreementId, PeerId } from '../vocabulary/ids.ts';
import type { NegotiationCode } from '../wire/negotiation.ts';
import { type Agreement, encodeSignedAgreement, type SignedAgreement } from './agreement.ts';
import type { Circumstances, Policy } from './policy.ts';
import { type ChainLink, linkOf } from './replacement.ts';

/** One computer, as far as negotiating goes. */
export interface Negotiator {
  readonly peer: PeerId;
  readonly identitySeed: Uint8Array;
  readonly name: string;
  readonly addresses: readonly string[];
  /** Signed profile. */
  readonly profile: Bytes;
  /** Versions of the protocol that it speaks. */
  readonly protocols: readonly number[];
}

/** What this side would sign with one other, and what it found out about that one. */
export interface Stance {
  readonly policy: Policy;
  readonly circumstances: Circumstances;
}

/** An agreement with one signature, this side's or the other's, or with both. */
export interface Deed {
  readonly link: ChainLink;
  readonly signed: SignedAgreement;
  /** `signed` as it is stored and sent. */
  readonly document: Bytes;
}

export interface NegotiationRefusal {
  readonly code: NegotiationCode | 'negotiation.silent';
  readonly detail: string;
}

/** How far from the clock of the one that signs an agreement may begin: what clocks that nobody sets are off by. */
export const startToleranceMs: number = 60 * minuteMs;

export function deedOf(agreement: Agreement, id: AgreementId, signed: SignedAgreement): Deed {
  return { link: linkOf(agreement, id), signed, document: encodeSignedAgreement(signed) };
}

export function beginsNow(agreement: Agreement, now: Instant): boolean {
  return Math.abs(agreement.start - now) <= startToleranceMs;
}
