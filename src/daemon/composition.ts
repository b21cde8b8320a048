/**
 * Puts one computer together on a home: lock, key, configuration, catalogue, transport, pools, engine.
 *
 * What is costly starts late: threads with the first file that is read, listening with `start`, so that a question such as `status` is answered at once.
 */
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { type BlobFolder, openBlobFolder } from '../adapters/disk/blob-folder.ts';
import { type Config, readConfig } from '../adapters/disk/config-file.ts';
import { type OpenHome, openHome } from '../adapters/disk/home.ts';
import { loadKernels } from '../adapters/kernels/kernel-files.ts';
import type { PosixTargetOptions } from '../adapters/posix/restore-target.ts';
import { type Catalogue, openCatalogue } from '../adapters/sqlite/catalogue.ts';
import { type EventLogFile, openEventLog } from '../adapters/system/event-log-file.ts';
import { systemClock } from '../adapters/system/system-clock.ts';
import { systemRandom } from '../adapters/system/system-random.ts';
import { createWorkerCoder } from '../adapters/workers/worker-coder.ts';
import { createWorkerPipeline } from '../adapters/workers/worker-pipeline.ts';
import type { Bytes } from '../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../base/outcome.ts';
import { kitOf } from '../core/recovery/kit.ts';
import { deriveKeys, type OwnerKeys } from '../core/sealing/keys.ts';
import { suiteAesGcm } from '../core/vocabulary/suite.ts';
import type { Computer } from '../engine/computer.ts';
import { createComputer } from '../engine/create-computer.ts';
import type { PartnershipSettings } from '../engine/partners/partnership-settings.ts';
import { NowhereTarget } from '../engine/restore/nowhere-target.ts';
import { configFailure } from './configuration-failure.ts';
import { noteRecovery } from './home-creation.ts';
import { openKey, type PassphraseSource } from './key-opening.ts';
import { freeAddresses } from './listen-addresses.ts';
import { type Network, openNetwork } from './network.ts';
import { failure, type OperationFailure } from './operation-failure.ts';
import { partnershipOf } from './partnership-config.ts';
import { programVersion } from './program-version.ts';
import type { RunningComputer } from './running-computer.ts';
import { storageFailure } from './storage-failure.ts';

/** Name of the fact that remembers what was relayed today. */
const relaySpentFact = 'relay-spent';

export interface OpenOptions {
  readonly home: string;
  readonly passphrase: PassphraseSource;
  /** A daemon insists on the addresses it is to listen on; a command takes any port when they are taken. */
  readonly daemon: boolean;
  /** Undefined: as configured. */
  readonly listen?: readonly string[] | undefined;
  /** Bytes a second; undefined: as configured. */
  readonly uploadLimit: number | undefined;
  /** Undefined: as configured. */
  readonly seek?: false;
}

/** What is open so far, to be closed in reverse when the next step fails. */
interface Closing {
  later(close: () => unknown): void;
  now(): Promise<void>;
}

export async function openComputer(
  options: OpenOptions,
): Promise<Outcome<RunningComputer, OperationFailure>> {
  const closing = closingInReverse();
  let opened: Outcome<RunningComputer, OperationFailure> | undefined;
  try {
    opened = await openAll({ ...options, home: resolve(options.home) }, closing);
    return opened;
  } catch (problem) {
    // The engine reads its catalogue as it is put together.
    const reason = storageFailure(problem);
    if (reason === undefined) throw problem;
    return failed(reason);
  } finally {
    if (opened?.ok !== true) await closing.now();
  }
}

function closingInReverse(): Closing {
  const steps: (() => unknown)[] = [];
  return {
    later: (close) => steps.push(close),
    now: async () => {
      for (const close of steps.splice(0).reverse()) await close();
    },
  };
}

async function openAll(
  options: OpenOptions,
  closing: Closing,
): Promise<Outcome<RunningComputer, OperationFailure>> {
  const paths = openHome(options.home, new Date().toISOString());
  if (!paths.ok) return paths;
  closing.later(() => paths.value.close());
  const config = readConfig(paths.value.configFile);
  if (!config.ok) return failed(configFailure(config.error));
  const partnership = partnershipOf(config.value);
  if (!partnership.ok) return failed(configFailure(partnership.error));
  const seed = await openKey(paths.value.keyFile, options.passphrase);
  if (!seed.ok) return seed;
  const catalogue = openCatalogue(paths.value.catalogue);
  if (!catalogue.ok) return catalogue;
  closing.later(() => catalogue.value.close());
  const noted = noteRecovery(paths.value, catalogue.value);
  if (!noted.ok) return noted;
  const log = openEventLog(paths.value.log, { level: config.value.log.level });
  closing.later(() => log.close());
  const spool = await openBlobFolder(paths.value.spool);
  closing.later(() => spool.close());
  const held = await openBlobFolder(paths.value.held);
  closing.later(() => held.close());
  const open = {
    paths: paths.value,
    config: config.value,
    partnership: { ...partnership.value, ...(options.seek === undefined ? {} : { seek: false }) },
    seed: seed.value,
    keys: deriveKeys(seed.value),
    catalogue: catalogue.value,
    log,
    spool,
    held,
  };
  return succeeded(await assemble(options, open, closing));
}

