/**
 * Paths on their way through JSON.
 *
 * A path is raw bytes, JSON is text. A path that is well-formed UTF-8 stands as a string; any other as an object with its bytes in base64, so that
 * no file is unreachable because of its name.
 */
import { type Bytes, utf8Bytes, utf8Text } from '../base/bytes.ts';

export type PathText = string | { readonly base64: string };

export function pathTextOf(path: Uint8Array): PathText {
  const text = utf8Text(path);
  return text ?? { base64: Buffer.from(path).toString('base64') };
}

export function pathBytesOf(path: PathText): Bytes {
  if (typeof path === 'string') return utf8Bytes(path);
  return new Uint8Array(Buffer.from(path.base64, 'base64'));
}
