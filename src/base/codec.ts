/**
 * Deterministic CBOR (RFC 8949 §4.2.1) and its strict reading.
 *
 * Equal values have equal bytes, so bytes can be signed and hashed. Reading refuses trailing bytes, indefinite lengths, duplicate keys, tags and every
 * form other than the canonical one, before any field is used.
 */
import { decode, encode, rfc8949EncodeOptions } from 'cborg';
import { type Bytes, equalBytes } from './bytes.ts';
import { failed, type Outcome, succeeded } from './outcome.ts';

/** What stands in our structures: no floats, no undefined; maps have small integer or short text keys. */
export type CborValue =
  | number
  | bigint
  | string
  | boolean
  | null
  | Uint8Array
  | readonly CborValue[]
  | ReadonlyMap<CborValue, CborValue>;

export type CodecFailure = {
  readonly code: 'codec.too-long' | 'codec.malformed' | 'codec.not-canonical';
};

export function encodeCbor(value: CborValue): Bytes {
  return new Uint8Array(encode(value, rfc8949EncodeOptions));
}

/** The value whose canonical form `bytes` are. `limitBytes` is checked before anything is read. */
export function decodeCbor(
  bytes: Uint8Array,
  limitBytes: number,
): Outcome<CborValue, CodecFailure> {
  if (bytes.length > limitBytes) return failed({ code: 'codec.too-long' });
  try {
    const value: CborValue = decode(bytes, {
      useMaps: true,
      strict: true,
      allowIndefinite: false,
      allowUndefined: false,
      allowInfinity: false,
      allowNaN: false,
      rejectDuplicateMapKeys: true,
    });
    if (!equalBytes(encodeCbor(value), bytes)) return failed({ code: 'codec.not-canonical' });
    return succeeded(value);
  } catch {
    return failed({ code: 'codec.malformed' });
  }
}
