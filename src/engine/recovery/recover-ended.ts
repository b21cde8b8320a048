/** Why a recovery ends before its end, and when it would not: partners in commitment honour no restores yet (C30), and that ends on a day that is known. */
import { type Instant, instant } from '../../base/units.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import type { Stores } from '../../ports/stores.ts';
import type { RecoverFailure } from '../computer.ts';

export class RecoverEnded extends Error {
  override readonly name = 'RecoverEnded';
  readonly failure: RecoverFailure;

  constructor(code: RecoverFailure['code'], detail: string, restorableFrom?: Instant) {
    super(code);
    this.failure = { code, detail, ...(restorableFrom === undefined ? {} : { restorableFrom }) };
  }
}

/** When the commitment of a partner ends; undefined when it has ended, or is not known. */
export type CommitmentEnd = (partner: PeerId) => Instant | undefined;

/** From when on `needed` of these holders honour restores; undefined when that is not what is waited for. */
export function readableFrom(
  holders: readonly PeerId[],
  needed: number,
  endOf: CommitmentEnd,
): Instant | undefined {
  const ends = holders.map((holder) => endOf(holder) ?? 0).sort((left, right) => left - right);
  const last = ends[needed - 1] ?? 0;
  return last === 0 ? undefined : instant(last);
}

/** The same, of every pack that the catalogue knows so far. */
export function allReadableFrom(stores: Stores, endOf: CommitmentEnd): Instant | undefined {
  const moments = stores.packs.all().flatMap(({ pack, code }) => {
    const holders = stores.shards.ofPack(pack).map(({ partner }) => partner);
    return (code && readableFrom(holders, code.dataShards, endOf)) ?? [];
  });
  return moments.length === 0 ? undefined : instant(Math.max(...moments));
}
