/**
 * The catalogue's tables, as the list of steps that lead from an empty file to the newest form.
 *
 * A step that was ever released is never changed; a new form is a new step at the end. Ids are blobs, instants milliseconds.
 */

/** `user_version` after step number i is i + 1. */
export const schemaSteps: readonly string[] = [
  `
  CREATE TABLE pack (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    pack BLOB NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    suite INTEGER NOT NULL,
    salt BLOB NOT NULL,
    length_bytes INTEGER NOT NULL,
    stored_at INTEGER NOT NULL,
    code_id TEXT,
    data_shards INTEGER,
    parity_shards INTEGER,
    stripe BLOB,
    indexed INTEGER NOT NULL,
    spooled INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX pack_spooled ON pack (stored_at, number) WHERE spooled = 1;

  -- Which chunks a pack has. Found by chunk id through the index in memory (chunk-index.ts).
  CREATE TABLE pack_contents (
    number INTEGER PRIMARY KEY REFERENCES pack ON DELETE CASCADE,
    chunk_ids BLOB NOT NULL,
    chunk_places BLOB NOT NULL,
    frames BLOB NOT NULL
  ) STRICT;

  CREATE TABLE shard (
    number INTEGER NOT NULL REFERENCES pack ON DELETE CASCADE,
    shard_index INTEGER NOT NULL,
    partner BLOB NOT NULL,
    phase TEXT NOT NULL,
    PRIMARY KEY (number, shard_index)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX shard_partner ON shard (partner);
  CREATE INDEX shard_open ON shard (number) WHERE phase <> 'held';

  -- The stripe that is to take the place of a pack's present one, and its shards.
  CREATE TABLE next_layout (
    number INTEGER PRIMARY KEY REFERENCES pack ON DELETE CASCADE,
    code_id TEXT NOT NULL,
    data_shards INTEGER NOT NULL,
    parity_shards INTEGER NOT NULL,
    stripe BLOB NOT NULL,
    reason TEXT NOT NULL,
    begun_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE next_shard (
    number INTEGER NOT NULL REFERENCES next_layout ON DELETE CASCADE,
    shard_index INTEGER NOT NULL,
    partner BLOB NOT NULL,
    phase TEXT NOT NULL,
    PRIMARY KEY (number, shard_index)
  ) STRICT, WITHOUT ROWID;

  -- Outlives the pack: its holder is still to be told.
  CREATE TABLE retired_shard (
    partner BLOB NOT NULL,
    name BLOB NOT NULL,
    pack BLOB NOT NULL,
    retired_at INTEGER NOT NULL,
    reserve INTEGER NOT NULL,
    PRIMARY KEY (partner, name)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX retired_pack ON retired_shard (pack);

  CREATE TABLE snapshot (
    snapshot BLOB PRIMARY KEY,
    body BLOB NOT NULL,
    taken_at INTEGER NOT NULL,
    phase TEXT NOT NULL
  ) STRICT;
  -- All of it but the body, which would have to be read through to reach the columns behind it.
  CREATE INDEX snapshot_head ON snapshot (taken_at, snapshot, phase);

  CREATE TABLE scan_memory (
    path BLOB PRIMARY KEY,
    signature BLOB NOT NULL,
    stat_columns BLOB NOT NULL,
    tree BLOB NOT NULL
  ) STRICT;

  CREATE TABLE tree (chunk BLOB PRIMARY KEY, body BLOB NOT NULL) STRICT;

  CREATE TABLE agreement (
    agreement BLOB PRIMARY KEY,
    partner BLOB NOT NULL,
    document BLOB NOT NULL,
    phase TEXT NOT NULL,
    partner_name TEXT NOT NULL,
    addresses TEXT NOT NULL,
    since INTEGER NOT NULL,
    last_seen_at INTEGER,
    paused INTEGER NOT NULL,
    lifecycle BLOB
  ) STRICT;
  CREATE INDEX agreement_partner ON agreement (partner);

  CREATE TABLE candidate (
    peer BLOB PRIMARY KEY,
    addresses TEXT NOT NULL,
    source TEXT NOT NULL,
    profile BLOB,
    seen_at INTEGER NOT NULL,
    next_ask_at INTEGER NOT NULL,
    refusal TEXT
  ) STRICT;

  CREATE TABLE observation (peer BLOB PRIMARY KEY, observation BLOB NOT NULL) STRICT;

  CREATE TABLE record (
    agreement BLOB NOT NULL,
    sequence INTEGER NOT NULL,
    partner BLOB NOT NULL,
    hash BLOB NOT NULL,
    document BLOB NOT NULL,
    signed_at INTEGER NOT NULL,
    PRIMARY KEY (agreement, sequence)
  ) STRICT;
  CREATE INDEX record_partner ON record (partner, signed_at);

  CREATE TABLE ledger (
    agreement BLOB NOT NULL,
    side TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    hash BLOB NOT NULL,
    document BLOB NOT NULL,
    PRIMARY KEY (agreement, side, epoch, sequence)
  ) STRICT;

  CREATE TABLE audit (
    agreement BLOB NOT NULL,
    side TEXT NOT NULL,
    challenge BLOB NOT NULL,
    phase TEXT NOT NULL,
    since INTEGER NOT NULL,
    outcome TEXT,
    document BLOB NOT NULL,
    PRIMARY KEY (agreement, side, challenge)
  ) STRICT;
  CREATE INDEX audit_phase ON audit (agreement, side, phase, outcome, since);

  CREATE TABLE audit_account (
    agreement BLOB NOT NULL,
    side TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    hash BLOB NOT NULL,
    round INTEGER NOT NULL,
    round_start INTEGER NOT NULL,
    last_at INTEGER,
    day_start INTEGER NOT NULL,
    drawn_blocks INTEGER NOT NULL,
    passed INTEGER NOT NULL,
    wrong INTEGER NOT NULL,
    PRIMARY KEY (agreement, side)
  ) STRICT;

  CREATE TABLE audited_shard (
    agreement BLOB NOT NULL,
    side TEXT NOT NULL,
    name BLOB NOT NULL,
    sequence INTEGER NOT NULL,
    block_count INTEGER NOT NULL,
    merkle_root BLOB NOT NULL,
    deleted_by INTEGER,
    visited_in INTEGER NOT NULL,
    PRIMARY KEY (agreement, side, name, sequence)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE held (
    owner BLOB NOT NULL,
    name BLOB NOT NULL,
    block_count INTEGER NOT NULL,
    merkle_root BLOB NOT NULL,
    sha256 BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    trashed_at INTEGER,
    PRIMARY KEY (owner, name)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX held_trash ON held (owner, trashed_at) WHERE trashed_at IS NOT NULL;

  -- Sums by owner, so that a quota is checked without reading every row.
  CREATE TABLE held_total (
    owner BLOB PRIMARY KEY,
    shards INTEGER NOT NULL,
    blocks INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TRIGGER held_added AFTER INSERT ON held BEGIN
    INSERT INTO held_total VALUES (NEW.owner, 1, NEW.block_count)
      ON CONFLICT DO UPDATE SET shards = shards + 1, blocks = blocks + NEW.block_count;
  END;
  CREATE TRIGGER held_changed AFTER UPDATE ON held BEGIN
    UPDATE held_total SET blocks = blocks + NEW.block_count - OLD.block_count
      WHERE owner = NEW.owner;
  END;
  CREATE TRIGGER held_removed AFTER DELETE ON held BEGIN
    UPDATE held_total SET shards = shards - 1, blocks = blocks - OLD.block_count
      WHERE owner = OLD.owner;
    DELETE FROM held_total WHERE owner = OLD.owner AND shards = 0;
  END;

  CREATE TABLE manifest (
    owner BLOB NOT NULL,
    incarnation INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    hash BLOB NOT NULL,
    document BLOB NOT NULL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (owner, hash)
  ) STRICT;

  CREATE TABLE receipt (
    manifest_hash BLOB NOT NULL,
    partner BLOB NOT NULL,
    receipt BLOB NOT NULL,
    PRIMARY KEY (manifest_hash, partner)
  ) STRICT;

  CREATE TABLE invitation (
    secret_hash BLOB PRIMARY KEY,
    space_bytes INTEGER NOT NULL,
    wants_bytes INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    redeemed_by BLOB,
    agreement BLOB
  ) STRICT;

  CREATE TABLE fact (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
  `,
  `
  CREATE INDEX pack_stripe ON pack (stripe) WHERE stripe IS NOT NULL;
  ALTER TABLE audit_account ADD COLUMN unanswered INTEGER NOT NULL DEFAULT 0;
  `,
];
