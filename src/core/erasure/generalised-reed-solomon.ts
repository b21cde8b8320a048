/**
 * The arithmetic of our Reed–Solomon code: a generalised Reed–Solomon code (MacWilliams and Sloane,
 * The Theory of Error-Correcting Codes, ch. 10 §8), so that wrong symbols, too, can be located by
 * the known decoders (C6, C32).
 *
 * Codewords are c_i = v_i · f(x_i) for all polynomials f of degree < k over GF(2^8), i = 0 … 254. No symbol depends on how many there are: those of k+m are the
 * first n of the longest code with this k, and any further one stands in for any that is missing.
 *
 *   evaluation points    x_i = i, as an element of the field
 *   column multipliers   v_i = 1 / P'(x_i)   for i < k,   where P(x) = Π_{t<k} (x − x_t)
 *                        v_i = x_i / P(x_i)  for i ≥ k
 *
 * The code is systematic, f being interpolated through the data. With these multipliers the
 * coefficient of data symbol c in parity symbol i is i / (i ⊕ c): a Cauchy matrix, its rows scaled
 * so that the first column is all ones, and for k = 1 every symbol is a plain copy.
 *
 * Any k symbols determine f, hence any other symbol, by Lagrange's formula:
 *   c_w = Σ_{s∈S} c_s · v_w/v_s · Π_{t∈S∖s} (x_w − x_t) / (x_s − x_t)
 */
import { assert, present } from '../../base/assert.ts';
import { divided, multiplied } from '../../primitives/kernels/galois-field.ts';
import type { Matrix } from '../../primitives/kernels/kernels.ts';
import type { Code } from '../vocabulary/code.ts';
import { shardsMaximum } from '../vocabulary/limits.ts';

/** x_i of symbol i. */
export function evaluationPoint(index: number): number {
  return index;
}

/** v_index, which is not zero. */
export function columnMultiplier({ dataShards }: Pick<Code, 'dataShards'>, index: number): number {
  assert(index >= 0 && index < shardsMaximum, 'a symbol of the code');
  const data = Array.from({ length: dataShards }, (_, at) => at);
  return divided(index < dataShards ? 1 : evaluationPoint(index), differences(index, data));
}

/** Π (x_index − x_t) over all t in `others` except `index` itself. */
function differences(index: number, others: readonly number[]): number {
  let product = 1;
  for (const other of others)
    if (other !== index)
      product = multiplied(product, evaluationPoint(index) ^ evaluationPoint(other));
  return product;
}

/**
 * What makes the symbols `wanted` of the symbols `sources`: a row for each wanted symbol, a column
 * for each source. There are exactly k distinct sources, and no wanted symbol is among them.
 */
export function combinationMatrix(
  code: Code,
  sources: readonly number[],
  wanted: readonly number[],
): Matrix {
  assert(new Set(sources).size === code.dataShards, 'k distinct symbols determine the others');
  assert(sources.length === code.dataShards, 'no symbol is given twice');
  const weights = sources.map((source) =>
    multiplied(columnMultiplier(code, source), differences(source, sources)),
  );
  const coefficients = wanted.flatMap((index) => {
    assert(!sources.includes(index), 'a wanted symbol is not given');
    const scale = multiplied(columnMultiplier(code, index), differences(index, sources));
    return sources.map((source, column) => {
      const distance = evaluationPoint(index) ^ evaluationPoint(source);
      return divided(scale, multiplied(distance, present(weights[column], 'one per source')));
    });
  });
  return {
    rows: wanted.length,
    columns: sources.length,
    coefficients: Uint8Array.from(coefficients),
  };
}
