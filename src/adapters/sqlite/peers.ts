/** What is remembered of peers besides agreements: candidates, observations, and the track record with each. */
import { assert } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import type { AgreementId, PeerId } from '../../core/vocabulary/ids.ts';
import type {
  CandidateRow,
  CandidateSource,
  CandidateStore,
  ObservationStore,
  RecordRow,
  RecordStore,
} from '../../ports/peer-stores.ts';
import type { Connection } from './connection.ts';
import {
  addressesIn,
  blobOf,
  idBlob,
  idIn,
  instantOf,
  integerOf,
  optionalOf,
  type Row,
  textOf,
  wordOf,
} from './values.ts';

const sources: readonly CandidateSource[] = [
  ...(['invite', 'multicast', 'dht', 'partner', 'configured', 'asked-us'] as const),
];

export class CandidateTable implements CandidateStore {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  put(row: CandidateRow): void {
    this.#connection.run(
      'INSERT OR REPLACE INTO candidate VALUES (?, ?, ?, ?, ?, ?, ?)',
      ...[idBlob(row.peer), JSON.stringify(row.addresses), row.source, row.profile ?? null],
      ...[row.seenAt, row.nextAskAt, row.refusal ?? null],
    );
  }

  get(peer: PeerId): CandidateRow | undefined {
    const row = this.#connection.get('SELECT * FROM candidate WHERE peer = ?', idBlob(peer));
    return row === undefined ? undefined : candidate(row);
  }

  all(): readonly CandidateRow[] {
    return this.#connection
      .all('SELECT * FROM candidate ORDER BY seen_at DESC, peer')
      .map(candidate);
  }

  remove(peer: PeerId): void {
    this.#connection.run('DELETE FROM candidate WHERE peer = ?', idBlob(peer));
  }
}

export class ObservationTable implements ObservationStore {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get(peer: PeerId): Bytes | undefined {
    const sql = 'SELECT observation FROM observation WHERE peer = ?';
    const row = this.#connection.get(sql, idBlob(peer));
    return row === undefined ? undefined : blobOf(row['observation']);
  }

  put(peer: PeerId, observation: Bytes): void {
    const sql = 'INSERT OR REPLACE INTO observation VALUES (?, ?)';
    this.#connection.run(sql, idBlob(peer), observation);
  }

  remove(peer: PeerId): void {
    this.#connection.run('DELETE FROM observation WHERE peer = ?', idBlob(peer));
  }
}

export class RecordTable implements RecordStore {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  append(row: RecordRow): void {
    const head = this.head(row.agreement);
    assert(
      head === undefined || row.sequence === head.sequence + 1,
      'a receipt follows the last of its agreement',
    );
    this.#connection.run(
      `INSERT INTO record (agreement, sequence, partner, hash, document, signed_at)
       VALUES (?, ?, ?, ?, ?, ?)`,
      ...[idBlob(row.agreement), row.sequence, idBlob(row.partner)],
      ...[row.hash, row.document, row.signedAt],
    );
  }

  head(agreement: AgreementId): RecordRow | undefined {
    const sql = 'SELECT * FROM record WHERE agreement = ? ORDER BY sequence DESC LIMIT 1';
    const row = this.#connection.get(sql, idBlob(agreement));
    return row === undefined ? undefined : record(row);
  }

  ofAgreement(agreement: AgreementId): readonly RecordRow[] {
    const sql = 'SELECT * FROM record WHERE agreement = ? ORDER BY sequence';
    return this.#connection.all(sql, idBlob(agreement)).map(record);
  }

  newestWith(partner: PeerId): RecordRow | undefined {
    const sql = `SELECT * FROM record WHERE partner = ?
      ORDER BY signed_at DESC, sequence DESC, agreement LIMIT 1`;
    const row = this.#connection.get(sql, idBlob(partner));
    return row === undefined ? undefined : record(row);
  }
}

function candidate(row: Row): CandidateRow {
  return {
    peer: idIn(row['peer']),
    addresses: addressesIn(row['addresses']),
    source: wordOf(row['source'], sources),
    profile: optionalOf(row['profile'], blobOf),
    seenAt: instantOf(row['seen_at']),
    nextAskAt: instantOf(row['next_ask_at']),
    refusal: optionalOf(row['refusal'], textOf),
  };
}

function record(row: Row): RecordRow {
  return {
    agreement: idIn(row['agreement']),
    partner: idIn(row['partner']),
    sequence: integerOf(row['sequence']),
    hash: blobOf(row['hash']),
    document: blobOf(row['document']),
    signedAt: instantOf(row['signed_at']),
  };
}
