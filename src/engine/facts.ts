/** Single values that the engine keeps in the catalogue, each with its name and form. */
import { assert, present } from '../base/assert.ts';
import { type Bytes, concatBytes } from '../base/bytes.ts';
import { decodeCbor, encodeCbor } from '../base/codec.ts';
import { bytesOf, idBytes, idOf, type PeerId, type SnapshotId } from '../core/vocabulary/ids.ts';
import type { Stores } from '../ports/stores.ts';

const names = {
  incarnation: 'incarnation',
  manifestDigest: 'manifest-digest',
  listedSnapshots: 'manifest-snapshots',
  recovering: 'recovering',
  rivalsSeenBy: 'manifest-rivals-seen-by',
  unconfirmed: 'inventory-unconfirmed',
  successor: 'successor-incarnation',
  absence: 'last-long-absence',
} as const;

export const facts = {
  /** Which life of this identity this is; 0 for the first. */
  incarnation(stores: Stores): number {
    const value = stores.facts.get(names.incarnation);
    return value === undefined ? 0 : numberIn(value);
  },

  setIncarnation(stores: Stores, incarnation: number): void {
    stores.facts.put(names.incarnation, encodeCbor(incarnation));
  },

  /** A recovery began here and has not come to its end. */
  recovering(stores: Stores): boolean {
    return stores.facts.get(names.recovering)?.[0] === 1;
  },

  setRecovering(stores: Stores, recovering: boolean): void {
    stores.facts.put(names.recovering, new Uint8Array([recovering ? 1 : 0]));
  },

  /** What the last manifest said; see `contentDigest` in publication.ts. */
  manifestDigest(stores: Stores): Bytes | undefined {
    return stores.facts.get(names.manifestDigest);
  },

  /** Snapshots that the last manifest names. */
  listedSnapshots(stores: Stores): readonly SnapshotId[] {
    return idsIn<SnapshotId>(stores.facts.get(names.listedSnapshots));
  },

  /** Partners that hold a manifest of this identity which is newer than our newest, or another in its place. */
  rivalsSeenBy(stores: Stores): readonly PeerId[] {
    return idsIn<PeerId>(stores.facts.get(names.rivalsSeenBy));
  },

  setRivalsSeenBy(stores: Stores, partners: readonly PeerId[]): void {
    stores.facts.put(names.rivalsSeenBy, concatBytes(partners.map(bytesOf)));
  },

  /** The later life of this identity that was seen, which ends this one; undefined: none was. */
  successor(stores: Stores): number | undefined {
    const value = stores.facts.get(names.successor);
    return value === undefined ? undefined : numberIn(value);
  },

  setSuccessor(stores: Stores, incarnation: number): void {
    stores.facts.put(names.successor, encodeCbor(incarnation));
  },

  /** When this computer came back from its last long absence, and how long that was; undefined: it had none. */
  absence(stores: Stores): { readonly until: number; readonly ms: number } | undefined {
    const value = stores.facts.get(names.absence);
    if (value === undefined) return undefined;
    const decoded = decodeCbor(value, 32);
    assert(decoded.ok && Array.isArray(decoded.value), 'an absence has an end and a length');
    const [until, ms] = decoded.value as [number, number];
    return { until, ms };
  },

  setAbsence(stores: Stores, absence: { readonly until: number; readonly ms: number }): void {
    stores.facts.put(names.absence, encodeCbor([absence.until, absence.ms]));
  },

  /** Partners that have not told since the last recovery which shards of ours they hold. */
  unconfirmed(stores: Stores): readonly PeerId[] {
    return idsIn<PeerId>(stores.facts.get(names.unconfirmed));
  },

  setUnconfirmed(stores: Stores, partners: readonly PeerId[]): void {
    stores.facts.put(names.unconfirmed, concatBytes(partners.map(bytesOf)));
  },

  setManifest(
    stores: Stores,
    manifest: { readonly digest: Bytes; readonly listed: readonly SnapshotId[] },
  ): void {
    stores.facts.put(names.manifestDigest, manifest.digest);
    stores.facts.put(names.listedSnapshots, concatBytes(manifest.listed.map(bytesOf)));
  },
} as const;

function numberIn(value: Bytes): number {
  const decoded = decodeCbor(value, 16);
  assert(decoded.ok && typeof decoded.value === 'number', 'an incarnation is a number');
  return decoded.value;
}

function idsIn<T extends PeerId | SnapshotId>(column: Bytes | undefined): readonly T[] {
  const ids: T[] = [];
  for (let at = 0; at < (column?.length ?? 0); at += idBytes)
    ids.push(idOf<T>(present(column, 'a column').subarray(at, at + idBytes)));
  return ids;
}
