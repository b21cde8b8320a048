/** Puts the parts of a computer together. */
import { type Bytes, emptyBytes } from '../base/bytes.ts';
import { failed, type Outcome } from '../base/outcome.ts';
import type { Instant } from '../base/units.ts';
import type { KitContents } from '../core/recovery/kit.ts';
import type { OwnerKeys } from '../core/sealing/keys.ts';
import type { PeerId, SnapshotId } from '../core/vocabulary/ids.ts';
import { parseAddresses } from '../core/wire/contact.ts';
import { signProfile } from '../core/wire/profile.ts';
import type { RestoreTarget } from '../ports/restore-target.ts';
import type { AgreementRow, SnapshotPhase, SnapshotRow } from '../ports/stores.ts';
import type { Listening } from '../ports/transport.ts';
import { Backoff } from './backoff.ts';
import { BackupRun } from './backup-run.ts';
import { listEntries, readFile } from './browse.ts';
import type {
  BackupFailure,
  BackupProgress,
  BackupReport,
  BackupRequest,
  Computer,
  ComputerPorts,
  ComputerSettings,
  InvitationTerms,
  JoinFailure,
  JoinOffer,
  ListedEntry,
  PartnerView,
  ProtectionProgress,
  RecoverFailure,
  RecoverReport,
  RestoreFailure,
  RestoreReport,
  RestoreRequest,
  StatusReport,
} from './computer.ts';
import { InventoryWatch } from './inventory-watch.ts';
import { InvitationDesk } from './invitation-desk.ts';
import { ManifestKeeper } from './manifest-keeper.ts';
import { Notifier } from './notifier.ts';
import { Outbox } from './outbox.ts';
import { PackSource } from './pack-source.ts';
import { PartnerBook } from './partner-book.ts';
import { PartnerClient } from './partner-client.ts';
import { PartnerPace } from './partner-pace.ts';
import { PartnerService } from './partner-service.ts';
import { waitForProtection } from './protection-wait.ts';
import { ownManifest, Publication } from './publication.ts';
import { RateLimit } from './rate-limit.ts';
import { type PossiblePartner, type RecoverOptions, RecoverRun } from './recover-run.ts';
import { type RestoreOptions, RestoreRun } from './restore-run.ts';
import { ShardDelivery } from './shard-delivery.ts';
import { ShardFetch } from './shard-fetch.ts';
import { ShardIntake } from './shard-intake.ts';
import { ShardLosses } from './shard-losses.ts';
import { Spool } from './spool.ts';
import { partnerViews, presentSnapshots, statusReport } from './status.ts';
import { TreeReader } from './tree-reader.ts';
import { WorkLoop } from './work-loop.ts';

export function createComputer(
  ports: ComputerPorts,
  keys: OwnerKeys,
  settings: ComputerSettings,
): Computer {
  return new WorkingComputer(ports, keys, settings);
}

class WorkingComputer implements Computer {
  readonly #ports: ComputerPorts;
  readonly #keys: OwnerKeys;
  readonly #settings: ComputerSettings;
  readonly #changes = new Notifier();
  readonly #pace = new PartnerPace();
  readonly #book: PartnerBook;
  readonly #client: PartnerClient;
  readonly #spool: Spool;
  readonly #source: PackSource;
  readonly #outbox: Outbox;
  readonly #sending: WorkLoop;
  readonly #publishing: WorkLoop;
  readonly #inventories: InventoryWatch;
  readonly #invitations: InvitationDesk;
  readonly #service: PartnerService;
  readonly #backoff: Backoff;
  readonly #stopping = new AbortController();
  #listening: Listening | undefined;
  #loops: readonly Promise<void>[] = [];
  readonly #runs = new Set<Promise<unknown>>();
  #swept: Promise<void> = Promise.resolve();
  #backingUp = false;
  readonly #losses: ShardLosses;

