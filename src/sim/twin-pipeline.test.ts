import { Prng } from '../base/prng.ts';
import { deriveKeys } from '../core/sealing/keys.ts';
import { suiteAesGcm } from '../core/vocabulary/suite.ts';
import { testPipeline } from '../ports/chunk-pipeline.conformance.ts';
import { plainKernels } from '../primitives/kernels/plain-kernels.ts';
import { SimTree } from './sim-tree.ts';
import { createTwinPipeline } from './twin-pipeline.ts';

testPipeline('twin', async () => {
  let now = 1_700_000_000_000_000_000n;
  const tree = new SimTree(() => {
    now += 1_000_001n;
    return now;
  });
  tree.makeFolder('/home');
  tree.makeFolder('/home/user');
  const prng = new Prng('twin pipeline');
  const keys = deriveKeys(new Uint8Array(32).fill(1));
  const random = {
    bytes: (count: number) => Uint8Array.from({ length: count }, () => prng.below(256)),
  };
  const kernels = plainKernels();
  return {
    pipeline: createTwinPipeline({
      tree,
      keys,
      suite: suiteAesGcm,
      compressionLevel: 1,
      kernels,
      random,
    }),
    tree,
    folder: '/home/user',
    keys,
    close: async () => undefined,
  };
});
