/**
 * A new computer becomes the lost one: a home with the old key, then the catalogue back from the partners.
 *
 * When it is stopped or nobody can be reached, the home stays, so that the same command carries on; a home with snapshots of its own is refused.
 */
import { writeConfig } from '../adapters/disk/config-file.ts';
import { failed, type Outcome, succeeded } from '../base/outcome.ts';
import { type OpenedKit, parseKit } from '../core/recovery/kit.ts';
import { seedOf } from '../core/recovery/words.ts';
import { deriveKeys } from '../core/sealing/keys.ts';
import { type PeerId, parsePeerId } from '../core/vocabulary/ids.ts';
import type { RecoverFailure, RecoverProgress, RecoverReport } from '../engine/computer.ts';
import { homeInUse } from '../engine/recovery/recover-run.ts';
import { openComputer } from './composition.ts';
import { configFailure } from './configuration-failure.ts';
import { createHome, homeStands } from './home-creation.ts';
import type { PassphraseSource } from './key-opening.ts';
import { lendingAgain, usualLendBytes } from './lending-again.ts';
import { failure, type OperationFailure } from './operation-failure.ts';
import { failureOf } from './operation-run.ts';
import type { RunningComputer } from './running-computer.ts';
import { timeText } from './time-text.ts';

export interface RecoveryOptions {
  readonly home: string;
  /** Of the new key file. */
  readonly newPassphrase: string | undefined;
  readonly passphrase: PassphraseSource;
  readonly key: RecoveryKey;
  readonly name: string;
  /** Undefined: what the agreements promise that come back. */
  readonly lendBytes: number | undefined;
  /** `/ip4/…/tcp/PORT`, perhaps with `/p2p/PEERID`. */
  readonly peers: readonly string[];
  /** Where to listen meanwhile; undefined: as configured. */
  readonly listen: readonly string[] | undefined;
  readonly signal: AbortSignal;
  readonly progress: (progress: RecoverProgress) => void;
}

/** What a person kept. */
export type RecoveryKey = Pick<OpenedKit, 'rootSeed'> & {
  readonly kit: OpenedKit['kit'] | undefined;
};

export function keyOfKit(text: string): Outcome<RecoveryKey, OperationFailure> {
  const parsed = parseKit(text);
  return parsed.ok ? parsed : failed(kitFailure(parsed.error));
}

export function keyOfWords(text: string): Outcome<RecoveryKey, OperationFailure> {
  const seed = seedOf(text);
  if (!seed.ok) return failed(kitFailure(seed.error));
  return succeeded({ rootSeed: seed.value, kit: undefined });
}

type ParseFailure = Extract<ReturnType<typeof parseKit>, { readonly ok: false }>['error'];

function kitFailure(problem: ParseFailure): OperationFailure {
  switch (problem.code) {
    case 'kit.malformed':
      return failure(problem.code, problem.detail);
    case 'words.wrong-count':
      return failure(problem.code, `${problem.count} words`);
    case 'words.unknown-word':
      return failure(problem.code, `word ${problem.position}; did you mean ${problem.suggestion}?`);
    default:
      return failure(problem.code);
  }
}

export type RecoveryAnswer = RecoverReport & {
  /** What this computer lends from now on, all together. */
  readonly lendBytes: number;
};

export async function runRecovery(
  options: RecoveryOptions,
): Promise<Outcome<RecoveryAnswer, OperationFailure>> {
  if (!homeStands(options.home)) {
    const { home, newPassphrase, name, lendBytes = usualLendBytes } = options;
    const { rootSeed } = options.key;
    const made = await createHome({ home, passphrase: newPassphrase, name, lendBytes, rootSeed });
    if (!made.ok) return made;
  }
  // Whoever made new partners meanwhile would have a home of its own, and no place for the lost one.
  const opened = await openComputer({
    ...{ ...options, daemon: false, uploadLimit: undefined },
    seek: false,
  });
  if (!opened.ok) return opened;
  try {
    const recovered = await recoverInto(opened.value, options);
    return recovered.ok ? lentAgain(opened.value, options, recovered.value) : recovered;
  } catch (problem) {
    return failed(failureOf(problem, options.signal));
  } finally {
    await opened.value.close();
  }
}

function lentAgain(
  { computer, config, paths }: RunningComputer,
  { lendBytes: said }: RecoveryOptions,
  report: RecoverReport,
): Outcome<RecoveryAnswer, OperationFailure> {
  const promised = computer.partners().reduce((sum, { weLendBytes }) => sum + weLendBytes, 0);
  const configured = config.lend.spaceBytes;
  const lendBytes = lendingAgain({ said, configured, promised });
  if (lendBytes !== configured) {
    const lend = { ...config.lend, spaceBytes: lendBytes };
    const written = writeConfig(paths.configFile, { ...config, lend });
    if (!written.ok) return failed(configFailure(written.error));
  }
  return succeeded({ ...report, lendBytes });
}

async function recoverInto(
  running: RunningComputer,
  { key, peers, signal, progress }: RecoveryOptions,
): Promise<Outcome<RecoverReport, OperationFailure>> {
  if (running.kit().owner !== deriveKeys(key.rootSeed).peerId)
    return failed(failure('recover.home-not-empty', 'it has a key of its own'));
  // Before anybody is reached: a wrong home is left as it is, at once.
  if (!running.computer.isRecoverable())
    return failed(failure('recover.home-not-empty', homeInUse));
  const started = await running.start();
  if (!started.ok) return started;
  const known = (key.kit?.partners ?? []).flatMap(({ peer, addresses }) =>
    addresses.map((address) => ({ peer, address })),
  );
  const recovered = await running.computer.recover([...peers.map(peerOf), ...known], {
    floor: key.kit?.floor,
    signal,
    progress,
  });
  return recovered.ok ? recovered : failed(withMoment(recovered.error));
}

/** Partners that are young honour no restores yet; when they will is known. */
function withMoment({ code, detail, restorableFrom }: RecoverFailure): OperationFailure {
  if (restorableFrom === undefined) return failure(code, detail);
  const moment = timeText(restorableFrom);
  return failure(
    code,
    `${detail}; partners are in commitment: restores are possible from ${moment} on`,
  );
}

/** Splits the peer's id off an address that has one. */
function peerOf(text: string): { readonly peer: PeerId | undefined; readonly address: string } {
  const [address = '', id] = text.split('/p2p/');
  return { address, peer: id === undefined ? undefined : parsePeerId(id) };
}
