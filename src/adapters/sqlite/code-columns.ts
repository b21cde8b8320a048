/** An erasure code as three columns of a row, all empty until there is one. */
import type { Code, CodeId } from '../../core/vocabulary/code.ts';
import { integerOf, type Row, wordOf } from './values.ts';

const codeIds: readonly CodeId[] = ['parity', 'reed-solomon'];

export function codeValues(code: Code | undefined): (string | number | null)[] {
  return code === undefined ? [null, null, null] : [code.id, code.dataShards, code.parityShards];
}

export function codeIn(row: Row): Code | undefined {
  if (row['code_id'] === null) return undefined;
  return {
    id: wordOf(row['code_id'], codeIds),
    dataShards: integerOf(row['data_shards']),
    parityShards: integerOf(row['parity_shards']),
  };
}
