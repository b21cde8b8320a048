/**
 * The file that holds the root seed, as bytes; what they mean is the business of `core/recovery`.
 *
 * It is never written in place, and a file that others than its owner may read is refused: who could read the key could read the backups.
 */
import { closeSync, existsSync, fstatSync, openSync, readFileSync } from 'node:fs';
import type { Bytes } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { replaceFile, systemCode } from './durable-file.ts';

export type KeyFileFailure = {
  readonly code:
    | 'key-file.missing'
    | 'key-file.exists'
    | 'key-file.open-to-others'
    | 'key-file.too-long'
    | 'key-file.input-output';
  readonly detail: string;
};

/** A key file holds a seed and a few parameters. */
const limitBytes = 65_536;
/** Permission bits of group and others. */
const othersMask = 0o077;

export function readKeyFile(path: string): Outcome<Bytes, KeyFileFailure> {
  try {
    const descriptor = openSync(path, 'r');
    try {
      return readPrivate(path, descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch (problem) {
    if (!(problem instanceof Error) || systemCode(problem) === undefined) throw problem;
    const code = systemCode(problem) === 'ENOENT' ? 'key-file.missing' : 'key-file.input-output';
    return failed({ code, detail: problem.message });
  }
}

/** Writes the file with mode 0600. Unless `replace` is set, a key that is there already stays: it may be the only one. */
export function writeKeyFile(
  path: string,
  content: Uint8Array,
  options: { readonly replace?: boolean } = {},
): Outcome<void, KeyFileFailure> {
  if (options.replace !== true && existsSync(path))
    return failed({ code: 'key-file.exists', detail: `${path} holds a key already` });
  const written = replaceFile(path, content);
  if (written.ok) return written;
  return failed({ code: 'key-file.input-output', detail: written.error.detail });
}

function readPrivate(path: string, descriptor: number): Outcome<Bytes, KeyFileFailure> {
  const { mode, size } = fstatSync(descriptor);
  if ((mode & othersMask) !== 0) {
    const detail = `${path} has mode ${(mode & 0o777).toString(8)}; only 600 or stricter will do`;
    return failed({ code: 'key-file.open-to-others', detail });
  }
  if (size > limitBytes)
    return failed({ code: 'key-file.too-long', detail: `${path} has ${size} bytes` });
  return succeeded(new Uint8Array(readFileSync(descriptor)));
}
