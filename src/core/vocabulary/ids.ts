/**
 * Names of things. In memory an id is lower-case hexadecimal text (cheap as a map key, readable in a log); in formats and in
 * the catalogue it is bytes.
 */
import { assert, present } from '../../base/assert.ts';
import { type Bytes, hexBytes, hexText } from '../../base/bytes.ts';
import type { Brand } from '../../base/units.ts';

/** A computer: its Ed25519 public key, 32 bytes. */
export type PeerId = Brand<string, 'PeerId'>;
/** A chunk of a file, a tree or a snapshot: HMAC-SHA-256 of its bytes under the owner's chunk id key, 32 bytes. */
export type ChunkId = Brand<string, 'ChunkId'>;
/** A pack: SHA-256 of all its bytes, 32 bytes. */
export type PackId = Brand<string, 'PackId'>;
/** A pack under one code: 32 bytes. See `stripeIdOf`. */
export type StripeId = Brand<string, 'StripeId'>;
/** What a partner calls a shard that it holds: 16 bytes, meaningless to it. */
export type ShardName = Brand<string, 'ShardName'>;
/** An agreement: SHA-256 of its signed body, 32 bytes. */
export type AgreementId = Brand<string, 'AgreementId'>;
/** A snapshot: the chunk id of its encoded form, 32 bytes. */
export type SnapshotId = Brand<string, 'SnapshotId'>;

type AnyId = PeerId | ChunkId | PackId | StripeId | ShardName | AgreementId | SnapshotId;

export const idBytes = 32;
export const shardNameBytes = 16;

/** The id whose bytes these are; the caller has checked their number. */
export function idOf<Id extends AnyId>(bytes: Uint8Array): Id {
  assert(bytes.length === idBytes || bytes.length === shardNameBytes, 'an id has 32 or 16 bytes');
  return hexText(bytes) as Id;
}

export function bytesOf(id: AnyId): Bytes {
  return present(hexBytes(id), 'an id is hexadecimal');
}

/** The peer id in `text`, or undefined when it is not 64 hexadecimal digits. */
export function parsePeerId(text: string): PeerId | undefined {
  return /^[0-9a-f]{64}$/.test(text) ? (text as PeerId) : undefined;
}

/** A snapshot is stored as the chunk of the same id. */
export function chunkOfSnapshot(snapshot: SnapshotId): ChunkId {
  return snapshot as string as ChunkId;
}
