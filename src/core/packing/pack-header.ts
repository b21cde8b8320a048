/**
 * The first 64 bytes of a pack: what it is and where its directory lies.
 *
 * The header is authenticated with the directory, which names every other byte of the pack, so a pack is wholly right or refused.
 */
import { assert } from '../../base/assert.ts';
import { type Bytes, equalBytes, utf8Bytes } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { aeadTagBytes } from '../../primitives/aead.ts';
import { packMaximumBytes } from '../vocabulary/limits.ts';
import { parseSuite, type Suite } from '../vocabulary/suite.ts';
import { frameOverheadBytes, packSaltBytes, packVersion } from './frame.ts';

export const packHeaderBytes = 64;

/** `data`: chunks of files. `tree`: trees and snapshots. `index`: what a lost catalogue is rebuilt from. */
export type PackKind = 'data' | 'tree' | 'index';

export interface PackHeader {
  readonly kind: PackKind;
  readonly suite: Suite;
  readonly salt: Bytes;
  readonly frameCount: number;
  readonly chunkCount: number;
  /** Where the frames end and the sealed directory begins. */
  readonly directoryOffset: number;
  readonly directoryBytes: number;
  /** The whole pack with its padding. */
  readonly packBytes: number;
}

export type PackFailure = {
  readonly code: 'pack.not-a-pack' | 'pack.unknown-version' | 'pack.malformed' | 'pack.bad-tag';
};

const magic = utf8Bytes('CVPK');
const kinds: readonly PackKind[] = ['data', 'tree', 'index'];

/** Each frame in the directory: stored bytes, raw bytes, chunks; 4 bytes each. */
export const frameEntryBytes = 12;
/** Each chunk in the directory: its id, and 4 bytes for its length. */
export const chunkEntryBytes = 36;

/** Bytes of the sealed directory of so many frames and chunks. */
export function directoryBytesOf(frameCount: number, chunkCount: number): number {
  return frameCount * frameEntryBytes + chunkCount * chunkEntryBytes + aeadTagBytes;
}

export function encodeHeader(header: PackHeader): Bytes {
  assert(header.salt.length === packSaltBytes, 'a pack salt has 32 bytes');
  const bytes = new Uint8Array(packHeaderBytes);
  bytes.set(magic);
  bytes.set([packVersion, header.suite, kinds.indexOf(header.kind) + 1], 4);
  bytes.set(header.salt, 8);
  const view = new DataView(bytes.buffer);
  view.setUint32(40, header.frameCount);
  view.setUint32(44, header.chunkCount);
  view.setUint32(48, header.directoryOffset);
  view.setUint32(52, header.directoryBytes);
  view.setUint32(56, header.packBytes);
  return bytes;
}

/** The header at the beginning of `bytes`: at least 64 bytes, the rest is not looked at. Not yet authenticated. */
export function readHeader(bytes: Uint8Array): Outcome<PackHeader, PackFailure> {
  if (bytes.length < packHeaderBytes) return failed({ code: 'pack.not-a-pack' });
  if (!equalBytes(bytes.subarray(0, 4), magic)) return failed({ code: 'pack.not-a-pack' });
  if (bytes[4] !== packVersion) return failed({ code: 'pack.unknown-version' });
  const suite = parseSuite(bytes[5] ?? 0);
  const kind = kinds[(bytes[6] ?? 0) - 1];
  if (suite === undefined || kind === undefined) return failed({ code: 'pack.unknown-version' });

  const view = new DataView(bytes.buffer, bytes.byteOffset, packHeaderBytes);
  const header: PackHeader = {
    kind,
    suite,
    salt: new Uint8Array(bytes.subarray(8, 40)),
    frameCount: view.getUint32(40),
    chunkCount: view.getUint32(44),
    directoryOffset: view.getUint32(48),
    directoryBytes: view.getUint32(52),
    packBytes: view.getUint32(56),
  };
  const reservedIsZero = bytes[7] === 0 && view.getUint32(60) === 0;
  return reservedIsZero && isCoherent(header)
    ? succeeded(header)
    : failed({ code: 'pack.malformed' });
}

function isCoherent(header: PackHeader): boolean {
  const { frameCount, chunkCount, directoryOffset, directoryBytes, packBytes } = header;
  const framesLeastBytes = frameCount * frameOverheadBytes;
  return (
    frameCount >= 1 &&
    chunkCount >= frameCount &&
    directoryOffset >= packHeaderBytes + framesLeastBytes &&
    directoryBytes === directoryBytesOf(frameCount, chunkCount) &&
    packBytes >= directoryOffset + directoryBytes &&
    packBytes <= packMaximumBytes
  );
}
