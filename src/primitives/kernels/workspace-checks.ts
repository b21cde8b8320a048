/** What both implementations demand of their callers. */
import { assert } from '../../base/assert.ts';
import { type GearTable, gearHistoryBytes, type Matrix, type WorkspaceShape } from './kernels.ts';

export function checkShape(shape: WorkspaceShape): void {
  for (const value of [shape.inputCount, shape.outputCount, shape.capacityBytes])
    assert(Number.isInteger(value) && value > 0, 'a workspace has inputs, outputs and room');
}

export function checkMatrix(matrix: Matrix, shape: WorkspaceShape): void {
  assert(matrix.columns === shape.inputCount, 'the matrix has a column for each input');
  assert(matrix.rows <= shape.outputCount, 'the workspace has an output for each row');
  assert(matrix.coefficients.length === matrix.rows * matrix.columns, 'the matrix is whole');
}

export function checkLength(lengthBytes: number, capacityBytes: number): void {
  assert(Number.isInteger(lengthBytes) && lengthBytes >= 0, 'a length in bytes');
  assert(lengthBytes <= capacityBytes, 'an element fits its area');
}

export function checkScanner(table: GearTable, areaBytes: number): void {
  assert(table.length === 256, 'a gear table has an entry for each byte value');
  assert(Number.isInteger(areaBytes) && areaBytes > gearHistoryBytes, 'the area holds a window');
}

export function checkSearch(start: number, end: number, areaBytes: number): void {
  assert(Number.isInteger(start) && Number.isInteger(end), 'positions are whole numbers');
  assert(start >= gearHistoryBytes, 'a window of bytes lies before the search');
  assert(start <= end && end <= areaBytes, 'the search lies in the area');
}

export function checkThreshold(threshold: number): void {
  assert(threshold >>> 0 === threshold, 'a threshold has 32 bits');
}
