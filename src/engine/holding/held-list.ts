/** Lists of shards held for others that the catalogue keeps as one value: what rotted, what is still to be removed. */
import { concatBytes } from '../../base/bytes.ts';
import {
  bytesOf,
  idBytes,
  idOf,
  type PeerId,
  type ShardName,
  shardNameBytes,
} from '../../core/vocabulary/ids.ts';
import type { Stores } from '../../ports/stores.ts';

export interface HeldShard {
  readonly owner: PeerId;
  readonly name: ShardName;
}

export class HeldList {
  readonly #factName: string;

  constructor(factName: string) {
    this.#factName = factName;
  }

  read({ facts }: Pick<Stores, 'facts'>): readonly HeldShard[] {
    const column = facts.get(this.#factName) ?? new Uint8Array(0);
    const shards: HeldShard[] = [];
    const entryBytes = idBytes + shardNameBytes;
    for (let at = 0; at < column.length; at += entryBytes) {
      const name = column.subarray(at + idBytes, at + entryBytes);
      shards.push({ owner: idOf(column.subarray(at, at + idBytes)), name: idOf(name) });
    }
    return shards;
  }

  write({ facts }: Pick<Stores, 'facts'>, shards: readonly HeldShard[]): void {
    const parts = shards.flatMap(({ owner, name }) => [bytesOf(owner), bytesOf(name)]);
    facts.put(this.#factName, concatBytes(parts));
  }
}
