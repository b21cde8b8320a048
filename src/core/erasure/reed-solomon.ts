/**
 * Systematic Reed–Solomon over GF(2^8): any k elements yield all the others (C5), be they of the first n or of the further ones, up to 255 in all.
 *
 * The arithmetic of the codewords is in generalised-reed-solomon.ts; here its coefficients are
 * applied to whole elements, byte position by byte position, by the kernels.
 */
import { assert, present } from '../../base/assert.ts';
import type { Gf256Workspace, Kernels, Matrix } from '../../primitives/kernels/kernels.ts';
import type { Code } from '../vocabulary/code.ts';
import { payloadBytes } from '../vocabulary/limits.ts';
import type { Combiner } from './combiner.ts';
import { combinationMatrix } from './generalised-reed-solomon.ts';

/** Matrices kept: a pack is decoded from one or two sets of partners, thousands of times. */
const keptMatrices = 32;

export function reedSolomonCombiner(code: Code, kernels: Kernels): Combiner {
  const matrices = matrixCache(code);
  let workspace: Gf256Workspace | undefined;
  return {
    combine(sources, wanted): void {
      assert(sources.size === code.dataShards, 'k elements are given');
      const outputCount = Math.max(1, code.parityShards);
      workspace ??= kernels.gf256.workspace({
        inputCount: code.dataShards,
        outputCount,
        capacityBytes: payloadBytes,
      });
      const missing = [...wanted];
      for (let at = 0; at < missing.length; at += outputCount) {
        const some = missing.slice(at, at + outputCount);
        const matrix = matrices(
          [...sources.keys()],
          some.map(([index]) => index),
        );
        multiplyAll(workspace, matrix, [[...sources.values()], some.map(([, area]) => area)]);
      }
    },
  };
}

/** Elements longer than the workspace are coded slice by slice. */
function multiplyAll(
  workspace: Gf256Workspace,
  matrix: Matrix,
  [sources, areas]: readonly [readonly Uint8Array[], readonly Uint8Array[]],
): void {
  const length = present(areas[0], 'something is wanted').length;
  for (let start = 0; start < length; start += payloadBytes) {
    const end = Math.min(length, start + payloadBytes);
    workspace.inputs.forEach((input, column) => {
      input.set(present(sources[column], 'a source for each column').subarray(start, end));
    });
    workspace.multiply(matrix, end - start);
    areas.forEach((area, row) => {
      const output = present(workspace.outputs[row], 'an output for each row');
      area.set(output.subarray(0, end - start), start);
    });
  }
}

/** The latest matrices by what they are made for; the one unused for longest leaves first. */
function matrixCache(
  code: Code,
): (sources: readonly number[], wanted: readonly number[]) => Matrix {
  const kept = new Map<string, Matrix>();
  return (sources, wanted) => {
    const key = `${sources.join()}>${wanted.join()}`;
    const matrix = kept.get(key) ?? combinationMatrix(code, sources, wanted);
    kept.delete(key);
    kept.set(key, matrix);
    for (const oldest of kept.keys()) {
      if (kept.size <= keptMatrices) break;
      kept.delete(oldest);
    }
    return matrix;
  };
}
