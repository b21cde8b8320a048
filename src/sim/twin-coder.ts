/** The stripe coder in the calling thread: the same core functions as the worker's. */
import { assert } from '../base/assert.ts';
import { StripeSealing, type StripeSealingOptions } from '../core/sealing/stripe-sealing.ts';
import { parseSuite } from '../core/vocabulary/suite.ts';
import type { StripeCoder } from '../ports/stripe-coder.ts';

export function createTwinCoder(options: StripeSealingOptions): StripeCoder {
  const sealing = new StripeSealing(options);
  return {
    code: async (pack, code, wanted) => {
      const suite = parseSuite(pack.suite);
      assert(suite !== undefined, 'a pack of a known suite');
      return sealing.seal({ ...pack, suite }, code, wanted);
    },
    close: async () => undefined,
  };
}
