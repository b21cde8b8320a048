/**
 * The hot loops of coding and cutting, as an interface with two implementations that agree byte for
 * byte: `plainKernels` in TypeScript (the reference, and the simulator's) and `wasmKernels`.
 *
 * Each hands out workspaces: areas that callers fill and read in place, so that a byte enters and
 * leaves the kernel's memory at most once. A workspace serves one caller at a time; its views stay
 * valid as long as it, and their buffer cannot be transferred to another thread.
 */
import type { Bytes } from '../../base/bytes.ts';

export interface Kernels {
  readonly gf256: Gf256Kernel;
  readonly xor: XorKernel;
  readonly gear: GearKernel;
}

/** Coefficients in GF(2^8), row after row. Never changed once made: workspaces keep what they derive from it. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly coefficients: Uint8Array;
}

export interface WorkspaceShape {
  readonly inputCount: number;
  readonly outputCount: number;
  /** The longest element that the areas take. */
  readonly capacityBytes: number;
}

export interface Gf256Kernel {
  workspace(shape: WorkspaceShape): Gf256Workspace;
}

export interface Gf256Workspace {
  /** Each `capacityBytes` long. */
  readonly inputs: readonly Bytes[];
  readonly outputs: readonly Bytes[];
  /**
   * outputs[r] = Σ matrix(r, c) · inputs[c] over the first `lengthBytes` bytes of each area. What
   * lies behind them in an output is undefined afterwards.
   */
  multiply(matrix: Matrix, lengthBytes: number): void;
}

export interface XorKernel {
  workspace(shape: Omit<WorkspaceShape, 'outputCount'>): XorWorkspace;
}

export interface XorWorkspace {
  /** Each `capacityBytes` long. */
  readonly inputs: readonly Bytes[];
  readonly output: Bytes;
  /** output = XOR of all inputs, over `lengthBytes` bytes; what lies behind them is undefined afterwards. */
  fold(lengthBytes: number): void;
}

/** What each byte value adds to the gear hash: 256 numbers of 64 bits. */
export type GearTable = BigUint64Array<ArrayBuffer>;

/** Bytes before a position that its gear hash depends on, besides the byte at the position. */
export const gearHistoryBytes = 63;

export interface GearKernel {
  scanner(table: GearTable, areaBytes: number): GearScanner;
}

export interface GearScanner {
  /** `areaBytes` long: put the bytes to search here. */
  readonly area: Bytes;
  /**
   * The first position in [start, end) of the area where the gear hash of the 64 bytes that end
   * there, h ← 2h + table[byte] modulo 2^64 from h = 0, is below threshold · 2^32; or `end`.
   * `start` ≥ `gearHistoryBytes`; 0 ≤ threshold < 2^32.
   */
  find(start: number, end: number, threshold: number): number;
}
