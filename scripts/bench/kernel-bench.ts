/** The kernels, one core: coding, folding and cutting, against ISA-L where it is there. */
import { loadKernels } from '../../src/adapters/kernels/kernel-files.ts';
import { present } from '../../src/base/assert.ts';
import { mebi } from '../../src/base/units.ts';
import { erasureCodeOf } from '../../src/core/erasure/erasure-code.ts';
import type { Code } from '../../src/core/vocabulary/code.ts';
import { payloadBytes } from '../../src/core/vocabulary/limits.ts';
import type { Kernels } from '../../src/primitives/kernels/kernels.ts';
import { plainKernels } from '../../src/primitives/kernels/plain-kernels.ts';
import { atLeast, type Bar, type Findings } from './findings.ts';
import { compileIsaL, type IsaLRound } from './isa-l.ts';
import { ratiosOf, type Spread, spreadOf, spreadText } from './spread.ts';

export interface KernelBenchOptions {
  readonly rounds: number;
  readonly milliseconds: number;
  /** For the compiled program. */
  readonly folder: string;
}

interface Task {
  readonly name: string;
  /** GB of data per second of processor time. */
  readonly ours: () => number;
  readonly plain: () => number;
  readonly isaL: Pick<IsaLRound, 'k' | 'm' | 'work'> | undefined;
}

const leastOfIsaL = 0.4;

export function benchKernels(options: KernelBenchOptions): Findings {
  const isaL = compileIsaL(options.folder);
  const head = ['kernel', 'covault, GB/s', 'plain TypeScript', 'ISA-L, GB/s', 'covault ÷ ISA-L'];
  const bars: Bar[] = [];
  const rows = tasksOf(options.milliseconds).map(({ name, ours, plain, isaL: round }) => {
    const mine: number[] = [];
    const theirs: number[] = [];
    ours();
    for (let number = 0; number < options.rounds; number += 1) {
      mine.push(ours());
      if (round === undefined || !isaL.ok) continue;
      const { milliseconds } = options;
      theirs.push(isaL.value({ ...round, milliseconds, elementBytes: payloadBytes }));
    }
    const ratio: Spread | undefined = theirs.length > 0 ? ratiosOf(mine, theirs) : undefined;
    if (ratio !== undefined) bars.push(atLeast(`${name} ÷ ISA-L, per core`, leastOfIsaL, ratio));
    return [
      name,
      spreadText(spreadOf(mine)),
      plain().toFixed(2),
      theirs.length > 0 ? spreadText(spreadOf(theirs)) : '–',
      ratio === undefined ? '–' : spreadText(ratio),
    ];
  });
  const notes = [
    `GB of data per second of one core's processor time; elements of ${payloadBytes.toLocaleString('en')} bytes, in place; decoding makes m missing data elements.`,
  ];
  if (!isaL.ok) notes.push(`ISA-L was not measured: ${isaL.error}.`);
  return { title: 'Kernels', table: [head, ...rows], notes, bars };
}

function tasksOf(milliseconds: number): readonly Task[] {
  const wasm = loadKernels();
  const plain = plainKernels();
  const speed = (kernels: Kernels, prepare: (kernels: Kernels) => Work) => {
    const work = prepare(kernels);
    return () => gigabytesPerSecond(work, milliseconds);
  };
  const task = (name: string, prepare: (kernels: Kernels) => Work, isaL?: Task['isaL']): Task => ({
    name,
    ours: speed(wasm, prepare),
    plain: speed(plain, prepare),
    isaL,
  });
  const coding = ([k, m]: readonly [number, number]): readonly Task[] =>
    (['encode', 'decode'] as const).map((work) =>
      task(`Reed–Solomon ${k}+${m} ${work}`, (kernels) => codingOf(kernels, { k, m, work }), {
        ...{ k, m, work },
      }),
    );
  return [
    ...coding([10, 4]),
    ...coding([4, 4]),
    task('XOR of 4', foldingOf),
    task('gear cutting', cuttingOf),
  ];
}

interface Work {
  readonly bytes: number;
  readonly run: () => void;
}

function codingOf(kernels: Kernels, { k, m, work }: NonNullable<Task['isaL']>): Work {
  const workspace = kernels.gf256.workspace({
    inputCount: k,
    outputCount: m,
    capacityBytes: payloadBytes,
  });
  fill(workspace.inputs);
  const matrix = { rows: m, columns: k, coefficients: coefficientsOf({ k, m, work }) };
  return { bytes: k * payloadBytes, run: () => workspace.multiply(matrix, payloadBytes) };
}

/** The coefficients that the code itself uses, seen by coding unit vectors. */
function coefficientsOf({ k, m, work }: NonNullable<Task['isaL']>): Uint8Array {
  const code: Code = { id: 'reed-solomon', dataShards: k, parityShards: m };
  const codec = erasureCodeOf(code, plainKernels());
  const unit = (place: number): Uint8Array[] =>
    Array.from({ length: k }, (_, index) => Uint8Array.of(index === place ? 1 : 0));
  const coefficients = new Uint8Array(k * m);
  for (let column = 0; column < k; column += 1)
    coded(unit(column)).forEach((element, row) => {
      coefficients[row * k + column] = element[0] ?? 0;
    });
  return coefficients;

  function coded(elements: readonly Uint8Array[]): readonly Uint8Array[] {
    if (work === 'encode') return codec.encode(elements);
    const available = new Map(elements.map((element, index) => [m + index, element]));
    const wanted = Array.from({ length: m }, (_, index) => index);
    const decoded = codec.decode(available, wanted);
    if (!decoded.ok) throw new Error('k elements are enough');
    return wanted.map((index) => present(decoded.value.get(index), 'a wanted element'));
  }
}

function foldingOf(kernels: Kernels): Work {
  const workspace = kernels.xor.workspace({ inputCount: 4, capacityBytes: payloadBytes });
  fill(workspace.inputs);
  return { bytes: 4 * payloadBytes, run: () => workspace.fold(payloadBytes) };
}

function cuttingOf(kernels: Kernels): Work {
  const scanner = kernels.gear.scanner(new BigUint64Array(256).fill(3n), mebi);
  fill([scanner.area]);
  return { bytes: mebi, run: () => scanner.find(64, mebi, 0) };
}

function fill(areas: readonly Uint8Array[]): void {
  areas.forEach((area, number) => {
    area.forEach((_, index) => {
      area[index] = (Math.imul(index + number, 0x9e3779b1) >>> 13) & 255;
    });
  });
}

function gigabytesPerSecond({ bytes, run }: Work, milliseconds: number): number {
  const start = process.threadCpuUsage();
  let count = 0;
  let spentUs = 0;
  do {
    // Asking for the time must not cost more than a small part of what is measured.
    for (let done = 0; done < mebi; done += bytes) {
      run();
      count += 1;
    }
    const spent = process.threadCpuUsage(start);
    spentUs = spent.user + spent.system;
  } while (spentUs < milliseconds * 1_000);
  return (count * bytes) / spentUs / 1_000;
}
