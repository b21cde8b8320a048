/** The root seed of a home: read from its key file, opened with a passphrase where it has one. */
import { readKeyFile, writeKeyFile } from '../adapters/disk/key-file.ts';
import type { Bytes } from '../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../base/outcome.ts';
import {
  defaultArgon2,
  encodeKeyFile,
  keyFileIsWrapped,
  keySaltBytes,
  openKeyFile,
} from '../core/recovery/key-file.ts';
import type { Random } from '../ports/random.ts';
import { failure, type OperationFailure } from './operation-failure.ts';

/** Asked only when the key is protected; undefined when nobody can say. */
export type PassphraseSource = () => Promise<Outcome<string | undefined, OperationFailure>>;

export async function openKey(
  path: string,
  passphrase: PassphraseSource,
): Promise<Outcome<Bytes, OperationFailure>> {
  const file = readKeyFile(path);
  if (!file.ok) return file;
  const wrapped = keyFileIsWrapped(file.value);
  if (!wrapped.ok) return failed(failure('key.damaged', wrapped.error.code));
  const given = wrapped.value ? await passphrase() : succeeded(undefined);
  if (!given.ok) return given;
  const opened = openKeyFile(file.value, given.value);
  if (opened.ok) return opened;
  const { code } = opened.error;
  if (code === 'key.passphrase-needed' || code === 'key.wrong-passphrase')
    return failed(failure(code));
  return failed(failure('key.damaged', code));
}

export function writeKey(
  path: string,
  key: { readonly rootSeed: Bytes; readonly passphrase: string | undefined },
  random: Random,
): Outcome<void, OperationFailure> {
  const { rootSeed, passphrase } = key;
  const parameters = { ...defaultArgon2, salt: random.bytes(keySaltBytes) };
  const wrap = passphrase === undefined ? undefined : { passphrase, parameters };
  return writeKeyFile(path, encodeKeyFile(rootSeed, wrap));
}
