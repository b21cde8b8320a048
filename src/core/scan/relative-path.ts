/**
 * Paths relative to a folder, as raw bytes: what may stand in one, and its parts.
 *
 * Paths of a restore come out of trees that a stranger may have forged. A path that is accepted here names something inside the folder, as
 * long as no part of it is a symbolic link, which the file system must be asked about.
 */
import type { Bytes } from '../../base/bytes.ts';
import { safeName } from './tree-entry.ts';

const slash = 0x2f;

/** The names along the way, or undefined when one of them is empty, `.`, `..`, too long or has a NUL. */
export function pathParts(path: Bytes): readonly Bytes[] | undefined {
  const parts: Bytes[] = [];
  let start = 0;
  while (start <= path.length) {
    const found = path.indexOf(slash, start);
    const end = found === -1 ? path.length : found;
    const part = path.subarray(start, end);
    if (!safeName(part)) return undefined;
    parts.push(part);
    start = end + 1;
  }
  return parts;
}
