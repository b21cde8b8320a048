/** Paths as raw bytes. */
import { type Bytes, concatBytes } from '../../base/bytes.ts';

const slash = new Uint8Array([0x2f]);

/** `folder` and `name` with a slash between; an empty folder adds nothing, and the top is `/`. */
export function joinPath(folder: Uint8Array, name: Uint8Array): Bytes {
  if (folder.length === 0) return concatBytes([name]);
  const endsInSlash = folder[folder.length - 1] === slash[0];
  return concatBytes(endsInSlash ? [folder, name] : [folder, slash, name]);
}
