/** Agreements with partners, the ledgers of acknowledgements under them, and invitations to more. */

import { assert } from '../../base/assert.ts';
import type { LedgerPlace } from '../../core/agreements/acknowledgement.ts';
import { lifecyclePhases } from '../../core/partners/lifecycle-phase.ts';
import type { AgreementId, PeerId } from '../../core/vocabulary/ids.ts';
import type {
  AgreementPhase,
  AgreementRow,
  AgreementStore,
  InvitationRow,
  InvitationStore,
  LedgerRow,
  LedgerSide,
  LedgerStore,
} from '../../ports/stores.ts';
import type { Connection } from './connection.ts';
import {
  addressesIn,
  blobOf,
  flagOf,
  idBlob,
  idIn,
  instantOf,
  integerOf,
  optionalIdBlob,
  optionalOf,
  type Row,
  textOf,
  wordOf,
} from './values.ts';

const phases: readonly AgreementPhase[] = ['proposed', ...lifecyclePhases];
const sides: readonly LedgerSide[] = ['owner', 'holder'];

export class AgreementTable implements AgreementStore {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  put(row: AgreementRow): void {
    this.#connection.run(
      'INSERT OR REPLACE INTO agreement VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      ...[idBlob(row.agreement), idBlob(row.partner), row.document, row.phase, row.partnerName],
      ...[JSON.stringify(row.addresses), row.since, row.lastSeenAt ?? null],
      ...[row.paused ? 1 : 0, row.lifecycle ?? null],
    );
  }

  get(id: AgreementId): AgreementRow | undefined {
    const row = this.#connection.get('SELECT * FROM agreement WHERE agreement = ?', idBlob(id));
    return row === undefined ? undefined : agreement(row);
  }

  ofPartner(partner: PeerId): AgreementRow | undefined {
    const sql = `SELECT * FROM agreement WHERE partner = ?
      ORDER BY phase = 'ended', since DESC, agreement LIMIT 1`;
    const row = this.#connection.get(sql, idBlob(partner));
    return row === undefined ? undefined : agreement(row);
  }

  all(): readonly AgreementRow[] {
    return this.#connection.all('SELECT * FROM agreement ORDER BY since, agreement').map(agreement);
  }

  remove(id: AgreementId): void {
    this.#connection.run('DELETE FROM agreement WHERE agreement = ?', idBlob(id));
  }
}

export class LedgerTable implements LedgerStore {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  append(row: LedgerRow): void {
    const head = this.head(row.agreement, row.side);
    assert(
      head === undefined ||
        row.epoch > head.epoch ||
        (row.epoch === head.epoch && row.sequence === head.sequence + 1),
      'an entry of a ledger follows its head',
    );
    this.#connection.run(
      'INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?)',
      ...[idBlob(row.agreement), row.side, row.epoch, row.sequence, row.hash, row.document],
    );
  }

  head(agreementId: AgreementId, side: LedgerSide): LedgerRow | undefined {
    const sql = `SELECT * FROM ledger WHERE agreement = ? AND side = ?
      ORDER BY epoch DESC, sequence DESC LIMIT 1`;
    const row = this.#connection.get(sql, idBlob(agreementId), side);
    return row === undefined ? undefined : ledgerRow(row);
  }

  get(agreementId: AgreementId, side: LedgerSide, place: LedgerPlace): LedgerRow | undefined {
    const row = this.#connection.get(
      'SELECT * FROM ledger WHERE agreement = ? AND side = ? AND epoch = ? AND sequence = ?',
      ...[idBlob(agreementId), side, place.epoch, place.sequence],
    );
    return row === undefined ? undefined : ledgerRow(row);
  }
}

export class InvitationTable implements InvitationStore {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  put(row: InvitationRow): void {
    this.#connection.run(
      'INSERT OR REPLACE INTO invitation VALUES (?, ?, ?, ?, ?, ?)',
      ...[row.secretHash, row.spaceBytes, row.wantsBytes, row.expiresAt],
      ...[optionalIdBlob(row.redeemedBy), optionalIdBlob(row.agreement)],
    );
  }

  get(secretHash: Uint8Array): InvitationRow | undefined {
    const row = this.#connection.get('SELECT * FROM invitation WHERE secret_hash = ?', secretHash);
    return row === undefined ? undefined : invitation(row);
  }

  all(): readonly InvitationRow[] {
    return this.#connection
      .all('SELECT * FROM invitation ORDER BY expires_at, secret_hash')
      .map(invitation);
  }
}

function agreement(row: Row): AgreementRow {
  return {
    agreement: idIn(row['agreement']),
    partner: idIn(row['partner']),
    document: blobOf(row['document']),
    phase: wordOf(row['phase'], phases),
    partnerName: textOf(row['partner_name']),
    addresses: addressesIn(row['addresses']),
    since: instantOf(row['since']),
    lastSeenAt: optionalOf(row['last_seen_at'], instantOf),
    paused: flagOf(row['paused']),
    lifecycle: optionalOf(row['lifecycle'], blobOf),
  };
}

function ledgerRow(row: Row): LedgerRow {
  return {
    agreement: idIn(row['agreement']),
    side: wordOf(row['side'], sides),
    epoch: integerOf(row['epoch']),
    sequence: integerOf(row['sequence']),
    hash: blobOf(row['hash']),
    document: blobOf(row['document']),
  };
}

function invitation(row: Row): InvitationRow {
  return {
    secretHash: blobOf(row['secret_hash']),
    spaceBytes: integerOf(row['space_bytes']),
    wantsBytes: integerOf(row['wants_bytes']),
    expiresAt: instantOf(row['expires_at']),
    redeemedBy: optionalOf(row['redeemed_by'], idIn<PeerId>),
    agreement: optionalOf(row['agreement'], idIn<AgreementId>),
  };
}
