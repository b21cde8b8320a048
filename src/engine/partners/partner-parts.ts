/** The parts of a computer that find, watch and keep partners, and how they hang together. */
import type { Bytes } from '../../base/bytes.ts';
import { hourMs, type Instant, secondMs } from '../../base/units.ts';
import type { Stance } from '../../core/agreements/negotiation.ts';
import type { LifecycleEffect } from '../../core/partners/lifecycle-event.ts';
import { fullShards } from '../../core/placement/code-choice.ts';
import type { OwnerKeys } from '../../core/sealing/keys.ts';
import type { PeerId, ShardName } from '../../core/vocabulary/ids.ts';
import { type AgreementRow, StorageFull } from '../../ports/stores.ts';
import { AuditAnswers } from '../audits/audit-answers.ts';
import { AuditDesk } from '../audits/audit-desk.ts';
import type { AuditEvent } from '../audits/audit-event.ts';
import type { ComputerPorts, ComputerSettings } from '../computer.ts';
import { facts } from '../facts.ts';
import type { HeldTrash } from '../holding/held-trash.ts';
import { ReadQuota } from '../holding/read-quota.ts';
import { UncommittedReads } from '../holding/uncommitted-reads.ts';
import { RecordDesk } from '../records/record-desk.ts';
import type { ShardLosses } from '../sending/shard-losses.ts';
import { shardsAt } from '../sending/shard-places.ts';
import { spoilReserves } from '../upkeep/reserve-shards.ts';
import { jittered } from '../work/jitter.ts';
import type { Notifier } from '../work/notifier.ts';
import { AskerChecks, type AskerChecksParts } from './asker-checks.ts';
import { CandidateBook } from './candidate-book.ts';
import { CandidateJudging } from './candidate-judging.ts';
import { CandidateSources } from './candidate-sources.ts';
import { LifecycleKeeper } from './lifecycle-keeper.ts';
import { NegotiationDesk } from './negotiation-desk.ts';
import { NoticeDesk } from './notice-desk.ts';
import { ownProfile } from './own-profile.ts';
import { ObservedAccount } from './partner-account.ts';
import type { PartnerBook } from './partner-book.ts';
import type { PartnerClient } from './partner-client.ts';
import type { PartnerPlanning } from './partner-planning.ts';
import { PartnerSearch } from './partner-search.ts';
import { PartnerStance } from './partner-stance.ts';
import { PartnerWatch } from './partner-watch.ts';
import type { PartnershipSettings } from './partnership-settings.ts';
import { ProvableShards } from './provable-shards.ts';
import { RefusedRoom, type SentShard } from './refused-room.ts';
import { UncommittedShards } from './uncommitted-shards.ts';

export interface PartnerPartsNeeds {
  readonly ports: ComputerPorts;
  readonly keys: OwnerKeys;
  readonly settings: ComputerSettings;
  readonly partnership: PartnershipSettings;
  readonly book: PartnerBook;
  readonly client: PartnerClient;
  readonly losses: ShardLosses;
  readonly changes: Notifier;
  readonly planning: PartnerPlanning;
  /** Of what is held for others. */
  readonly trash: () => HeldTrash;
  readonly addresses: () => readonly string[];
}

/** How often it is looked whether a receipt is due, as a part of the period that one covers. */
const receiptLooks = 8;
/** Whoever asks often is shown the same profile again. */
const profileLifeMs: number = 10 * secondMs;

export class PartnerParts {
  readonly #needs: PartnerPartsNeeds;
  readonly keeper: LifecycleKeeper;
  readonly watch: PartnerWatch;
  readonly notices: NoticeDesk;
  readonly audits: AuditDesk;
  readonly answers: AuditAnswers;
  readonly reads: ReadQuota;
  readonly uncommittedReads: UncommittedReads;
  readonly candidates: CandidateBook;
  readonly stance: PartnerStance;
  readonly judging: CandidateJudging;
  readonly records: RecordDesk;
  readonly negotiations: NegotiationDesk;
  readonly search: PartnerSearch;
  readonly #uncommitted: UncommittedShards;
  readonly #refusedRoom: RefusedRoom;
  #profile: { readonly document: Bytes; readonly at: Instant } | undefined;

