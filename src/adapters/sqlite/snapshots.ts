/** Snapshots, and what makes the next one fast: the memory of the last scan, and trees at hand. */
import { assert } from '../../base/assert.ts';
import { type Bytes, concatBytes } from '../../base/bytes.ts';
import { type ChunkId, idBytes, idOf, type SnapshotId } from '../../core/vocabulary/ids.ts';
import type {
  ScanMemory,
  ScanMemoryRow,
  SnapshotHead,
  SnapshotPhase,
  SnapshotRow,
  SnapshotStore,
  TreeCache,
} from '../../ports/stores.ts';
import type { Connection } from './connection.ts';
import { blobOf, idBlob, idIn, instantOf, type Row, wordOf } from './values.ts';

const phases: readonly SnapshotPhase[] = ['captured', 'protected', 'complete'];

export class SnapshotTable implements SnapshotStore {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  put(row: SnapshotRow): void {
    this.#connection.run(
      'INSERT OR REPLACE INTO snapshot (snapshot, body, taken_at, phase) VALUES (?, ?, ?, ?)',
      ...[idBlob(row.snapshot), row.body, row.takenAt, row.phase],
    );
  }

  all(): readonly SnapshotRow[] {
    return this.#connection.all('SELECT * FROM snapshot ORDER BY taken_at, snapshot').map(snapshot);
  }

  heads(): readonly SnapshotHead[] {
    // These columns all lie in the index `snapshot_head`: bodies are not touched.
    return this.#connection
      .all('SELECT snapshot, taken_at, phase FROM snapshot ORDER BY taken_at, snapshot')
      .map(head);
  }

  get(id: SnapshotId): SnapshotRow | undefined {
    const row = this.#connection.get('SELECT * FROM snapshot WHERE snapshot = ?', idBlob(id));
    return row === undefined ? undefined : snapshot(row);
  }

  setPhase(id: SnapshotId, phase: SnapshotPhase): void {
    assert(this.get(id) !== undefined, 'a snapshot whose phase is set is there');
    this.#connection.run('UPDATE snapshot SET phase = ? WHERE snapshot = ?', phase, idBlob(id));
  }

  remove(id: SnapshotId): void {
    this.#connection.run('DELETE FROM snapshot WHERE snapshot = ?', idBlob(id));
  }
}

export class ScanTable implements ScanMemory {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get(path: Uint8Array): ScanMemoryRow | undefined {
    const row = this.#connection.get('SELECT * FROM scan_memory WHERE path = ?', path);
    if (row === undefined) return undefined;
    return {
      path: blobOf(row['path']),
      signature: blobOf(row['signature']),
      columns: blobOf(row['stat_columns']),
      tree: splitIds(blobOf(row['tree'])),
    };
  }

  putAll(rows: readonly ScanMemoryRow[]): void {
    this.#connection.together(() => {
      for (const row of rows)
        this.#connection.run(
          'INSERT OR REPLACE INTO scan_memory VALUES (?, ?, ?, ?)',
          ...[row.path, row.signature, row.columns, concatBytes(row.tree.map(idBlob))],
        );
    });
  }

  clear(): void {
    this.#connection.run('DELETE FROM scan_memory');
  }
}

export class TreeTable implements TreeCache {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get(chunk: ChunkId): Bytes | undefined {
    const row = this.#connection.get('SELECT body FROM tree WHERE chunk = ?', idBlob(chunk));
    return row === undefined ? undefined : blobOf(row['body']);
  }

  putAll(trees: readonly { readonly chunk: ChunkId; readonly body: Bytes }[]): void {
    this.#connection.together(() => {
      for (const { chunk, body } of trees)
        this.#connection.run('INSERT OR REPLACE INTO tree VALUES (?, ?)', idBlob(chunk), body);
    });
  }
}

function snapshot(row: Row): SnapshotRow {
  return { ...head(row), body: blobOf(row['body']) };
}

function head(row: Row): SnapshotHead {
  return {
    snapshot: idIn(row['snapshot']),
    takenAt: instantOf(row['taken_at']),
    phase: wordOf(row['phase'], phases),
  };
}

function splitIds(column: Bytes): ChunkId[] {
  return Array.from({ length: column.length / idBytes }, (_, row) =>
    idOf<ChunkId>(column.subarray(row * idBytes, (row + 1) * idBytes)),
  );
}
