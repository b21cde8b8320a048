/** `SNAP[:PATH]`, and paths of this computer, as a person writes them. */
import { type Bytes, concatBytes, utf8Bytes } from '../base/bytes.ts';
import { type PathText, pathTextOf } from '../daemon/path-text.ts';

const slash = 0x2f;
const dot = 0x2e;
const colon = 0x3a;

export interface SnapshotPath {
  readonly snapshot: string;
  /** Absolute and without `.`, `..` or empty parts; undefined for the whole snapshot. */
  readonly path: PathText | undefined;
}

/** An id holds no colon, so the first one ends it. */
export function parseSnapshotPath(argument: Uint8Array): SnapshotPath {
  const end = argument.indexOf(colon);
  if (end < 0) return { snapshot: new TextDecoder().decode(argument), path: undefined };
  const snapshot = new TextDecoder().decode(argument.subarray(0, end));
  const path = plainPath(argument.subarray(end + 1));
  return { snapshot, path: path.length === 1 ? undefined : pathTextOf(path) };
}

/** A path of this computer, made absolute by the folder in which the command was given. */
export function absolutePath(argument: Uint8Array, folder: string): PathText {
  if (argument[0] === slash) return pathTextOf(plainPath(argument));
  return pathTextOf(plainPath(concatBytes([utf8Bytes(`${folder}/`), argument])));
}

/** Absolute, with `.`, `..` and repeated slashes resolved by their names alone. */
export function plainPath(path: Uint8Array): Bytes {
  const parts: Uint8Array[] = [];
  let start = 0;
  for (let index = 0; index <= path.length; index += 1) {
    if (index < path.length && path[index] !== slash) continue;
    const part = path.subarray(start, index);
    start = index + 1;
    if (part.length === 0 || (part.length === 1 && part[0] === dot)) continue;
    if (part.length === 2 && part[0] === dot && part[1] === dot) parts.pop();
    else parts.push(part);
  }
  if (parts.length === 0) return Uint8Array.of(slash);
  return concatBytes(parts.flatMap((part) => [Uint8Array.of(slash), part]));
}
