/** What is used of WebAssembly, typed: neither the language's libraries nor Node's declare it. */
import type { Bytes } from '../../base/bytes.ts';

const pageBytes = 65_536;

/** The functions of assembly/galois.ts and assembly/gear.ts. Positions are byte offsets in the instance's memory. */
export interface KernelFunctions {
  multiplyFour: MultiplyRows;
  multiplyTwo: MultiplyRows;
  multiplyOne(
    inputs: number,
    inputStride: number,
    columns: number,
    tables: number,
    output: number,
    length: number,
  ): void;
  fold(inputs: number, inputStride: number, columns: number, output: number, length: number): void;
  find(table: number, start: number, end: number, threshold: bigint): number;
}

type MultiplyRows = (
  inputs: number,
  inputStride: number,
  columns: number,
  tables: number,
  outputs: number,
  outputStride: number,
  length: number,
) => void;

export interface KernelInstance {
  /** Zeros at first; its size never changes. */
  readonly memory: ArrayBuffer;
  readonly run: KernelFunctions;
}

export interface KernelModule {
  /** A new instance on its own memory of at least `lengthBytes`. */
  instance(lengthBytes: number): KernelInstance;
}

interface Memory {
  readonly buffer: ArrayBuffer;
}

interface WebAssemblyApi {
  validate(bytes: Bytes): boolean;
  readonly Module: new (bytes: Bytes) => object;
  readonly Memory: new (limits: { initial: number; maximum: number }) => Memory;
  readonly Instance: new (
    module: object,
    imports: { readonly env: { readonly memory: Memory } },
  ) => { readonly exports: KernelFunctions };
}

const { WebAssembly: api } = globalThis as unknown as { readonly WebAssembly: WebAssemblyApi };

/** The module, or undefined when the engine does not know its instructions. */
export function kernelModule(bytes: Bytes): KernelModule | undefined {
  if (!api.validate(bytes)) return undefined;
  const module = new api.Module(bytes);
  return {
    instance(lengthBytes: number): KernelInstance {
      const pages = Math.max(1, Math.ceil(lengthBytes / pageBytes));
      const memory = new api.Memory({ initial: pages, maximum: pages });
      const { exports } = new api.Instance(module, { env: { memory } });
      return { memory: memory.buffer, run: exports };
    },
  };
}
