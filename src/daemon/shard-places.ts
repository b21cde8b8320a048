/**
 * Where every shard of a home's packs lies, and under which name: what only its owner can know, for partners see names that mean nothing to them.
 *
 * Opens the home itself, so no other process may have it open.
 */
import { join, resolve } from 'node:path';
import { homePaths, openHome } from '../adapters/disk/home.ts';
import { openCatalogue } from '../adapters/sqlite/catalogue.ts';
import { systemClock } from '../adapters/system/system-clock.ts';
import { type Outcome, succeeded } from '../base/outcome.ts';
import { codewordCount } from '../core/erasure/layout.ts';
import type { PackKind } from '../core/packing/pack-header.ts';
import { deriveKeys, type OwnerKeys } from '../core/sealing/keys.ts';
import { ShardNamer } from '../core/sealing/shard-name.ts';
import type { Code } from '../core/vocabulary/code.ts';
import { blockBytes } from '../core/vocabulary/limits.ts';
import type { PackRow, Stores } from '../ports/stores.ts';
import { openKey, type PassphraseSource } from './key-opening.ts';
import type { OperationFailure } from './operation-failure.ts';

export interface ShardPlace {
  readonly owner: string;
  readonly partner: string;
  /** What the partner calls it. */
  readonly name: string;
  readonly pack: string;
  readonly packKind: PackKind;
  readonly packBytes: number;
  readonly code: Code;
  readonly index: number;
  readonly blockCount: number;
  readonly bytes: number;
}

/** Of all shards that partners acknowledged, pack by pack. */
export async function shardPlaces(
  home: string,
  passphrase: PassphraseSource,
): Promise<Outcome<readonly ShardPlace[], OperationFailure>> {
  const opened = openHome(resolve(home), new Date(systemClock().now()).toISOString());
  if (!opened.ok) return opened;
  try {
    const seed = await openKey(opened.value.keyFile, passphrase);
    if (!seed.ok) return seed;
    const catalogue = openCatalogue(opened.value.catalogue);
    if (!catalogue.ok) return catalogue;
    try {
      return succeeded(placesIn(catalogue.value, deriveKeys(seed.value)));
    } finally {
      catalogue.value.close();
    }
  } finally {
    opened.value.close();
  }
}

function placesIn(stores: Stores, keys: OwnerKeys): readonly ShardPlace[] {
  return stores.packs.all().flatMap((row) => placesOf(stores, keys, row));
}

function placesOf(stores: Stores, keys: OwnerKeys, row: PackRow): readonly ShardPlace[] {
  const { code, stripe } = row;
  if (code === undefined || stripe === undefined) return [];
  const blockCount = codewordCount(row.lengthBytes, code.dataShards);
  const held = stores.shards.ofPack(row.pack).filter(({ phase }) => phase === 'held');
  return held.map(({ partner, index }) => ({
    owner: keys.peerId,
    partner,
    name: new ShardNamer(keys.shardNameKey, partner).nameOf(stripe, index),
    pack: row.pack,
    packKind: row.kind,
    packBytes: row.lengthBytes,
    code,
    index,
    blockCount,
    bytes: blockCount * blockBytes,
  }));
}

/** The file in the home of whoever holds the shard. */
export function heldFile(holderHome: string, { owner, name }: ShardPlace): string {
  return join(homePaths(resolve(holderHome)).held, owner, name);
}