  constructor(ports: ComputerPorts, keys: OwnerKeys, settings: ComputerSettings) {
    this.#ports = ports;
    this.#keys = keys;
    this.#settings = settings;
    const { stores, clock, log, random } = ports;
    const changes = this.#changes;
    this.#backoff = new Backoff(clock);
    this.#book = new PartnerBook(stores);
    this.#client = new PartnerClient(ports.transport, {
      clock,
      addresses: () => this.#addresses(),
      heard: (peer, answered) => this.#heard(peer, answered),
    });
    const caps = { spoolBytes: settings.spoolCapBytes, cacheBytes: settings.cacheCapBytes };
    this.#spool = new Spool(ports, caps, {
      changes,
      drains: () => this.#outbox.hasTakers(),
      takers: () => this.#outbox.takers(),
      isSending: (pack) => this.#outbox.isSending(pack),
    });
    this.#losses = new ShardLosses({ stores, spool: this.#spool, log, changes });
    const shared = { ...ports, keys, name: settings.name, book: this.#book, client: this.#client };
    const work = { changes, backoff: this.#backoff, spool: this.#spool };
    this.#source = this.#newSource();
    const delivery = new ShardDelivery({
      ...shared,
      ...work,
      shardNameKey: keys.shardNameKey,
      limit: new RateLimit(clock, settings.uploadLimit),
    });
    this.#outbox = new Outbox({ ...shared, ...work, delivery });
    const publication = new Publication({ ...shared, ...work });
    const loop = { clock, log, changes, backoff: this.#backoff };
    this.#sending = new WorkLoop(
      loop,
      async (signal) => (await this.#outbox.sendRound(signal)) > 0,
    );
    this.#publishing = new WorkLoop(loop, (signal) => publication.round(signal));
    this.#inventories = new InventoryWatch({ ...shared, changes });
    this.#invitations = new InvitationDesk({
      ...shared,
      changes,
      addresses: () => this.#addresses(),
    });
    const own = { identitySeed: keys.identitySeed, stores, clock, log, random };
    this.#service = new PartnerService({
      ...shared,
      intake: new ShardIntake({ ...own, held: ports.held }),
      manifests: new ManifestKeeper(own),
      invitations: this.#invitations,
      profile: () => this.#profile(),
      heard: (request) => {
        this.#heard(request.from, true);
        this.#book.moved(request.from, parseAddresses(request.fields), clock.now());
      },
    });
  }

  async start(): Promise<void> {
    if (!this.#backingUp) this.#swept = this.#spool.sweep();
    await this.#swept;
    this.#listening = await this.#ports.transport.serve(
      (request) => this.#service.answer(request),
      (peer) => this.#book.standingOf(peer),
    );
    const { signal } = this.#stopping;
    const loops = [this.#sending, this.#publishing, this.#inventories];
    this.#loops = loops.map((loop) => loop.run(signal));
    const { broke } = this.#ports;
    if (broke !== undefined) for (const loop of this.#loops) loop.catch(broke);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#changes.notify();
    await Promise.allSettled([...this.#loops, ...this.#runs]);
    await this.#listening?.close();
    await this.#ports.transport.close();
  }

  /** A run that `stop` waits for, under a signal that it aborts. */
  async #tracked<T>(caller: AbortSignal, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const running = run(AbortSignal.any([caller, this.#stopping.signal]));
    this.#runs.add(running);
    try {
      return await running;
    } finally {
      this.#runs.delete(running);
    }
  }

  async backup(
    request: BackupRequest,
    options: {
      readonly signal: AbortSignal;
      readonly progress: (progress: BackupProgress) => void;
    },
  ): Promise<Outcome<BackupReport, BackupFailure>> {
    if (this.#backingUp)
      return failed({ code: 'backup.running', detail: 'another backup is under way' });
    if (request.scan.roots.length === 0)
      return failed({ code: 'backup.nothing', detail: 'there is nothing to back up' });
    this.#backingUp = true;
    try {
      const { programVersion } = this.#settings;
      const context = { ports: this.#ports, keys: this.#keys, spool: this.#spool, programVersion };
      return await this.#tracked(options.signal, async (signal) => {
        await this.#swept;
        await this.#spool.dropUnreadable('all');
        return await new BackupRun(context, request, { ...options, signal }).run();
      });
    } finally {
      this.#backingUp = false;
      this.#changes.notify();
    }
  }

  protect(
    snapshot: SnapshotId,
    wanted: SnapshotPhase,
    options: {
      readonly signal: AbortSignal;
      readonly progress: (progress: ProtectionProgress) => void;
    },
  ): Promise<SnapshotPhase> {
    const { stores, clock } = this.#ports;
    const resting = (): boolean => this.#sending.resting && this.#publishing.resting;
    return waitForProtection(
      { stores, clock, spool: this.#spool, book: this.#book, changes: this.#changes, resting },
      { snapshot, wanted },
      { ...options, stopped: this.#stopping.signal },
    );
  }

  status(): StatusReport {
    return statusReport({
      self: this.#keys.peerId,
      name: this.#settings.name,
      listening: this.#addresses(),
      stores: this.#ports.stores,
      partners: this.partners(),
      spooledBytes: this.#spool.waitingBytes,
      manifest: ownManifest(this.#ports.stores, this.#keys),
    });
  }

  partners(): readonly PartnerView[] {
    return partnerViews(this.#ports.stores, this.#book, this.#pace);
  }

  async probePartners(): Promise<void> {
    const { signal } = this.#stopping;
    const probes = this.#book
      .all()
      .map(({ partner }) => this.#client.probe(this.#book.addressOf(partner), signal));
    await Promise.all(probes);
  }

  snapshots(): readonly SnapshotRow[] {
    return presentSnapshots(this.#ports.stores, this.#spool.runBeganAt);
  }

  list(
    snapshot: SnapshotId,
    path: Bytes | undefined,
    recursive: boolean,
  ): AsyncIterable<ListedEntry> {
    return listEntries(this.#reader(), { snapshot, path: path ?? emptyBytes, recursive });
  }

  read(snapshot: SnapshotId, path: Bytes): Promise<Outcome<AsyncIterable<Bytes>, RestoreFailure>> {
    return readFile(this.#reader(), snapshot, path);
  }

  restore(
    request: RestoreRequest,
    target: RestoreTarget,
    options: RestoreOptions,
  ): Promise<Outcome<RestoreReport, RestoreFailure>> {
    const source = this.#newSource();
    const { stores } = this.#ports;
    const reader = new TreeReader(stores, source, this.#keys);
    const partners = () => this.#book.all();
    const parts = { stores, source, reader, partners, pace: this.#pace };
    return this.#tracked(options.signal, (signal) =>
      new RestoreRun(parts, request, { ...options, signal, target }).run(),
    );
  }

  invite(terms: InvitationTerms): string {
    return this.#invitations.invite(terms);
  }

  redeemed(code: string, signal: AbortSignal): Promise<AgreementRow | undefined> {
    return this.#invitations.redeemed(code, signal);
  }

  async join(code: string, offer: JoinOffer): Promise<Outcome<AgreementRow, JoinFailure>> {
    return await this.#invitations.join(code, offer, this.#stopping.signal);
  }

  setPaused(partner: PeerId, paused: boolean): boolean {
    const row = this.#book.get(partner);
    if (row === undefined) return false;
    this.#ports.stores.agreements.put({ ...row, paused });
    this.#changes.notify();
    return true;
  }

  kit(): KitContents {
    const manifest = ownManifest(this.#ports.stores, this.#keys);
    return {
      name: this.#settings.name,
      partners: this.#book.all().map(({ partner, partnerName, addresses }) => ({
        peer: partner,
        ...(partnerName === '' ? {} : { name: partnerName }),
        addresses,
      })),
      ...(manifest === undefined
        ? {}
        : { floor: { incarnation: manifest.incarnation, sequence: manifest.sequence } }),
      createdAt: this.now(),
    };
  }

  async recover(
    peers: readonly PossiblePartner[],
    options: RecoverOptions,
  ): Promise<Outcome<RecoverReport, RecoverFailure>> {
    const parts = {
      ...this.#ports,
      keys: this.#keys,
      client: this.#client,
      book: this.#book,
      source: this.#source,
      reader: this.#reader(),
    };
    const report = await this.#tracked(options.signal, (signal) =>
      new RecoverRun(parts, { ...options, signal }).run(peers),
    );
    this.#changes.notify();
    return report;
  }

  changed(signal: AbortSignal): Promise<void> {
    return this.#changes.changed(signal);
  }

  now(): Instant {
    return this.#ports.clock.now();
  }

  #newSource(): PackSource {
    const parts = { ...this.#ports, spool: this.#spool, pace: this.#pace };
    const fetch = new ShardFetch({
      ...parts,
      losses: this.#losses,
      keys: this.#keys,
      client: this.#client,
      book: this.#book,
    });
    return new PackSource({ ...parts, fetch });
  }

  #reader(): TreeReader {
    return new TreeReader(this.#ports.stores, this.#source, this.#keys);
  }

  #heard(peer: PeerId, answered: boolean): void {
    if (!answered) {
      this.#book.missed(peer);
      return;
    }
    const wasMissing = this.#book.reachable(peer) === false;
    this.#book.heard(peer, this.#ports.clock.now());
    if (!wasMissing) return;
    // A partner that came back is tried at once.
    this.#backoff.cleared(peer);
    this.#inventories.cameBack(peer);
    this.#changes.notify();
  }

  #addresses(): readonly string[] {
    const listening = this.#listening?.addresses ?? [];
    return [...new Set([...this.#settings.announcedAddresses, ...listening])].slice(0, 8);
  }

  #profile(): Bytes {
    const { name, programVersion, system, architecture, offeredBytes } = this.#settings;
    return signProfile(
      {
        peer: this.#keys.peerId,
        name,
        protocols: [1],
        program: programVersion,
        system,
        architecture,
        offeredBytes,
        time: this.now(),
      },
      this.#keys.identitySeed,
    );
  }
}