  constructor(needs: PartnerPartsNeeds) {
    this.#needs = needs;
    const { ports, keys, settings, partnership, book, client, changes } = needs;
    const { stores, clock, random, log } = ports;
    const self = keys.peerId;
    const shared = { self, keys, stores, clock, random, log, book, client, changes };
    const provable = new ProvableShards(stores, clock);
    this.#refusedRoom = new RefusedRoom(shared);
    this.keeper = new LifecycleKeeper({
      ...shared,
      spareAfterMs: partnership.spareAfterMs,
      proves: (row) => provable.anyAt(row),
      refusesRoom: (row) => this.#refusedRoom.refuses(row),
      onEffect: (row, effect) => this.#follow(row, effect),
    });
    this.#uncommitted = new UncommittedShards(stores, this.keeper);
    const kept = { ...shared, keeper: this.keeper };
    this.watch = new PartnerWatch({
      ...kept,
      probeIntervalMs: partnership.probeIntervalMs,
      graceMs: partnership.graceMs,
    });
    this.answers = new AuditAnswers({ ...ports, identitySeed: keys.identitySeed });
    this.audits = new AuditDesk({
      ...{ ...shared, losses: needs.losses },
      onEvent: (event) => this.#audited(event),
    });
    this.reads = new ReadQuota(shared);
    const openStep: LifecycleKeeper['openStep'] = (row, place) => this.keeper.openStep(row, place);
    this.uncommittedReads = new UncommittedReads({ stores, openStep });
    this.notices = new NoticeDesk({
      ...{ ...kept, losses: needs.losses, reads: this.reads },
      hasRoomFor: (row) => this.stance.hasRoomFor(row),
    });
    this.candidates = new CandidateBook(shared);
    this.stance = new PartnerStance({
      ...kept,
      settings: partnership,
      offeredBytes: settings.offeredBytes,
      wantedPartners: () => fullShards(needs.planning.preset),
    });
    const found = { ...kept, candidates: this.candidates, stance: this.stance };
    this.judging = new CandidateJudging({ ...found, ...needs, watch: this.watch });
    this.records = new RecordDesk({
      ...shared,
      account: new ObservedAccount({ ...kept, watch: this.watch }),
      periodMs: partnership.receiptPeriodMs,
    });
    const checkReferences: AskerChecksParts['checkReferences'] = (peer, references, signal) =>
      this.records.checkReferences(peer, references, { witnesses: this.#witnesses(), signal });
    const checks = new AskerChecks({ ...found, judging: this.judging, checkReferences });
    this.negotiations = new NegotiationDesk({
      ...found,
      name: settings.name,
      addresses: needs.addresses,
      profile: () => this.profile(),
      towardsAsker: (peer) => this.#towardsAsker(peer),
      onAgreement: () => {
        this.#profile = undefined;
        this.search.wake();
      },
      onCandidate: (peer) => this.#somebodyNew(peer),
      checkAsker: (peer) => checks.check(peer),
    });
    this.search = new PartnerSearch({
      ...found,
      judging: this.judging,
      desk: this.negotiations,
      settings: partnership,
      addresses: needs.addresses,
      sources: new CandidateSources({
        ...found,
        transport: ports.transport,
        discovery: ports.discovery,
        bootstrap: partnership.bootstrap,
        neighbourhood: partnership.neighbourhood,
      }),
      checkReferences,
    });
  }

  /** When a partner begins to honour restores; undefined when it does, or is no partner. */
  commitmentEndsAt(peer: PeerId): Instant | undefined {
    const row = this.#needs.book.get(peer);
    return row && this.keeper.datesOf(row).commitmentEndsAt;
  }

  /** What a partner need not give back yet, though its first commitment is over. */
  uncommittedAt(peer: PeerId, count: 'ours' | 'its' = 'ours'): ReadonlySet<ShardName> {
    const row = this.#needs.book.get(peer);
    return row === undefined ? new Set() : this.#uncommitted.at(row, count);
  }

  /** Whether a partner took in a shard that it was sent. */
  noteTaken(peer: PeerId, shard: SentShard, whole: boolean): void {
    if (whole) this.#refusedRoom.taken(peer, shard);
    else this.#refusedRoom.refused(peer, shard);
  }

  /** What this computer says about itself, signed of late. */
  profile(): Bytes {
    const now = this.#needs.ports.clock.now();
    const last = this.#profile;
    if (last !== undefined && Math.abs(now - last.at) < profileLifeMs) return last.document;
    const document = this.#signedProfile();
    this.#profile = { document, at: now };
    return document;
  }

  #signedProfile(): Bytes {
    const { ports, keys, settings, partnership } = this.#needs;
    return ownProfile({
      ...{ ports, keys, settings, partnership },
      standing: () => ({
        observation: this.watch.own(),
        references: this.records.references(),
        freeBytes: this.stance.openBytes(),
      }),
    });
  }

  /** Works until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    this.#guarded(() => this.#settleFormer());
    const loops = [this.watch, this.notices, this.search, this.audits].map((loop) =>
      loop.run(signal),
    );
    await Promise.all([...loops, this.#keepRecords(signal)]);
  }

  async #keepRecords(signal: AbortSignal): Promise<void> {
    const { clock, random, log } = this.#needs.ports;
    const lookMs = this.#needs.partnership.receiptPeriodMs / receiptLooks;
    while (!signal.aborted) {
      await clock.sleep(jittered(Math.min(hourMs, Math.max(secondMs / 2, lookMs)), random), signal);
      if (signal.aborted) return;
      this.#guarded(() => this.#settleFormer());
      this.reads.settle();
      this.uncommittedReads.settle();
      try {
        await this.records.proposeDue(signal);
      } catch (reason) {
        if (!(reason instanceof StorageFull)) throw reason;
        log.write('warn', 'records.no-room');
      }
    }
  }

  /** A crash or a full disk may have come between the end of an agreement and what follows from it. */
  #settleFormer(): void {
    this.keeper.resume();
    for (const row of this.keeper.former()) this.#countLost(row);
  }

