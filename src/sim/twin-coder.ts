/** The stripe coder in the calling thread: the same core functions as the worker's. */
import { assert } from '../base/assert.ts';
import { StripeSealing, type StripeSealingOptions } from '../core/sealing/stripe-sealing.ts';
import { parseSuite } from '../core/vocabulary/suite.ts';
import type { StripeCoder } from '../ports/stripe-coder.ts';

/** `pause`: how long each pack takes. */
export function createTwinCoder(
  options: StripeSealingOptions,
  pause: () => Promise<void> = () => Promise.resolve(),
): StripeCoder {
  const sealing = new StripeSealing(options);
  return {
    code: async (pack, code, wanted) => {
      const suite = parseSuite(pack.suite);
      assert(suite !== undefined, 'a pack of a known suite');
      const sealed = sealing.seal({ ...pack, suite }, code, wanted);
      await pause();
      return sealed;
    },
    close: async () => undefined,
  };
}
