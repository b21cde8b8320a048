/** What the codes differ in: how k elements make those that are missing. */

export interface Combiner {
  /**
   * Writes the elements `wanted` (index → area), none of which is in `sources` (index → element),
   * from exactly k `sources`. All have one length.
   */
  combine(sources: ReadonlyMap<number, Uint8Array>, wanted: ReadonlyMap<number, Uint8Array>): void;
}
