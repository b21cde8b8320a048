/** Manifests, the receipts for them, and single facts. */
import type { Bytes } from '../../base/bytes.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import type { FactStore, ManifestRow, ManifestStore } from '../../ports/stores.ts';
import type { Connection } from './connection.ts';
import { blobOf, idBlob, idIn, instantOf, integerOf, type Row } from './values.ts';

export class ManifestTable implements ManifestStore {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  put(row: ManifestRow): void {
    this.#connection.run(
      'INSERT OR REPLACE INTO manifest VALUES (?, ?, ?, ?, ?, ?)',
      ...[idBlob(row.owner), row.incarnation, row.sequence, row.hash, row.document, row.receivedAt],
    );
  }

  ofOwner(owner: PeerId): readonly ManifestRow[] {
    const sql = 'SELECT * FROM manifest WHERE owner = ? ORDER BY incarnation, sequence, hash';
    return this.#connection.all(sql, idBlob(owner)).map(manifest);
  }

  newest(owner: PeerId): ManifestRow | undefined {
    const sql = `SELECT * FROM manifest WHERE owner = ?
      ORDER BY incarnation DESC, sequence DESC, hash LIMIT 1`;
    const row = this.#connection.get(sql, idBlob(owner));
    return row === undefined ? undefined : manifest(row);
  }

  byteCount(owner: PeerId): number {
    const sql = 'SELECT coalesce(sum(length(document)), 0) AS bytes FROM manifest WHERE owner = ?';
    return integerOf(this.#connection.get(sql, idBlob(owner))?.['bytes']);
  }

  remove(owner: PeerId, hash: Bytes): void {
    this.#connection.together(() => {
      const sql = 'DELETE FROM manifest WHERE owner = ? AND hash = ?';
      this.#connection.run(sql, idBlob(owner), hash);
      this.#connection.run('DELETE FROM receipt WHERE manifest_hash = ?', hash);
    });
  }

  putReceipt(partner: PeerId, manifestHash: Bytes, receipt: Bytes): void {
    this.#connection.run(
      'INSERT OR REPLACE INTO receipt VALUES (?, ?, ?)',
      ...[manifestHash, idBlob(partner), receipt],
    );
  }

  receipts(manifestHash: Bytes): readonly { readonly partner: PeerId; readonly receipt: Bytes }[] {
    const sql = 'SELECT partner, receipt FROM receipt WHERE manifest_hash = ? ORDER BY partner';
    return this.#connection.all(sql, manifestHash).map((row) => ({
      partner: idIn<PeerId>(row['partner']),
      receipt: blobOf(row['receipt']),
    }));
  }
}

export class FactTable implements FactStore {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get(name: string): Bytes | undefined {
    const row = this.#connection.get('SELECT value FROM fact WHERE name = ?', name);
    return row === undefined ? undefined : blobOf(row['value']);
  }

  put(name: string, value: Bytes): void {
    this.#connection.run('INSERT OR REPLACE INTO fact VALUES (?, ?)', name, value);
  }
}

function manifest(row: Row): ManifestRow {
  return {
    owner: idIn(row['owner']),
    incarnation: integerOf(row['incarnation']),
    sequence: integerOf(row['sequence']),
    hash: blobOf(row['hash']),
    document: blobOf(row['document']),
    receivedAt: instantOf(row['received_at']),
  };
}