interface OpenParts {
  readonly paths: OpenHome;
  readonly config: Config;
  readonly partnership: PartnershipSettings;
  readonly seed: Bytes;
  readonly keys: OwnerKeys;
  readonly catalogue: Catalogue;
  readonly log: EventLogFile;
  readonly spool: BlobFolder;
  readonly held: BlobFolder;
}

async function assemble(
  options: OpenOptions,
  { paths, config, partnership, seed, keys, catalogue, log, spool, held }: OpenParts,
  closing: Closing,
): Promise<RunningComputer> {
  const listen = options.listen ?? config.network.listen;
  const network = await openNetwork({
    identitySeed: keys.identitySeed,
    listen: options.daemon ? listen : await freeAddresses(listen),
    announce: config.network.announce,
    multicast: config.network.multicast,
    dht: config.network.dht,
    bootstrap: config.network.bootstrap,
    portMapping: config.network.portMapping && options.daemon,
    relay: config.network.relay,
    relayMemory: {
      read: () => catalogue.facts.get(relaySpentFact),
      write: (spent) => catalogue.facts.put(relaySpentFact, spent),
    },
    daemon: options.daemon,
    log,
  });
  closing.later(() => network.close());
  for (const { addresses } of catalogue.agreements.all()) network.hearOf(addresses);
  const { chunkIdKey, gearKey, packKey, sealKey } = keys;
  const pipeline = createWorkerPipeline({
    keys: { chunkIdKey, gearKey, packKey },
    suite: suiteAesGcm,
    compressionLevel: config.backup.compressionLevel,
    log,
  });
  closing.later(() => pipeline.close());
  const coder = createWorkerCoder({ sealKey, owner: keys.peerId, log });
  closing.later(() => coder.close());
  const computer = createComputer(
    {
      clock: systemClock(),
      random: systemRandom(),
      transport: network.transport,
      discovery: network.discovery,
      stores: catalogue,
      spool,
      held,
      pipeline,
      coder,
      kernels: loadKernels(),
      log,
    },
    keys,
    {
      name: config.name === '' ? hostname() : config.name,
      programVersion,
      system: process.platform,
      architecture: process.arch,
      offeredBytes: config.lend.spaceBytes,
      get announcedAddresses() {
        return [...config.network.announce, ...network.state.mapped];
      },
      spoolCapBytes: config.spool.capBytes,
      cacheCapBytes: config.cache.capBytes,
      uploadLimit: options.uploadLimit ?? config.upload.limitBytesPerSecond ?? undefined,
      partnership,
    },
  );
  closing.later(() => computer.stop());
  return {
    home: options.home,
    paths,
    computer,
    version: programVersion,
    daemon: options.daemon,
    config,
    partnership,
    network: () => network.state,
    receiptsOf: (agreement) => catalogue.records.ofAgreement(agreement),
    pipeline,
    log,
    kit: () => kitOf(seed, computer.kit()),
    openTarget: targetOpener({ chunkIdKey, gearKey, packKey }, log),
    start: startedOnce(computer, network, options.daemon),
    close: () => closing.now(),
  };
}

function targetOpener(
  keys: PosixTargetOptions['keys'],
  log: EventLogFile,
): RunningComputer['openTarget'] {
  return async (folder, { dryRun }) => {
    const target = await import('../adapters/posix/restore-target.ts');
    const options = { folder, keys, log };
    if (!dryRun) return target.createPosixTarget(options);
    return target.viewPosixTarget(options) ?? new NowhereTarget(keys);
  };
}

/** Only a daemon can be found: a command is gone before anybody could come. */
function startedOnce(
  computer: Computer,
  network: Network,
  daemon: boolean,
): () => Promise<Outcome<void, OperationFailure>> {
  let starting: Promise<Outcome<void, OperationFailure>> | undefined;
  const start = async (): Promise<Outcome<void, OperationFailure>> => {
    try {
      await computer.start();
      if (daemon) await network.advertise(computer.status().listening);
      return succeeded(undefined);
    } catch (problem) {
      const { syscall, message } = problem as NodeJS.ErrnoException;
      // Names of hosts are looked up, addresses are bound; all else is no matter of the network.
      if (syscall !== 'listen' && syscall !== 'bind' && syscall !== 'getaddrinfo') throw problem;
      return failed(failure('network.cannot-listen', message));
    }
  };
  return () => {
    starting ??= start();
    return starting;
  };
}
