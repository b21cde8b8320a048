/**
 * The manifest: the owner's signed root, held by every partner (C28, C41).
 *
 * One signature covers two parts. The header can be read by each current partner: whose manifest it is, its place in the order, and the
 * list of partners with their addresses. The body is sealed to the owner and says where the index packs lie, so that twenty-four words
 * and one partner are enough to come back. A manifest is named by the SHA-256 of its header, which names the body by its own hash.
 */
import { assert } from '../../base/assert.ts';
import { type Bytes, bigEndian, concatBytes, equalBytes } from '../../base/bytes.ts';
import {
  type DocumentFailure,
  decodeDocument,
  encodeDocument,
  type FieldReader,
  orNull,
} from '../../base/document.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import type { Instant } from '../../base/units.ts';
import {
  type AeadContext,
  type AeadKey,
  aeadKey,
  numberNonce,
  open,
  seal,
} from '../../primitives/aead.ts';
import { hashBytes, sha256 } from '../../primitives/hash.ts';
import { deriveKey } from '../../primitives/kdf.ts';
import { signatureBytes } from '../../primitives/signature.ts';
import { derivedLabels } from '../sealing/domains.ts';
import type { OwnerKeys } from '../sealing/keys.ts';
import { signDocument, verifyDocument } from '../sealing/signed-document.ts';
import { bytesOf, type PeerId } from '../vocabulary/ids.ts';
import { manifestMaximumBytes } from '../vocabulary/limits.ts';
import { cipherOf, parseSuite, type Suite } from '../vocabulary/suite.ts';
import { type Contact, contactFields, readContact, readPeer } from '../wire/contact.ts';
import { decodeManifestBody, encodeManifestBody, type ManifestBody } from './manifest-body.ts';

/** What partners can read. */
export interface ManifestHeader {
  readonly owner: PeerId;
  /** Raised whenever an owner comes back on another computer, or to an older state. */
  readonly incarnation: number;
  /** 1 for the first manifest; the next number with each one. */
  readonly sequence: number;
  /** Hash of the manifest that this one follows. Absent for the very first. */
  readonly previousHash?: Bytes;
  readonly time: Instant;
  /** SHA-256 of the sealed body. */
  readonly bodyHash: Bytes;
  /** The owner's partners (C28). */
  readonly partners: readonly Contact[];
}

export interface PublicManifest {
  readonly header: ManifestHeader;
  /** What the manifest is named by: SHA-256 of its header. */
  readonly hash: Bytes;
}

export interface Manifest extends PublicManifest {
  readonly body: ManifestBody;
}

export type ManifestFailure =
  | DocumentFailure
  | {
      readonly code:
        | 'manifest.bad-signature'
        | 'manifest.wrong-owner'
        | 'manifest.wrong-body'
        | 'manifest.unknown-suite'
        /** The seal does not open: another owner's key, or bytes that its key never sealed. */
        | 'manifest.bad-seal';
    };

export const manifestSaltBytes = 32;
export const manifestPartnersMaximum = 256;

const kind = { magic: 'covault/manifest', version: 1, limitBytes: manifestMaximumBytes };
const headerKind = {
  magic: 'covault/manifest-header',
  version: 1,
  limitBytes: 512 * 1_024,
};

export interface ManifestDraft {
  readonly header: Omit<ManifestHeader, 'owner' | 'bodyHash'>;
  readonly body: ManifestBody;
}

/** The manifest as it is sent. `salt`: 32 random bytes, new for each manifest. */
export function encodeManifest(
  draft: ManifestDraft,
  keys: Pick<OwnerKeys, 'identitySeed' | 'manifestKey' | 'peerId'>,
  sealing: { readonly salt: Bytes; readonly suite: Suite },
): Bytes {
  assert(sealing.salt.length === manifestSaltBytes, 'a manifest salt has 32 bytes');
  const place = { ...draft.header, owner: keys.peerId };
  const { key, context } = bodySeal(place, keys.manifestKey, sealing);
  const text = seal(key, context, encodeManifestBody(draft.body));
  const sealed = concatBytes([bigEndian(sealing.suite, 1), sealing.salt, text]);
  const header = encodeHeader({ ...place, bodyHash: sha256(sealed) });
  const signature = signDocument('manifest', header, keys.identitySeed);
  return encodeDocument(kind, [header, signature, sealed]);
}

