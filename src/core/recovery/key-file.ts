/**
 * The key file: the root seed at rest, as it is or wrapped by a passphrase.
 *
 * A passphrase is stretched by Argon2id, whose parameters stand in the file, so that they can be raised later; they are bounded, so that a
 * forged file costs neither minutes nor all memory. The stretched key makes a key for AES-256-GCM that serves only the one salt.
 *
 * The file ends in a checksum: any 32 bytes are a root seed, so one flipped bit would make this computer another one without a word, and in a wrapped
 * file it would look like a wrong passphrase.
 */
import { assert } from '../../base/assert.ts';
import { type Bytes, equalBytes, utf8Bytes } from '../../base/bytes.ts';
import { encodeCbor } from '../../base/codec.ts';
import {
  type DocumentFailure,
  decodeDocument,
  encodeDocument,
  type FieldReader,
} from '../../base/document.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { kibi } from '../../base/units.ts';
import { aeadKey, aeadTagBytes, numberNonce, open, seal } from '../../primitives/aead.ts';
import { hashWithDomain } from '../../primitives/hash.ts';
import {
  type Argon2Parameters,
  argon2Allowed,
  deriveKey,
  passphraseKey,
} from '../../primitives/kdf.ts';
import { derivedLabels, domains } from '../sealing/domains.ts';
import { rootSeedBytes } from '../sealing/keys.ts';

export interface PassphraseWrap {
  readonly passphrase: string;
  /** `salt`: random, 16 to 64 bytes, new for every writing. */
  readonly parameters: Argon2Parameters;
}

export type KeyFileFailure =
  | DocumentFailure
  | { readonly code: 'key.passphrase-needed' | 'key.wrong-passphrase' };

/** OWASP's first choice of 2024 is 46 MiB and one pass; this is more, and takes well under a second. */
export const defaultArgon2: Omit<Argon2Parameters, 'salt'> = {
  memoryKib: 64 * kibi,
  passes: 3,
  lanes: 1,
};

export const keySaltBytes = 16;

const checksumBytes = 8;

const kind = { magic: 'covault/key', version: 1, limitBytes: 1_024 };

interface KeyFile {
  /** Absent: the seed is there as it is. */
  readonly parameters?: Argon2Parameters;
  /** The root seed, or its sealed form. */
  readonly secret: Bytes;
}

/** The key file of a root seed. Without `wrap` the file alone is enough to open everything. */
export function encodeKeyFile(rootSeed: Uint8Array, wrap: PassphraseWrap | undefined): Bytes {
  assert(rootSeed.length === rootSeedBytes, 'a root seed has 32 bytes');
  const file = wrap === undefined ? { secret: new Uint8Array(rootSeed) } : wrapped(rootSeed, wrap);
  return encodeDocument(kind, [...fieldsOf(file), checksumOf(file)]);
}

function wrapped(rootSeed: Uint8Array, wrap: PassphraseWrap): KeyFile {
  const { key, context } = wrapSeal(wrap);
  return { parameters: wrap.parameters, secret: seal(key, context, rootSeed) };
}

function fieldsOf({ parameters, secret }: KeyFile) {
  return [parameters === undefined ? null : parameterFields(parameters), secret];
}

function checksumOf(file: KeyFile): Bytes {
  return hashWithDomain(domains.keyFile, encodeCbor(fieldsOf(file))).slice(0, checksumBytes);
}

/** Whether a passphrase is needed to open the file. */
export function keyFileIsWrapped(bytes: Uint8Array): Outcome<boolean, DocumentFailure> {
  const file = decodeDocument(kind, bytes, readKeyFile);
  return file.ok ? succeeded(file.value.parameters !== undefined) : file;
}

/** The root seed. Takes as long as the Argon2id parameters say. */
export function openKeyFile(
  bytes: Uint8Array,
  passphrase: string | undefined,
): Outcome<Bytes, KeyFileFailure> {
  const file = decodeDocument(kind, bytes, readKeyFile);
  if (!file.ok) return file;
  const { parameters, secret } = file.value;
  if (parameters === undefined) return succeeded(secret);
  if (passphrase === undefined) return failed({ code: 'key.passphrase-needed' });
  const { key, context } = wrapSeal({ passphrase, parameters });
  const opened = open(key, context, secret);
  return opened.ok ? opened : failed({ code: 'key.wrong-passphrase' });
}

function wrapSeal({ passphrase, parameters }: PassphraseWrap) {
  const stretched = passphraseKey(utf8Bytes(passphrase.normalize('NFC')), parameters);
  return {
    key: aeadKey('aes-256-gcm', deriveKey(stretched, derivedLabels.keyFileWrap)),
    context: { nonce: numberNonce(0), associated: encodeCbor(parameterFields(parameters)) },
  };
}

function parameterFields({ salt, memoryKib, passes, lanes }: Argon2Parameters) {
  return [salt, memoryKib, passes, lanes];
}

function readKeyFile(fields: FieldReader): KeyFile {
  const parameters = fields.optional((field) => field.record(readParameters));
  const file =
    parameters === undefined
      ? { secret: fields.fixed(rootSeedBytes) }
      : { parameters, secret: fields.fixed(rootSeedBytes + aeadTagBytes) };
  const isWhole = equalBytes(fields.fixed(checksumBytes), checksumOf(file));
  fields.require(isWhole, 'the checksum of what is in the file');
  return file;
}

function readParameters(fields: FieldReader): Argon2Parameters {
  const parameters = {
    salt: fields.bytes({ maximum: 64 }),
    memoryKib: fields.uint(),
    passes: fields.uint(),
    lanes: fields.uint(),
  };
  fields.require(argon2Allowed(parameters), 'parameters inside their limits');
  return parameters;
}
