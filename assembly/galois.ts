/**
 * Sums of multiples over GF(2^8), the work of Reed–Solomon coding, and XOR, the work of n+1 parity.
 *
 * A product by a constant is the XOR of two table look-ups, one for each nibble of the factor, and a
 * look-up of sixteen bytes at once is one swizzle. Several output rows are computed in one pass, so
 * that each input byte is loaded and split once for all of them. Everything lies in one memory:
 * `columns` inputs, `inputStride` bytes apart; outputs likewise; lengths are multiples of 32 and the
 * host keeps every area padded to that. For each column in turn, `tables` holds, row by row, sixteen
 * products of the low nibble and sixteen of the high one. The host's twin in plain TypeScript is
 * src/primitives/kernels/plain-kernels.ts.
 */

// Indices are nibbles, where the relaxed instruction and the plain one agree.
function lookUp(table: v128, index: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i8x16.relaxed_swizzle(table, index);
  return i8x16.swizzle(table, index);
}

function product(table: usize, low: v128, high: v128): v128 {
  return v128.xor(lookUp(v128.load(table), low), lookUp(v128.load(table, 16), high));
}

export function multiplyFour(
  inputs: usize,
  inputStride: usize,
  columns: u32,
  tables: usize,
  outputs: usize,
  outputStride: usize,
  length: usize,
): void {
  const nibble = i8x16.splat(15);
  for (let at: usize = 0; at < length; at += 32) {
    let first0 = i8x16.splat(0);
    let second0 = first0;
    let third0 = first0;
    let fourth0 = first0;
    let first1 = first0;
    let second1 = first0;
    let third1 = first0;
    let fourth1 = first0;
    let source = inputs + at;
    let table = tables;
    for (let column: u32 = 0; column < columns; column++) {
      const left = v128.load(source);
      const leftLow = v128.and(left, nibble);
      const leftHigh = v128.and(i64x2.shr_u(left, 4), nibble);
      const right = v128.load(source, 16);
      const rightLow = v128.and(right, nibble);
      const rightHigh = v128.and(i64x2.shr_u(right, 4), nibble);
      first0 = v128.xor(first0, product(table, leftLow, leftHigh));
      first1 = v128.xor(first1, product(table, rightLow, rightHigh));
      second0 = v128.xor(second0, product(table + 32, leftLow, leftHigh));
      second1 = v128.xor(second1, product(table + 32, rightLow, rightHigh));
      third0 = v128.xor(third0, product(table + 64, leftLow, leftHigh));
      third1 = v128.xor(third1, product(table + 64, rightLow, rightHigh));
      fourth0 = v128.xor(fourth0, product(table + 96, leftLow, leftHigh));
      fourth1 = v128.xor(fourth1, product(table + 96, rightLow, rightHigh));
      source += inputStride;
      table += 128;
    }
    let target = outputs + at;
    v128.store(target, first0);
    v128.store(target, first1, 16);
    target += outputStride;
    v128.store(target, second0);
    v128.store(target, second1, 16);
    target += outputStride;
    v128.store(target, third0);
    v128.store(target, third1, 16);
    target += outputStride;
    v128.store(target, fourth0);
    v128.store(target, fourth1, 16);
  }
}

export function multiplyTwo(
  inputs: usize,
  inputStride: usize,
  columns: u32,
  tables: usize,
  outputs: usize,
  outputStride: usize,
  length: usize,
): void {
  const nibble = i8x16.splat(15);
  for (let at: usize = 0; at < length; at += 32) {
    let first0 = i8x16.splat(0);
    let second0 = first0;
    let first1 = first0;
    let second1 = first0;
    let source = inputs + at;
    let table = tables;
    for (let column: u32 = 0; column < columns; column++) {
      const left = v128.load(source);
      const leftLow = v128.and(left, nibble);
      const leftHigh = v128.and(i64x2.shr_u(left, 4), nibble);
      const right = v128.load(source, 16);
      const rightLow = v128.and(right, nibble);
      const rightHigh = v128.and(i64x2.shr_u(right, 4), nibble);
      first0 = v128.xor(first0, product(table, leftLow, leftHigh));
      first1 = v128.xor(first1, product(table, rightLow, rightHigh));
      second0 = v128.xor(second0, product(table + 32, leftLow, leftHigh));
      second1 = v128.xor(second1, product(table + 32, rightLow, rightHigh));
      source += inputStride;
      table += 64;
    }
    const target = outputs + at;
    v128.store(target, first0);
    v128.store(target, first1, 16);
    v128.store(target + outputStride, second0);
    v128.store(target + outputStride, second1, 16);
  }
}

export function multiplyOne(
  inputs: usize,
  inputStride: usize,
  columns: u32,
  tables: usize,
  output: usize,
  length: usize,
): void {
  const nibble = i8x16.splat(15);
  for (let at: usize = 0; at < length; at += 32) {
    let first0 = i8x16.splat(0);
    let first1 = first0;
    let source = inputs + at;
    let table = tables;
    for (let column: u32 = 0; column < columns; column++) {
      const left = v128.load(source);
      const leftHigh = v128.and(i64x2.shr_u(left, 4), nibble);
      const right = v128.load(source, 16);
      const rightHigh = v128.and(i64x2.shr_u(right, 4), nibble);
      first0 = v128.xor(first0, product(table, v128.and(left, nibble), leftHigh));
      first1 = v128.xor(first1, product(table, v128.and(right, nibble), rightHigh));
      source += inputStride;
      table += 32;
    }
    v128.store(output + at, first0);
    v128.store(output + at, first1, 16);
  }
}

/** The XOR of all inputs. */
export function fold(
  inputs: usize,
  inputStride: usize,
  columns: u32,
  output: usize,
  length: usize,
): void {
  for (let at: usize = 0; at < length; at += 32) {
    let sum0 = i8x16.splat(0);
    let sum1 = sum0;
    let source = inputs + at;
    for (let column: u32 = 0; column < columns; column++) {
      sum0 = v128.xor(sum0, v128.load(source));
      sum1 = v128.xor(sum1, v128.load(source, 16));
      source += inputStride;
    }
    v128.store(output + at, sum0);
    v128.store(output + at, sum1, 16);
  }
}
