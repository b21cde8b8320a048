import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mebi } from '../../base/units.ts';
import { cutterOf } from '../../core/chunking/cutter.ts';
import { gearTable } from '../../core/chunking/gear-table.ts';
import { erasureCodeOf } from '../../core/erasure/erasure-code.ts';
import { decodePack, encodeShards } from '../../core/erasure/stripe.ts';
import type { Code } from '../../core/vocabulary/code.ts';
import { plainKernels } from '../../primitives/kernels/plain-kernels.ts';
import { loadKernels } from './kernel-files.ts';

const plain = plainKernels();
const wasm = loadKernels();

function noise(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = 7;
  for (let index = 0; index < length; index += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[index] = state;
  }
  return bytes;
}

const codes: readonly Code[] = [
  { id: 'parity', dataShards: 5, parityShards: 1 },
  { id: 'reed-solomon', dataShards: 4, parityShards: 4 },
  { id: 'reed-solomon', dataShards: 10, parityShards: 7 },
];

test('stripes of both kernels are equal, and either decodes what the other made', () => {
  const pack = noise(2 * mebi + 4321);
  for (const code of codes) {
    const all = Array.from({ length: code.dataShards + code.parityShards }, (_, index) => index);
    const byPlain = encodeShards(erasureCodeOf(code, plain), pack, all);
    const byWasm = encodeShards(erasureCodeOf(code, wasm), pack, all);
    assert.deepEqual(byWasm, byPlain);
    const rest = new Map([...byPlain].slice(code.parityShards));
    const outcome = decodePack(erasureCodeOf(code, wasm), pack.length, rest);
    assert.ok(outcome.ok);
    assert.deepEqual(outcome.value, pack);
  }
});

test('both kernels cut alike, in place or not', () => {
  const bytes = noise(20 * mebi);
  const table = gearTable(new Uint8Array(32).fill(9));
  const inPlace = cutterOf(wasm, table, bytes.length);
  inPlace.area.set(bytes);
  const ways = [
    [cutterOf(plain, table), bytes],
    [cutterOf(wasm, table), bytes],
    [inPlace, inPlace.area],
  ] as const;
  const [expected, ...others] = ways.map(([cutter, from]) => {
    const lengths: number[] = [];
    for (let offset = 0; offset < bytes.length; offset += lengths.at(-1) ?? 0)
      lengths.push(cutter.nextCut(from, { offset, end: bytes.length, final: true }) ?? 0);
    return lengths;
  });
  for (const other of others) assert.deepEqual(other, expected);
});