  /** What there is no room for is done later. */
  #guarded(work: () => void): void {
    try {
      work();
    } catch (reason) {
      if (!(reason instanceof StorageFull)) throw reason;
      this.#needs.ports.log.write('warn', 'partners.no-room');
    }
  }

  #witnesses(): readonly {
    readonly peer: AgreementRow['partner'];
    readonly addresses: readonly string[];
  }[] {
    const { book } = this.#needs;
    return book.all().map(({ partner }) => book.addressOf(partner));
  }

  /** A partner that could not be reached at all was noted when it was tried; our own faults are nobody's. */
  #audited({ partner, outcome, findings, toldLost, unjudged }: AuditEvent): void {
    const spoilt = new Set(findings.map(({ name }) => name));
    if (spoilt.size > 0)
      spoilReserves(this.#needs.ports.stores, partner, (name) => spoilt.has(name));
    if (outcome === 'passed') this.watch.proved(partner);
    // It signed that it is in a later life: a loss that was told, not one that was found out.
    if (toldLost !== undefined) this.keeper.lostAll(partner, toldLost > 0);
    if (unjudged) this.keeper.happened(partner, { type: 'unjudged' });
    if (outcome === 'wrong') this.keeper.happened(partner, { type: 'wrong' });
    if (outcome === 'silent') this.keeper.happened(partner, { type: 'unproved' });
  }

  /** Whoever has not got back the partners there were takes no others. */
  #towardsAsker(peer: PeerId): Stance | undefined {
    if (facts.recovering(this.#needs.ports.stores)) return undefined;
    const known = this.judging.ofAsker(peer);
    return known && this.stance.towards(peer, known);
  }

  #somebodyNew(peer: PeerId): void {
    if (!this.#needs.partnership.seek || this.judging.sufficiency().enough) return;
    if (this.judging.isAcceptable(peer)) this.search.wake();
  }

  #follow(row: AgreementRow, effect: LifecycleEffect): void {
    switch (effect.type) {
      case 'discard':
        // Under a later agreement the same shards may count again, or be kept for whoever reneged on that.
        if (this.#needs.book.get(row.partner) === undefined && !this.keeper.kept(row.partner))
          this.#needs.trash().addAll(row.partner);
        return;
      case 'reinstated':
        this.#needs.trash().takeBack(row);
        return;
      case 'divorce':
      case 'ended':
        this.#countLost(row);
        this.judging.forgetChecks();
        this.search.wake();
        return;
      case 'ask-proof':
        this.audits.soon(row.partner);
        return;
      case 'suspended':
      case 'place-spares':
      case 'move-shards':
        this.search.wake();
        return;
      default:
        return;
    }
  }

  /** What lies at somebody that is no partner any more protects nothing. */
  #countLost({ partner }: AgreementRow): void {
    const { ports, losses, book } = this.#needs;
    if (book.get(partner) !== undefined) return;
    for (const shard of shardsAt(ports.stores, partner, ['held'])) losses.note(shard, 'lost');
  }
}