/** What a partner reads, and checks before it keeps the manifest: owner, signature, and that the sealed body belongs to it. */
export function readPublicManifest(
  document: Uint8Array,
  owner: PeerId,
): Outcome<PublicManifest, ManifestFailure> {
  const parts = readParts(document, owner);
  if (!parts.ok) return parts;
  const { header, hash } = parts.value;
  return succeeded({ header, hash });
}

/** What the owner reads. */
export function openManifest(
  document: Uint8Array,
  keys: Pick<OwnerKeys, 'manifestKey' | 'peerId'>,
): Outcome<Manifest, ManifestFailure> {
  const parts = readParts(document, keys.peerId);
  if (!parts.ok) return parts;
  const { header, hash, sealed } = parts.value;
  const suite = parseSuite(sealed[0] ?? 0);
  if (suite === undefined) return failed({ code: 'manifest.unknown-suite' });
  const salt = sealed.slice(1, 1 + manifestSaltBytes);
  const { key, context } = bodySeal(header, keys.manifestKey, { salt, suite });
  const opened = open(key, context, sealed.subarray(1 + manifestSaltBytes));
  if (!opened.ok) return failed({ code: 'manifest.bad-seal' });
  const body = decodeManifestBody(opened.value);
  return body.ok ? succeeded({ header, hash, body: body.value }) : body;
}

interface ManifestParts extends PublicManifest {
  /** Suite, salt, ciphertext and tag. */
  readonly sealed: Bytes;
}

function readParts(document: Uint8Array, owner: PeerId): Outcome<ManifestParts, ManifestFailure> {
  const decoded = decodeDocument(kind, document, (fields) => ({
    headerBytes: fields.bytes({ minimum: 1, maximum: headerKind.limitBytes }),
    signature: fields.fixed(signatureBytes),
    sealed: fields.bytes({ minimum: 1 + manifestSaltBytes, maximum: manifestMaximumBytes }),
  }));
  if (!decoded.ok) return decoded;
  const { headerBytes, signature, sealed } = decoded.value;
  if (!verifyDocument('manifest', headerBytes, { signature, signer: owner }))
    return failed({ code: 'manifest.bad-signature' });
  const header = decodeDocument(headerKind, headerBytes, readHeader);
  if (!header.ok) return header;
  if (header.value.owner !== owner) return failed({ code: 'manifest.wrong-owner' });
  if (!equalBytes(sha256(sealed), header.value.bodyHash))
    return failed({ code: 'manifest.wrong-body' });
  return succeeded({ header: header.value, hash: sha256(headerBytes), sealed });
}

/** Key and context of the body's seal; the key serves this one manifest. */
function bodySeal(
  place: Pick<ManifestHeader, 'owner' | 'incarnation' | 'sequence'>,
  manifestKey: Uint8Array,
  sealing: { readonly salt: Bytes; readonly suite: Suite },
): { readonly key: AeadKey; readonly context: AeadContext } {
  const suite = bigEndian(sealing.suite, 1);
  const key = deriveKey(manifestKey, derivedLabels.manifestBody, suite, sealing.salt);
  const associated = concatBytes([
    bytesOf(place.owner),
    bigEndian(place.incarnation, 8),
    bigEndian(place.sequence, 8),
  ]);
  return {
    key: aeadKey(cipherOf(sealing.suite), key),
    context: { nonce: numberNonce(0), associated },
  };
}

function encodeHeader(header: ManifestHeader): Bytes {
  assert(header.sequence >= 1, 'manifests are numbered from 1');
  assert(header.partners.length <= manifestPartnersMaximum, 'partners keep to their limit');
  return encodeDocument(headerKind, [
    bytesOf(header.owner),
    header.incarnation,
    header.sequence,
    orNull(header.previousHash),
    header.time,
    header.bodyHash,
    header.partners.map(contactFields),
  ]);
}

function readHeader(fields: FieldReader): ManifestHeader {
  const owner = readPeer(fields);
  const incarnation = fields.uint();
  const sequence = fields.uint();
  fields.require(sequence >= 1, 'manifests are numbered from 1');
  const previousHash = fields.optional((field) => field.fixed(hashBytes));
  return {
    owner,
    incarnation,
    sequence,
    ...(previousHash === undefined ? {} : { previousHash }),
    time: fields.instant(),
    bodyHash: fields.fixed(hashBytes),
    partners: fields.list(manifestPartnersMaximum, readContact),
  };
}
