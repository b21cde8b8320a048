/**
 * Erasure codes: elements of equal length, n = k + m of them laid out, of which any sufficient set yields all the others (C5, C33).
 *
 * An element is named by its index in its codeword: 0 … k−1 are the data as they are, k … n−1 the
 * parity, and `indexCount` says how many there are with the further ones, which take the place of any that is lost. Codes are deterministic: the same elements,
 * always, for the same data.
 */
import { assert, assertNever, present } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import type { Kernels } from '../../primitives/kernels/kernels.ts';
import { type Code, type CodeId, indexCount } from '../vocabulary/code.ts';
import { shardsMaximum } from '../vocabulary/limits.ts';
import type { Combiner } from './combiner.ts';
import { parityCombiner } from './parity.ts';
import { reedSolomonCombiner } from './reed-solomon.ts';

export type InsufficientElements = { readonly code: 'erasure.insufficient' };
export type UnknownCode = { readonly code: 'erasure.unknown-code' };

export interface ErasureCode {
  readonly code: Code;
  /** The m parity elements of k data elements, all of one length. */
  encode(data: readonly Uint8Array[]): Bytes[];
  /** Whether the elements of these indices yield all others. Repeated indices, and those that the code does not have, add nothing. */
  sufficient(indices: Iterable<number>): boolean;
  /** New copies of the wanted elements, data, parity or further ones, by index. */
  decode(
    available: ReadonlyMap<number, Uint8Array>,
    wanted: readonly number[],
  ): Outcome<Map<number, Bytes>, InsufficientElements>;
  /** As `decode`, but into areas that the caller gives, by index and as long as an element. */
  decodeInto(
    available: ReadonlyMap<number, Uint8Array>,
    wanted: ReadonlyMap<number, Uint8Array>,
  ): Outcome<undefined, InsufficientElements>;
}

/** A code as it was read from a peer or a descriptor, once it is one that we have. */
export function validCode(candidate: {
  readonly id: string;
  readonly dataShards: number;
  readonly parityShards: number;
}): Outcome<Code, UnknownCode> {
  const { id, dataShards, parityShards } = candidate;
  const counted =
    Number.isInteger(dataShards) &&
    Number.isInteger(parityShards) &&
    dataShards >= 1 &&
    parityShards >= 0 &&
    dataShards + parityShards <= shardsMaximum;
  if (!counted || !isCodeId(id)) return failed({ code: 'erasure.unknown-code' });
  if (id === 'parity' && parityShards !== 1) return failed({ code: 'erasure.unknown-code' });
  return succeeded({ id, dataShards, parityShards });
}

function isCodeId(id: string): id is CodeId {
  return id === 'parity' || id === 'reed-solomon';
}

/** The code at work. It holds kernel memory of about n · 64 KiB: keep it, one per thread. */
export function erasureCodeOf(code: Code, kernels: Kernels): ErasureCode {
  assert(validCode(code).ok, 'a code is valid before it is used');
  const combiner = combinerOf(code, kernels);
  const decodeInto: ErasureCode['decodeInto'] = (available, wanted) => {
    const length = checkElements(code, available, wanted);
    const missing = new Map<number, Uint8Array>();
    for (const [index, area] of wanted) {
      const element = available.get(index);
      if (element === undefined) missing.set(index, area);
      else area.set(element);
    }
    if (missing.size === 0) return succeeded(undefined);
    if (available.size < code.dataShards) return failed({ code: 'erasure.insufficient' });
    if (length > 0) combiner.combine(chosenSources(code, available), missing);
    return succeeded(undefined);
  };
  const decode: ErasureCode['decode'] = (available, wanted) => {
    const length = elementLength(available);
    const areas = new Map(wanted.map((index) => [index, new Uint8Array(length)]));
    const outcome = decodeInto(available, areas);
    return outcome.ok ? succeeded(areas) : outcome;
  };
  return {
    code,
    encode(data: readonly Uint8Array[]): Bytes[] {
      assert(data.length === code.dataShards, 'all data elements are given');
      const indices = Array.from({ length: code.parityShards }, (_, row) => code.dataShards + row);
      const outcome = decode(new Map(data.entries()), indices);
      assert(outcome.ok, 'all data elements are sufficient');
      return indices.map((index) => present(outcome.value.get(index), 'it was wanted'));
    },
    sufficient: (indices) => distinctIndices(code, indices) >= code.dataShards,
    decode,
    decodeInto,
  };
}

function combinerOf(code: Code, kernels: Kernels): Combiner {
  switch (code.id) {
    case 'parity':
      return parityCombiner(code, kernels);
    case 'reed-solomon':
      return reedSolomonCombiner(code, kernels);
    default:
      return assertNever(code.id);
  }
}

/** Both codes are optimal: any k distinct elements are sufficient. */
function distinctIndices(code: Code, indices: Iterable<number>): number {
  const distinct = new Set<number>();
  for (const index of indices) if (isIndexOf(code, index)) distinct.add(index);
  return distinct.size;
}

function isIndexOf(code: Code, index: number): boolean {
  return Number.isInteger(index) && index >= 0 && index < indexCount(code);
}

/** k of the elements, lowest indices first: data elements need the least work. */
function chosenSources(
  code: Code,
  available: ReadonlyMap<number, Uint8Array>,
): ReadonlyMap<number, Uint8Array> {
  if (available.size === code.dataShards) return available;
  const rising = [...available].sort(([left], [right]) => left - right);
  return new Map(rising.slice(0, code.dataShards));
}

function elementLength(available: ReadonlyMap<number, Uint8Array>): number {
  for (const element of available.values()) return element.length;
  return 0;
}

function checkElements(
  code: Code,
  available: ReadonlyMap<number, Uint8Array>,
  wanted: ReadonlyMap<number, Uint8Array>,
): number {
  const length = elementLength(available);
  const indices = [...available.keys(), ...wanted.keys()];
  assert(
    indices.every((index) => isIndexOf(code, index)),
    'elements have indices of the code',
  );
  for (const elements of [available, wanted])
    for (const element of elements.values())
      assert(element.length === length || available.size === 0, 'elements have one length');
  return length;
}
