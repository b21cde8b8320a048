/** Names of blobs, and the files that stand for them. */
import { assert } from '../../base/assert.ts';

const partPattern = /^[a-z0-9][a-z0-9.-]*$/;
const partsMaximum = 3;
/** Leaves room for the endings below in a file name of 255 bytes. */
const partMaximumLength = 200;

/** `+` stands in no blob's name, so a file with one of these endings is never taken for a whole blob. */
export const growingEnding = '+part';
export const unfinishedMark = '+new';

export function isBlobName(name: string): boolean {
  const parts = name.split('/');
  return (
    parts.length <= partsMaximum &&
    parts.every((part) => part.length <= partMaximumLength && partPattern.test(part))
  );
}

/** Names are made by this program, never taken from others: a bad one is a mistake in it. */
export function assertBlobName(name: string): void {
  assert(isBlobName(name), `a blob is named by lower-case parts, not ${JSON.stringify(name)}`);
}

export function assertBlobPrefix(prefix: string): void {
  const isFolder = prefix.endsWith('/') && isBlobName(prefix.slice(0, -1));
  assert(prefix === '' || isFolder, 'a prefix is empty or a folder with its slash');
}
