/** Puts the parts of a computer together. */
import { type Bytes, emptyBytes } from '../base/bytes.ts';
import { failed, type Outcome } from '../base/outcome.ts';
import type { Instant } from '../base/units.ts';
import type { KitContents } from '../core/recovery/kit.ts';
import type { OwnerKeys } from '../core/sealing/keys.ts';
import type { PeerId, SnapshotId } from '../core/vocabulary/ids.ts';
import type { RestoreTarget } from '../ports/restore-target.ts';
import type { AgreementRow, SnapshotPhase, SnapshotRow } from '../ports/stores.ts';
import type { AuditEvent } from './audits/audit-event.ts';
import type { PartnerAudits } from './audits/audit-views.ts';
import { BackupRun } from './backup/backup-run.ts';
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
  ProtectionProgress,
  RecoverFailure,
  RecoverReport,
  RestoreFailure,
  RestoreReport,
  RestoreRequest,
  StatusReport,
} from './computer.ts';
import { ComputerParts } from './computer-parts.ts';
import type { DrillWish } from './drills/drill.ts';
import type { DrillReport } from './drills/drill-report.ts';
import type { DrillFailure, DrillOptions } from './drills/drill-run.ts';
import { facts } from './facts.ts';
import { PartnershipDesk } from './partners/partnership-desk.ts';
import type {
  AgreementView,
  AuditOptions,
  CandidateView,
  PartnerFailure,
  Partnerships,
  PartnerView,
  SearchOptions,
  SearchReport,
  TermsChange,
} from './partners/partnerships.ts';
import { kitContents } from './recovery/kit-contents.ts';
import {
  isRecoverable,
  type PossiblePartner,
  type RecoverOptions,
  RecoverRun,
} from './recovery/recover-run.ts';
import { type UndeleteOptions, type UndeleteReport, UndeleteRun } from './recovery/undelete-run.ts';
import { listEntries, readFile } from './restore/browse.ts';
import type { PackSource } from './restore/pack-source.ts';
import { type RestoreOptions, RestoreRun } from './restore/restore-run.ts';
import { TreeReader } from './restore/tree-reader.ts';
import { waitForProtection } from './sending/protection-wait.ts';
import { ownManifest } from './sending/publication.ts';
import { Serving } from './serving.ts';
import { presentSnapshots, statusReport } from './status.ts';
import { type RepairProgress, type RepairReport, runRepair } from './upkeep/repair-run.ts';

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
  readonly #parts: ComputerParts;
  readonly #partnerships: Partnerships;
  readonly #source: PackSource;
  readonly #serving: Serving;
  #backingUp = false;

  constructor(ports: ComputerPorts, keys: OwnerKeys, settings: ComputerSettings) {
    this.#ports = ports;
    this.#keys = keys;
    this.#settings = settings;
    this.#parts = new ComputerParts(ports, keys, settings);
    this.#serving = new Serving(this.#parts);
    this.#partnerships = new PartnershipDesk(this.#parts, this.#serving.stopping);
    this.#source = this.#parts.newSource();
  }

  start(): Promise<void> {
    return this.#serving.start({ sweeps: !this.#backingUp });
  }

  stop(): Promise<void> {
    return this.#serving.stop();
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
    if (this.supersededBy() !== undefined)
      return failed({ code: 'backup.superseded', detail: 'it lives on on another computer' });
    // Its snapshot could be listed in no manifest, and would bar the way of the recovery.
    if (this.isRecovering())
      return failed({ code: 'recovery.unfinished', detail: 'nothing is backed up before it ends' });
    if (request.scan.roots.length === 0)
      return failed({ code: 'backup.nothing', detail: 'there is nothing to back up' });
    this.#backingUp = true;
    try {
      const { programVersion } = this.#settings;
      const context = {
        ports: this.#ports,
        keys: this.#keys,
        spool: this.#parts.spool,
        programVersion,
      };
      return await this.#serving.tracked(options.signal, async (signal) => {
        await this.#serving.swept;
        await this.#parts.spool.dropUnreadable('all');
        return await new BackupRun(context, request, { ...options, signal }).run();
      });
    } finally {
      this.#backingUp = false;
      this.#parts.changes.notify();
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
    const resting = (): boolean => this.#parts.sending.resting && this.#parts.publishing.resting;
    return waitForProtection(
      {
        stores,
        clock,
        spool: this.#parts.spool,
        book: this.#parts.book,
        changes: this.#parts.changes,
        resting,
      },
      { snapshot, wanted },
      { ...options, stopped: this.#serving.stopping },
    );
  }

  repair(options: {
    readonly signal: AbortSignal;
    readonly progress: (progress: RepairProgress) => void;
  }): Promise<RepairReport> {
    const { sending, upkeep, partners, changes, backoff, book } = this.#parts;
    const { stores, clock } = this.#ports;
    return this.#serving.tracked(options.signal, (signal) =>
      runRepair(
        {
          ...{ stores, clock, changes },
          probe: (until) => partners.watch.probeAll(until),
          lookAgain: () => {
            for (const { partner } of book.all())
              if (book.reachable(partner) !== false) backoff.cleared(partner);
            upkeep.lookAgain();
            partners.search.wake();
          },
          resting: () => sending.resting && upkeep.resting,
        },
        { ...options, signal },
      ),
    );
  }

  async undelete(options: UndeleteOptions): Promise<UndeleteReport> {
    const { keys, client, book, delivery, losses, changes } = this.#parts;
    const parts = { ...this.#ports, keys, client, book, delivery, losses };
    const report = await this.#serving.tracked(options.signal, (signal) =>
      new UndeleteRun(parts, { ...options, signal }).run(),
    );
    changes.notify();
    return report;
  }

  status(): StatusReport {
    return statusReport({
      self: this.#keys.peerId,
      name: this.#settings.name,
      listening: this.#parts.addresses(),
      stores: this.#ports.stores,
      partners: this.partners(),
      spooledBytes: this.#parts.spool.waitingBytes,
      manifest: ownManifest(this.#ports.stores, this.#keys),
      planning: this.#parts.planning,
      missingPartners: this.#parts.partners.judging.sufficiency().missing,
      rests: this.#rests(),
      now: this.now(),
    });
  }

  #rests(): boolean {
    const { listening, sending, upkeep } = this.#parts;
    return listening !== undefined && sending.resting && upkeep.resting;
  }

  supersededBy(): number | undefined {
    return facts.successor(this.#ports.stores);
  }

  isRecovering(): boolean {
    return facts.recovering(this.#ports.stores);
  }

  isRecoverable(): boolean {
    return isRecoverable(this.#ports.stores);
  }

  partners(): readonly PartnerView[] {
    return this.#partnerships.partners();
  }

  probePartners(): Promise<void> {
    return this.#partnerships.probePartners();
  }

  agreements(): readonly AgreementView[] {
    return this.#partnerships.agreements();
  }

  shareBytes(): number {
    return this.#partnerships.shareBytes();
  }

  candidates(): readonly CandidateView[] {
    return this.#partnerships.candidates();
  }

  search(options: SearchOptions): Promise<SearchReport> {
    return this.#serving.tracked(options.signal, (signal) =>
      this.#partnerships.search({ ...options, signal }),
    );
  }

  audit(options: AuditOptions): Promise<readonly AuditEvent[]> {
    return this.#serving.tracked(options.signal, (signal) =>
      this.#partnerships.audit({ ...options, signal }),
    );
  }

  auditsOf(partner: PeerId): PartnerAudits | undefined {
    return this.#partnerships.auditsOf(partner);
  }

  leave(partner: PeerId): Promise<Outcome<AgreementView, PartnerFailure>> {
    return this.#partnerships.leave(partner);
  }

  stay(partner: PeerId): Promise<Outcome<AgreementView, PartnerFailure>> {
    return this.#partnerships.stay(partner);
  }

  forget(partner: PeerId): Outcome<AgreementView, PartnerFailure> {
    return this.#partnerships.forget(partner);
  }

  forgive(partner: PeerId): Outcome<AgreementView, PartnerFailure> {
    return this.#partnerships.forgive(partner);
  }

  changeTerms(
    partner: PeerId,
    change: TermsChange,
    signal: AbortSignal,
  ): Promise<Outcome<AgreementView, PartnerFailure>> {
    return this.#serving.tracked(signal, (until) =>
      this.#partnerships.changeTerms(partner, change, until),
    );
  }

  setPaused(partner: PeerId, paused: boolean): boolean {
    return this.#partnerships.setPaused(partner, paused);
  }

  snapshots(): readonly SnapshotRow[] {
    return presentSnapshots(this.#ports.stores, this.#parts.spool.runBeganAt);
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
    const source = this.#parts.newSource();
    const { stores } = this.#ports;
    const reader = new TreeReader(stores, source, this.#keys);
    const partners = () => this.#parts.book.all();
    const parts = { stores, source, reader, partners, pace: this.#parts.pace };
    // A part is within what may be read on any day; if it is not, the partner is told then.
    if (request.path === undefined && !request.dryRun) this.#parts.partners.notices.restores();
    return this.#serving.tracked(options.signal, (signal) =>
      new RestoreRun(parts, request, { ...options, signal, target }).run(),
    );
  }

  drill(options: DrillWish & DrillOptions): Promise<Outcome<DrillReport, DrillFailure>> {
    return this.#serving.tracked(options.signal, (signal) =>
      this.#parts.drills.drill(options, { ...options, signal }),
    );
  }

  invite(terms: InvitationTerms): string {
    return this.#parts.invitations.invite(terms);
  }

  redeemed(code: string, signal: AbortSignal): Promise<AgreementRow | undefined> {
    return this.#parts.invitations.redeemed(code, signal);
  }

  async join(code: string, offer: JoinOffer): Promise<Outcome<AgreementRow, JoinFailure>> {
    return await this.#parts.invitations.join(code, offer, this.#serving.stopping);
  }

  kit(): KitContents {
    const { book } = this.#parts;
    const manifest = ownManifest(this.#ports.stores, this.#keys);
    const { name } = this.#settings;
    return kitContents({ name, partners: book.all(), manifest, now: this.now() });
  }

  async recover(
    peers: readonly PossiblePartner[],
    options: RecoverOptions,
  ): Promise<Outcome<RecoverReport, RecoverFailure>> {
    const parts = {
      ...this.#ports,
      keys: this.#keys,
      client: this.#parts.client,
      book: this.#parts.book,
      source: this.#source,
      reader: this.#reader(),
      commitmentEndsAt: (peer: PeerId) => this.#parts.partners.commitmentEndsAt(peer),
      renew: (signal: AbortSignal) => this.#parts.partners.notices.round(signal),
    };
    const report = await this.#serving.tracked(options.signal, (signal) =>
      new RecoverRun(parts, { ...options, signal }).run(peers),
    );
    if (report.ok) this.#parts.partners.notices.restores();
    this.#parts.changes.notify();
    return report;
  }

  changed(signal: AbortSignal): Promise<void> {
    return this.#parts.changes.changed(signal);
  }

  now(): Instant {
    return this.#ports.clock.now();
  }

  #reader(): TreeReader {
    return new TreeReader(this.#ports.stores, this.#source, this.#keys);
  }
}
