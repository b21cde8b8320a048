/** Where a passphrase comes from: a file descriptor, a file, a command, the environment, or a person at a terminal; never an argument. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { failed, type Outcome, succeeded } from '../base/outcome.ts';
import { failure, type OperationFailure } from '../daemon/operation-failure.ts';
import { promptHidden } from './hidden-prompt.ts';

export interface PassphraseOptions {
  readonly passphraseFile?: string | undefined;
  readonly passphraseCommand?: string | undefined;
  readonly passphraseFd?: number | undefined;
}

const variable = 'COVAULT_PASSPHRASE';

/** What a person types twice the same, or undefined when no source is named and nobody is there to ask. */
export type PassphraseAnswer = Outcome<string | undefined, OperationFailure>;

/** The passphrase of an existing key. */
export async function readPassphrase(options: PassphraseOptions): Promise<PassphraseAnswer> {
  const given = givenPassphrase(options);
  if (!given.ok || given.value !== undefined) return given;
  if (!process.stdin.isTTY || !process.stderr.isTTY) return succeeded(undefined);
  return succeeded(await promptHidden('Passphrase: '));
}

/** A passphrase for a new key, asked for twice. */
export async function chooseNewPassphrase(options: PassphraseOptions): Promise<PassphraseAnswer> {
  const given = givenPassphrase(options);
  if (!given.ok || given.value !== undefined) return given;
  if (!process.stdin.isTTY || !process.stderr.isTTY) return succeeded(undefined);
  for (;;) {
    const first = await promptHidden('New passphrase (protects the key on this disk): ');
    if (first === undefined) return succeeded(undefined);
    if (first === '') {
      process.stderr.write('It is empty. To go without one, use --no-passphrase.\n');
      continue;
    }
    const second = await promptHidden('The same again: ');
    if (second === first) return succeeded(first);
    if (second === undefined) return succeeded(undefined);
    process.stderr.write('These two differ; please begin again.\n');
  }
}

function givenPassphrase(options: PassphraseOptions): PassphraseAnswer {
  try {
    const text = sourceText(options);
    if (text === undefined) return succeeded(undefined);
    const line = text.split(/\r?\n/, 1)[0] ?? '';
    if (line !== '') return succeeded(line);
    return failed(failure('key.passphrase-needed', 'the source that was named is empty'));
  } catch (problem) {
    const detail = (problem as Error).message.split('\n', 1)[0] ?? '';
    return failed(failure('key.passphrase-needed', detail));
  }
}

function sourceText(options: PassphraseOptions): string | undefined {
  const { passphraseFd, passphraseFile, passphraseCommand } = options;
  if (passphraseFd !== undefined) return readFileSync(passphraseFd, 'utf8');
  if (passphraseFile !== undefined) return readFileSync(passphraseFile, 'utf8');
  if (passphraseCommand !== undefined)
    return execFileSync('/bin/sh', ['-c', passphraseCommand], {
      encoding: 'utf8',
      stdio: ['inherit', 'pipe', 'inherit'],
    });
  const fromEnvironment = process.env[variable];
  return fromEnvironment === '' ? undefined : fromEnvironment;
}
