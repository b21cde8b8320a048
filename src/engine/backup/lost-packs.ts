/**
 * Packs that the disk lost before partners had enough of them, and which snapshots rest on what was in them.
 *
 * Such a snapshot is whole again once its chunks were read anew, as they are when the files still have the same contents; until then it must not
 * count as protected, though every pack that is left does.
 */
import { assert } from '../../base/assert.ts';
import { type Bytes, concatBytes } from '../../base/bytes.ts';
import { decodeCbor, encodeCbor } from '../../base/codec.ts';
import type { Instant } from '../../base/units.ts';
import { protectionOf } from '../../core/placement/code-choice.ts';
import { bytesOf, type ChunkId, idBytes, idOf, type PackId } from '../../core/vocabulary/ids.ts';
import type { Stores } from '../../ports/stores.ts';

const names = { unreadable: 'packs-unreadable', lost: 'packs-lost' } as const;
const factMaximumBytes = 1 << 28;

export interface LostPack {
  readonly storedAt: Instant;
  /** Backups that began later do without it. */
  readonly droppedAt: Instant;
  /** 32 bytes a chunk. */
  readonly chunks: Bytes;
}

export const lostPacks = {
  /** Packs found damaged or gone in the spool and not dropped yet. */
  unreadable(stores: Stores): readonly PackId[] {
    return idsIn<PackId>(stores.facts.get(names.unreadable) ?? new Uint8Array(0));
  },

  setUnreadable(stores: Stores, packs: Iterable<PackId>): void {
    stores.facts.put(names.unreadable, concatBytes([...packs].map(bytesOf)));
  },

  note(stores: Stores, lost: LostPack): void {
    write(stores, [...read(stores), lost]);
  },

  /** Those with chunks that are nowhere, or in no pack yet that is protected. The others are forgotten. */
  open(stores: Stores): readonly LostPack[] {
    const all = read(stores);
    const open = all.filter(({ chunks }) => !isMadeGood(stores, chunks));
    if (open.length < all.length) write(stores, open);
    return open;
  },
} as const;

/** Whether a snapshot taken at `takenAt`, the next one at `until`, may rest on one of these. */
export function restsOnLost(
  lost: readonly LostPack[],
  snapshot: { readonly takenAt: Instant; readonly until: number },
): boolean {
  return lost.some(
    ({ storedAt, droppedAt }) => storedAt < snapshot.until && snapshot.takenAt <= droppedAt,
  );
}

function isMadeGood(stores: Stores, chunks: Bytes): boolean {
  const packs = new Set<PackId>();
  for (const chunk of idsIn<ChunkId>(chunks)) {
    const place = stores.chunks.place(chunk);
    if (place === undefined) return false;
    packs.add(place.pack);
  }
  return [...packs].every((pack) => {
    const code = stores.packs.get(pack)?.code;
    const held = stores.shards.ofPack(pack).filter(({ phase }) => phase === 'held').length;
    return code !== undefined && protectionOf(held, code) !== 'unprotected';
  });
}

function read(stores: Stores): readonly LostPack[] {
  const value = stores.facts.get(names.lost);
  if (value === undefined) return [];
  const decoded = decodeCbor(value, factMaximumBytes);
  assert(decoded.ok && Array.isArray(decoded.value), 'what was lost is a list');
  return decoded.value.map((entry) => {
    assert(Array.isArray(entry), 'an entry of what was lost');
    const [storedAt, droppedAt, chunks] = entry;
    return { storedAt, droppedAt, chunks } as LostPack;
  });
}

function write(stores: Stores, lost: readonly LostPack[]): void {
  const entries = lost.map(({ storedAt, droppedAt, chunks }) => [storedAt, droppedAt, chunks]);
  stores.facts.put(names.lost, encodeCbor(entries));
}

function idsIn<Id extends string>(column: Bytes): Id[] {
  const ids: Id[] = [];
  for (let at = 0; at < column.length; at += idBytes)
    ids.push(idOf(column.subarray(at, at + idBytes)) as string as Id);
  return ids;
}
