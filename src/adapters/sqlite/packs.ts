/** Packs, what is in them, and where a chunk lies. */
import { assert, present } from '../../base/assert.ts';
import type { PackContents } from '../../core/packing/directory.ts';
import {
  bytesOf,
  type ChunkId,
  idBytes,
  type PackId,
  type StripeId,
} from '../../core/vocabulary/ids.ts';
import type { ChunkPlace, ChunkStore, PackRow, PackStore } from '../../ports/stores.ts';
import { ChunkIndex } from './chunk-index.ts';
import { codeIn, codeValues } from './code-columns.ts';
import type { Connection } from './connection.ts';
import { decodeContents, encodeContents } from './contents-codec.ts';
import { type PackStandings, packKinds } from './pack-standings.ts';
import {
  blobOf,
  flagOf,
  idBlob,
  idIn,
  instantOf,
  integerOf,
  optionalIdBlob,
  optionalOf,
  type Row,
  wordOf,
} from './values.ts';

type PackChange = Partial<Pick<PackRow, 'code' | 'stripe' | 'indexed' | 'spooled'>>;

/** Contents kept decoded for `place`: restores ask for neighbouring chunks of few packs. */
const contentsAtHand = 64;

interface ContentsAtHand {
  readonly pack: PackId;
  readonly contents: PackContents;
}

export class PackTable implements PackStore, ChunkStore {
  readonly #connection: Connection;
  readonly #standings: PackStandings;
  #index: ChunkIndex | undefined;
  readonly #atHand = new Map<number, ContentsAtHand>();

  constructor(connection: Connection, standings: PackStandings) {
    this.#connection = connection;
    this.#standings = standings;
    connection.onUndone(() => {
      this.#index = undefined;
      this.#atHand.clear();
    });
  }

