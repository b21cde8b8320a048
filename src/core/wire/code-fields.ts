/** An erasure code as a field of documents: `[id, k, m]`. */
import type { CborValue } from '../../base/codec.ts';
import type { FieldReader } from '../../base/document.ts';
import type { Code, CodeId } from '../vocabulary/code.ts';
import { shardsMaximum } from '../vocabulary/limits.ts';

const codeIds: readonly CodeId[] = ['parity', 'reed-solomon'];

export function codeFields(code: Code): CborValue {
  return [code.id, code.dataShards, code.parityShards];
}

export function readCode(fields: FieldReader): Code {
  return fields.record((record) => {
    const id = record.choice(codeIds);
    const dataShards = record.uint(shardsMaximum);
    const parityShards = record.uint(shardsMaximum);
    record.require(dataShards > 0, 'at least one data shard');
    record.require(dataShards + parityShards <= shardsMaximum, 'at most 255 shards');
    record.require(id !== 'parity' || parityShards === 1, 'parity has one shard of redundancy');
    return { id, dataShards, parityShards };
  });
}
