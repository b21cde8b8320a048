/** An erasure code as it is named in descriptors and agreements. */
import { assertNever } from '../../base/assert.ts';
import { shardsMaximum } from './limits.ts';

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

/**
 * How many indices the shards of a stripe may have, of which n are laid out at a time: Reed–Solomon has further shards, of which each stands in for any other;
 * parity has not.
 */
export function indexCount(code: Code): number {
  switch (code.id) {
    case 'parity':
      return shardCount(code);
    case 'reed-solomon':
      return shardsMaximum;
    default:
      return assertNever(code.id);
  }
}

/** How a code is written for people: `4+4`. */
export function codeText(code: Code): string {
  return `${code.dataShards}+${code.parityShards}`;
}
