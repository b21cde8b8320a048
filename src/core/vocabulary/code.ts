/** An erasure code as it is named in descriptors and agreements. */

export type CodeId = 'parity' | 'reed-solomon';

export interface Code {
  readonly id: CodeId;
  /** k: shards that hold the pack itself. */
  readonly dataShards: number;
  /** m: shards that hold redundancy. */
  readonly parityShards: number;
}

export function shardCount(code: Code): number {
  return code.dataShards + code.parityShards;
}

/** How a code is written for people: `4+4`. */
export function codeText(code: Code): string {
  return `${code.dataShards}+${code.parityShards}`;
}
