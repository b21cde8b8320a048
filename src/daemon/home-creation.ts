/** A new home: its key, of fresh chance or of a recovery kit, and the first configuration. */
import { existsSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { defaultConfig, writeConfig } from '../adapters/disk/config-file.ts';
import { replaceFile, syncFolder, systemCode } from '../adapters/disk/durable-file.ts';
import { type HomePaths, homePaths, prepareHome } from '../adapters/disk/home.ts';
import { systemClock } from '../adapters/system/system-clock.ts';
import { systemRandom } from '../adapters/system/system-random.ts';
import type { Bytes } from '../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../base/outcome.ts';
import { kitJson, kitOf } from '../core/recovery/kit.ts';
import { rootSeedBytes } from '../core/sealing/keys.ts';
import { facts } from '../engine/facts.ts';
import type { Stores } from '../ports/stores.ts';
import { configFailure } from './configuration-failure.ts';
import { writeKey } from './key-opening.ts';
import { failure, type OperationFailure } from './operation-failure.ts';

export interface HomeToCreate {
  readonly home: string;
  /** Undefined: the key lies open on the disk. */
  readonly passphrase: string | undefined;
  readonly name: string;
  readonly lendBytes: number;
  /** Of a lost computer, whose recovery this home is for; undefined: a new identity. */
  readonly rootSeed: Bytes | undefined;
}

export interface CreatedHome {
  readonly peer: string;
  readonly words: readonly string[];
  /** The recovery kit as a JSON text. */
  readonly kit: string;
}

/**
 * Whether a finished home is there. Its key is written last, so one without is an attempt that was cut off, and is made anew; unless it was in use: then its key was
 * lost, and no other must take its place unseen.
 */
export function homeStands(home: string): boolean {
  const { keyFile, catalogue } = homePaths(resolve(home));
  return isMarked(home) && (existsSync(keyFile) || existsSync(catalogue));
}

function isMarked(home: string): boolean {
  return existsSync(join(resolve(home), 'covault-home'));
}

export async function createHome(
  wanted: HomeToCreate,
): Promise<Outcome<CreatedHome, OperationFailure>> {
  const paths = homePaths(resolve(wanted.home));
  const random = systemRandom();
  const rootSeed = wanted.rootSeed ?? random.bytes(rootSeedBytes);
  const isCutOff = isMarked(wanted.home) && !homeStands(wanted.home);
  const prepared = isCutOff ? succeeded(undefined) : prepareHome(paths.home);
  if (!prepared.ok) return prepared;
  const { name, lendBytes, passphrase } = wanted;
  const config = { ...defaultConfig(), name, lend: { spaceBytes: lendBytes } };
  const configured = writeConfig(paths.configFile, config);
  if (!configured.ok) return failed(configFailure(configured.error));
  const marked = markPurpose(paths, wanted.rootSeed === undefined ? 'new' : 'recovery');
  if (!marked.ok) return marked;
  const written = writeKey(paths.keyFile, { rootSeed, passphrase }, random);
  if (!written.ok) return written;
  const kit = kitOf(rootSeed, { name, partners: [], createdAt: systemClock().now() });
  return succeeded({ peer: kit.owner, words: kit.words, kit: kitJson(kit) });
}

/** Before the key: from the moment that the home stands it is known that nothing may begin there before the recovery has ended. */
function markPurpose(
  { recoveryMark }: HomePaths,
  purpose: 'new' | 'recovery',
): Outcome<void, OperationFailure> {
  if (purpose === 'new') return removed(recoveryMark);
  const marked = replaceFile(recoveryMark, 'for a recovery\n');
  return marked.ok ? marked : failed(failure('home.input-output', marked.error.detail));
}

/** From here on the catalogue knows whether the recovery that this home was made for has ended. */
export function noteRecovery(
  { recoveryMark }: HomePaths,
  stores: Stores,
): Outcome<void, OperationFailure> {
  if (!existsSync(recoveryMark)) return succeeded(undefined);
  facts.setRecovering(stores, true);
  return removed(recoveryMark);
}

/** Durably: a mark that came back would begin a recovery that has ended. */
function removed(file: string): Outcome<void, OperationFailure> {
  try {
    if (!existsSync(file)) return succeeded(undefined);
    rmSync(file);
    syncFolder(dirname(file));
    return succeeded(undefined);
  } catch (problem) {
    if (systemCode(problem) === undefined) throw problem;
    return failed(failure('home.input-output', String(problem)));
  }
}