  add(row: PackRow, contents: PackContents): void {
    const blobs = encodeContents(contents);
    if (this.#numberOf(row.pack) !== undefined) return;
    this.#connection.together(() => {
      this.#connection.run(
        `INSERT INTO pack (pack, kind, suite, salt, length_bytes, stored_at,
           code_id, data_shards, parity_shards, stripe, indexed, spooled)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        ...[idBlob(row.pack), row.kind, row.suite, row.salt, row.lengthBytes, row.storedAt],
        ...changeable(row),
      );
      const number = present(this.#numberOf(row.pack), 'the pack was added');
      this.#connection.run(
        'INSERT INTO pack_contents VALUES (?, ?, ?, ?)',
        ...[number, blobs.chunkIds, blobs.chunkPlaces, blobs.frames],
      );
      this.#index?.addPack(number, blobs.chunkIds);
      this.#standings.added(row);
    });
  }

  get(pack: PackId): PackRow | undefined {
    const row = this.#connection.get('SELECT * FROM pack WHERE pack = ?', idBlob(pack));
    return row === undefined ? undefined : packRow(row);
  }

  all(): readonly PackRow[] {
    return this.#connection.all('SELECT * FROM pack ORDER BY number').map(packRow);
  }

  ofStripe(beginning: Uint8Array): readonly PackRow[] {
    const bound = (filler: number): Uint8Array => {
      const id = new Uint8Array(idBytes).fill(filler);
      id.set(beginning);
      return id;
    };
    const sql = 'SELECT * FROM pack WHERE stripe BETWEEN ? AND ? ORDER BY number';
    return this.#connection.all(sql, bound(0), bound(0xff)).map(packRow);
  }

  spooled(): readonly PackRow[] {
    return this.#connection
      .all('SELECT * FROM pack WHERE spooled = 1 ORDER BY stored_at, number')
      .map(packRow);
  }

  update(pack: PackId, change: PackChange): void {
    const row = this.get(pack);
    assert(row !== undefined, 'a pack that is updated is there');
    const changed = { ...row, ...change };
    this.#connection.run(
      `UPDATE pack SET code_id = ?, data_shards = ?, parity_shards = ?,
         stripe = ?, indexed = ?, spooled = ? WHERE pack = ?`,
      ...changeable(changed),
      idBlob(pack),
    );
    this.#standings.updated(changed);
  }

  contents(pack: PackId): PackContents | undefined {
    const number = this.#numberOf(pack);
    return number === undefined ? undefined : this.#contentsOf(number).contents;
  }

  remove(pack: PackId): void {
    const number = this.#numberOf(pack);
    if (number === undefined) return;
    const { chunkIds } = this.#contentsOf(number).contents;
    this.#connection.run('DELETE FROM pack WHERE number = ?', number);
    this.#atHand.delete(number);
    this.#index?.removePack(number, chunkIds);
    this.#standings.removed(pack);
  }

  place(chunk: ChunkId): ChunkPlace | undefined {
    const index = this.#chunkIndex();
    const entry = index.find(bytesOf(chunk), 0);
    if (entry < 0) return undefined;
    const { packNumber, chunkNumber } = index.placeOf(entry);
    const { pack, contents } = this.#contentsOf(packNumber);
    return {
      pack,
      frame: present(contents.chunkFrames[chunkNumber], 'an indexed chunk is in its pack'),
      offset: present(contents.chunkOffsets[chunkNumber], 'an indexed chunk is in its pack'),
      length: present(contents.chunkLengths[chunkNumber], 'an indexed chunk is in its pack'),
    };
  }

  known(chunkIds: Uint8Array): Uint8Array {
    assert(chunkIds.length % idBytes === 0, 'a column of whole ids');
    const index = this.#chunkIndex();
    const flags = new Uint8Array(chunkIds.length / idBytes);
    for (let row = 0; row < flags.length; row += 1)
      if (index.find(chunkIds, row * idBytes) >= 0) flags[row] = 1;
    return flags;
  }

  count(): number {
    return this.#chunkIndex().size;
  }

  #numberOf(pack: PackId): number | undefined {
    const row = this.#connection.get('SELECT number FROM pack WHERE pack = ?', idBlob(pack));
    return row === undefined ? undefined : integerOf(row['number']);
  }

  #chunkIndex(): ChunkIndex {
    if (this.#index !== undefined) return this.#index;
    const index = new ChunkIndex();
    this.#connection.each('SELECT number, chunk_ids FROM pack_contents ORDER BY number', (row) =>
      index.addPack(integerOf(row['number']), blobOf(row['chunk_ids'])),
    );
    this.#index = index;
    return index;
  }

  #contentsOf(number: number): ContentsAtHand {
    const known = this.#atHand.get(number);
    const found = known ?? this.#readContents(number);
    // The map keeps the order of insertion: its first entry is the one not used for longest.
    this.#atHand.delete(number);
    this.#atHand.set(number, found);
    if (this.#atHand.size > contentsAtHand)
      for (const oldest of this.#atHand.keys()) {
        this.#atHand.delete(oldest);
        break;
      }
    return found;
  }

  #readContents(number: number): ContentsAtHand {
    const sql = `SELECT pack, chunk_ids, chunk_places, frames
      FROM pack_contents JOIN pack USING (number) WHERE number = ?`;
    const row = present(this.#connection.get(sql, number), 'a pack has contents');
    const contents = decodeContents({
      chunkIds: blobOf(row['chunk_ids']),
      chunkPlaces: blobOf(row['chunk_places']),
      frames: blobOf(row['frames']),
    });
    return { pack: idIn<PackId>(row['pack']), contents };
  }
}

/** The columns that `update` may change, in the order of both statements. */
function changeable(row: PackRow): (string | number | Uint8Array | null)[] {
  return [
    ...codeValues(row.code),
    optionalIdBlob(row.stripe),
    row.indexed ? 1 : 0,
    row.spooled ? 1 : 0,
  ];
}

function packRow(row: Row): PackRow {
  return {
    pack: idIn(row['pack']),
    kind: wordOf(row['kind'], packKinds),
    suite: integerOf(row['suite']),
    salt: blobOf(row['salt']),
    lengthBytes: integerOf(row['length_bytes']),
    storedAt: instantOf(row['stored_at']),
    code: codeIn(row),
    stripe: optionalOf(row['stripe'], idIn<StripeId>),
    indexed: flagOf(row['indexed']),
    spooled: flagOf(row['spooled']),
  };
}
