/**
 * What an owner gets again of audits that were answered, and how often this computer looks far back for it (docs/protocol.md#audits).
 *
 * Answers are lost on the way, and the same is asked until one arrives; so a challenge is answered again a few times as part of what its seal drew. After that, and
 * where nothing is known here of a seal any more, its blocks count against the read quota of audits like those of another challenge: else one opening of a few hundred
 * bytes would draw blocks without end. Nothing is refused for good: with the next day there is another quota.
 *
 * Kept in memory only: an owner cannot have this computer started anew.
 */
import { hexText } from '../../base/bytes.ts';
import type { Instant } from '../../base/units.ts';
import type { AgreementId } from '../../core/vocabulary/ids.ts';

/** Where one answer in four is lost, one challenge in 65,536 needs more. */
const repeatsMaximum = 8;
/** Challenges whose answers are counted: more of one owner than are remembered of it. */
const countedMaximum = 256;
/** In one audit interval. An honest owner asks for its oldest challenge first, and what is recalled for that one serves the others. */
const recallsMaximum = 8;

export class AnswerLimits {
  readonly #repeats = new Map<AgreementId, Map<string, number>>();
  readonly #recalls = new Map<AgreementId, readonly Instant[]>();

  /** Whether a challenge that was answered before is answered again at no charge. */
  mayRepeat(agreement: AgreementId, challenge: Uint8Array): boolean {
    const count = this.#repeats.get(agreement)?.get(hexText(challenge)) ?? 0;
    return count < repeatsMaximum;
  }

  countRepeat(agreement: AgreementId, challenge: Uint8Array): void {
    const counts = this.#repeats.get(agreement) ?? new Map<string, number>();
    this.#repeats.set(agreement, counts);
    const key = hexText(challenge);
    const count = (counts.get(key) ?? 0) + 1;
    // The one that was asked for last stays longest.
    counts.delete(key);
    counts.set(key, count);
    const [oldest] = counts.keys();
    if (counts.size > countedMaximum && oldest !== undefined) counts.delete(oldest);
  }

  /** Whether the whole ledger may be gone through for this owner once more; counts it if so. */
  takeRecall(
    agreement: AgreementId,
    { now, intervalMs }: { readonly now: Instant; readonly intervalMs: number },
  ): boolean {
    const known = this.#recalls.get(agreement) ?? [];
    const recent = known.filter((at) => Math.abs(now - at) < intervalMs);
    const isFree = recent.length < recallsMaximum;
    this.#recalls.set(agreement, isFree ? [...recent, now] : recent);
    return isFree;
  }
}
