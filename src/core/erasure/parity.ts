/**
 * n+1 parity (C33): the last element is the XOR of the others, so any one element is the XOR of all
 * the rest.
 */
import { assert, present } from '../../base/assert.ts';
import type { Kernels, XorWorkspace } from '../../primitives/kernels/kernels.ts';
import type { Code } from '../vocabulary/code.ts';
import { payloadBytes } from '../vocabulary/limits.ts';
import type { Combiner } from './combiner.ts';

export function parityCombiner(code: Code, kernels: Kernels): Combiner {
  let workspace: XorWorkspace | undefined;
  return {
    combine(sources, wanted): void {
      assert(sources.size === code.dataShards && wanted.size <= 1, 'one element is missing');
      workspace ??= kernels.xor.workspace({
        inputCount: code.dataShards,
        capacityBytes: payloadBytes,
      });
      for (const area of wanted.values()) foldAll(workspace, [...sources.values()], area);
    },
  };
}

/** Elements longer than the workspace are folded slice by slice. */
function foldAll(workspace: XorWorkspace, sources: readonly Uint8Array[], area: Uint8Array): void {
  for (let start = 0; start < area.length; start += payloadBytes) {
    const end = Math.min(area.length, start + payloadBytes);
    workspace.inputs.forEach((input, place) => {
      input.set(present(sources[place], 'a source for each input').subarray(start, end));
    });
    workspace.fold(end - start);
    area.set(workspace.output.subarray(0, end - start), start);
  }
}
