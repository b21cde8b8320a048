/**
 * What partners hold, looked at from outside: in their catalogues and on their disks, and against what the owner's catalogue says is held.
 *
 * The program's own words are not taken: files are hashed here, and shard names are derived from the owner's kit.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import { parseKit } from '../../src/core/recovery/kit.ts';
import { deriveKeys, type OwnerKeys } from '../../src/core/sealing/keys.ts';
import { ShardNamer } from '../../src/core/sealing/shard-name.ts';
import { idOf, type PeerId, type StripeId } from '../../src/core/vocabulary/ids.ts';
import type { Home } from './circle.ts';

type Row = Readonly<Record<string, SQLOutputValue>>;

/** Rows of a home's catalogue, whether or not a process has it open. */
export function catalogueRows(home: Home, sql: string): readonly Row[] {
  const database = new DatabaseSync(join(home.path, 'catalog.db'), {
    readOnly: true,
    timeout: 10_000,
  });
  try {
    return database.prepare(sql).all();
  } finally {
    database.close();
  }
}

function hex(value: SQLOutputValue | undefined): string {
  assert.ok(value instanceof Uint8Array, 'an id is bytes');
  return Buffer.from(value).toString('hex');
}

export function keysOfKit(file: string): OwnerKeys {
  const kit = parseKit(readFileSync(file, 'utf8'));
  assert.ok(kit.ok, 'the kit reads');
  return deriveKeys(kit.value.rootSeed);
}

/** Looks at shards once while they stay as they are, or at all of them again. */
export class HeldCheck {
  readonly #keys: OwnerKeys;
  readonly #partners: ReadonlyMap<PeerId, Home>;
  readonly #seen = new Set<string>();

  constructor(keys: OwnerKeys, partners: ReadonlyMap<PeerId, Home>) {
    this.#keys = keys;
    this.#partners = partners;
  }

  /** Every shard that a partner acknowledged is whole on its disk. Gives how many there are. */
  partnersHoldWhatTheyAcknowledged(again = false): number {
    if (again) this.#seen.clear();
    let count = 0;
    for (const home of this.#partners.values()) {
      const rows = catalogueRows(
        home,
        'SELECT owner, name, block_count, sha256, sequence FROM held WHERE trashed_at IS NULL',
      );
      count += rows.length;
      for (const row of rows) this.#look(home, row);
      this.#ledgerIsWhole(home);
    }
    return count;
  }

  #look(home: Home, row: Row): void {
    const blob = join(home.path, 'held', hex(row['owner']), hex(row['name']));
    const key = `${blob} ${String(row['sequence'])}`;
    if (this.#seen.has(key)) return;
    const bytes = readFileSync(blob);
    assert.equal(bytes.length, Number(row['block_count']) * 65_536, `${blob} has its length`);
    assert.equal(
      createHash('sha256').update(bytes).digest('hex'),
      hex(row['sha256']),
      `${blob} is what was acknowledged`,
    );
    this.#seen.add(key);
  }

  /** Acknowledgements are numbered without a gap, and each held shard has one. */
  #ledgerIsWhole(home: Home): void {
    const [row] = catalogueRows(
      home,
      `SELECT count(*) AS entries, coalesce(max(sequence), 0) AS last,
        (SELECT count(*) FROM held WHERE sequence NOT IN
          (SELECT sequence FROM ledger WHERE side = 'holder')) AS orphans
        FROM ledger WHERE side = 'holder'`,
    );
    assert.equal(row?.['entries'], row?.['last'], `${home.name}'s ledger has a gap`);
    assert.equal(row?.['orphans'], 0, `${home.name} holds shards that it never acknowledged`);
  }

  /** Every shard that the owner counts as held is in the catalogue of the partner that it names. Gives how many there are. */
  ownersHeldShardsAreThere(owner: Home): number {
    const rows = catalogueRows(
      owner,
      `SELECT pack.stripe AS stripe, shard_index, partner FROM shard JOIN pack USING (number)
        WHERE phase = 'held'`,
    );
    const names = new Map<PeerId, ReadonlySet<string>>();
    for (const [partner, home] of this.#partners)
      names.set(
        partner,
        new Set(catalogueRows(home, 'SELECT name FROM held').map((row) => hex(row['name']))),
      );
    const namers = new Map(
      [...this.#partners.keys()].map((partner) => [
        partner,
        new ShardNamer(this.#keys.shardNameKey, partner),
      ]),
    );
    for (const row of rows) {
      const partner = hex(row['partner']) as PeerId;
      const stripe = idOf<StripeId>(row['stripe'] as Uint8Array);
      const name = namers.get(partner)?.nameOf(stripe, Number(row['shard_index']));
      assert.ok(
        name !== undefined && names.get(partner)?.has(name),
        `shard ${String(row['shard_index'])} of ${stripe} counts as held, but is not there`,
      );
    }
    return rows.length;
  }
}
