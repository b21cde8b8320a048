/** The parts of a computer and how they hang together. What is asked of it is in create-computer.ts. */
import { domainsOf } from '../core/partners/failure-domain.ts';
import type { OwnerKeys } from '../core/sealing/keys.ts';
import type { PeerId } from '../core/vocabulary/ids.ts';
import { parseAddresses } from '../core/wire/contact.ts';
import type { Listening } from '../ports/transport.ts';
import { Spool } from './backup/spool.ts';
import type { ComputerPorts, ComputerSettings } from './computer.ts';
import { DeniedShards } from './drills/denied-shards.ts';
import { DrillDesk } from './drills/drill.ts';
import { offenders } from './drills/drill-report.ts';
import { QuotaExcuse } from './drills/quota-excuse.ts';
import { isRefusal, RefusedDrills } from './drills/refused-drills.ts';
import { ManifestKeeper } from './holding/manifest-keeper.ts';
import { SelfScrub } from './holding/self-scrub.ts';
import { ShardIntake } from './holding/shard-intake.ts';
import { ShardService } from './holding/shard-service.ts';
import { InvitationDesk } from './partners/invitation-desk.ts';
import { PartnerBook } from './partners/partner-book.ts';
import { PartnerClient } from './partners/partner-client.ts';
import { PartnerPace } from './partners/partner-pace.ts';
import { PartnerParts } from './partners/partner-parts.ts';
import { PartnerPlanning } from './partners/partner-planning.ts';
import { PartnerService } from './partners/partner-service.ts';
import { type PartnershipSettings, partnershipSettings } from './partners/partnership-settings.ts';
import { StripeHolders } from './partners/stripe-holders.ts';
import { PackSource, type PackSourceParts } from './restore/pack-source.ts';
import { ShardFetch, type ShardFetchParts } from './restore/shard-fetch.ts';
import { TreeReader } from './restore/tree-reader.ts';
import { InventoryWatch } from './sending/inventory-watch.ts';
import { Outbox } from './sending/outbox.ts';
import { OwnSuccessor } from './sending/own-successor.ts';
import { Publication } from './sending/publication.ts';
import { ShardDelivery, type ShardDeliveryParts } from './sending/shard-delivery.ts';
import { ShardLosses } from './sending/shard-losses.ts';
import { SuccessorWatch } from './sending/successor-watch.ts';
import { ReserveShards } from './upkeep/reserve-shards.ts';
import { Upkeep } from './upkeep/upkeep.ts';
import { Backoff } from './work/backoff.ts';
import { Notifier } from './work/notifier.ts';
import { RateLimit } from './work/rate-limit.ts';
import { WorkLoop } from './work/work-loop.ts';

export class ComputerParts {
  readonly ports: ComputerPorts;
  readonly keys: OwnerKeys;
  readonly settings: ComputerSettings;
  readonly partnership: PartnershipSettings;
  readonly changes: Notifier = new Notifier();
  readonly pace: PartnerPace = new PartnerPace();
  readonly backoff: Backoff;
  readonly book: PartnerBook;
  readonly planning: PartnerPlanning;
  readonly client: PartnerClient;
  readonly spool: Spool;
  readonly losses: ShardLosses;
  readonly quota: QuotaExcuse;
  readonly partners: PartnerParts;
  readonly delivery: ShardDelivery;
  readonly outbox: Outbox;
  readonly sending: WorkLoop;
  readonly publishing: WorkLoop;
  readonly inventories: InventoryWatch;
  readonly successors: SuccessorWatch;
  readonly invitations: InvitationDesk;
  readonly intake: ShardIntake;
  readonly service: PartnerService;
  readonly upkeep: Upkeep;
  readonly scrub: SelfScrub;
  readonly drills: DrillDesk;
  readonly refusedDrills: RefusedDrills;
  /** Aborted when a later life of this identity was seen. */
  readonly superseded: AbortController = new AbortController();
  /** Set while this computer serves. */
  listening: Listening | undefined;

  constructor(ports: ComputerPorts, keys: OwnerKeys, settings: ComputerSettings) {
    this.ports = ports;
    this.keys = keys;
    this.settings = settings;
    this.partnership = partnershipSettings(settings.partnership);
    const { stores, clock, log } = ports;
    this.backoff = new Backoff(clock);
    this.book = new PartnerBook(stores);
    this.planning = this.#newPlanning();
    this.quota = new QuotaExcuse({ ...ports, self: keys.peerId, book: this.book });
    this.client = new PartnerClient(ports.transport, {
      clock,
      addresses: () => this.addresses(),
      heard: (peer, answered) => {
        this.partners.watch.sign(peer, answered);
        this.#heard(peer, answered);
      },
      ended: (peer) => this.partners.notices.ended(peer),
      notified: (sent) => this.quota.notified(sent),
      taken: (peer, shard, whole) => this.partners.noteTaken(peer, shard, whole),
      transferring: (peer, direction) => this.partners.watch.transferring(peer, direction),
    });
    this.spool = this.#newSpool();
    this.losses = new ShardLosses({ stores, spool: this.spool, log, changes: this.changes });
    this.partners = new PartnerParts({
      ...{ ports, keys, settings, partnership: this.partnership, book: this.book },
      ...{ client: this.client, losses: this.losses, changes: this.changes },
      planning: this.planning,
      trash: () => this.intake.trash,
      addresses: () => this.addresses(),
    });
    this.delivery = this.#newDelivery();
    this.outbox = new Outbox({ ...this.#shared(), ...this.#work() });
    const onFound = (): void => {
      this.superseded.abort();
      this.changes.notify();
    };
    const successor = new OwnSuccessor({ ...this.#shared(), changes: this.changes, onFound });
    const publication = new Publication({ ...this.#shared(), ...this.#work(), successor });
    const loop = { clock, log, changes: this.changes, backoff: this.backoff };
    this.sending = new WorkLoop(loop, async (signal) => (await this.outbox.sendRound(signal)) > 0);
    this.publishing = new WorkLoop(loop, (signal) => publication.round(signal));
    this.inventories = new InventoryWatch({ ...this.#shared(), changes: this.changes });
    this.successors = new SuccessorWatch({
      ...{ ...this.#shared(), changes: this.changes, successor },
      periodMs: this.partnership.auditIntervalMs,
    });
    this.invitations = new InvitationDesk({
      ...this.#shared(),
      changes: this.changes,
      addresses: () => this.addresses(),
      freeBytesFor: (peer) => this.partners.stance.freeBytesWithout(peer),
    });
    this.intake = new ShardIntake({ ...ports, identitySeed: keys.identitySeed });
    this.scrub = new SelfScrub({
      ...{ ...ports, intake: this.intake, periodMs: this.partnership.scrubMs },
      tell: (owner, subject) => this.partners.notices.give(owner, subject),
      told: () => this.changes.notify(),
    });
    this.drills = this.#newDrills();
    this.refusedDrills = this.#newRefusedDrills();
    this.service = this.#newService();
    this.upkeep = new Upkeep({
      ...this.#shared(),
      ...this.#work(),
      source: this.newSource(),
      outbox: this.outbox,
      trash: this.intake.trash,
      avoided: (row) => this.partners.keeper.spareWanted(row),
    });
  }

  /** What works for as long as this computer serves. */
  get loops(): readonly { readonly run: (signal: AbortSignal) => Promise<void> }[] {
    const { sending, publishing, inventories, upkeep, partners, scrub } = this;
    const { successors, drills, refusedDrills } = this;
    const own = [sending, publishing, inventories, successors, upkeep];
    return [...own, partners, scrub, drills, refusedDrills];
  }

  /** Where this computer can be found. */
  addresses(): readonly string[] {
    const listening = this.listening?.addresses ?? [];
    return [...new Set([...this.settings.announcedAddresses, ...listening])].slice(0, 8);
  }

  /** A source of packs that remembers nothing of others' reads. */
  newSource(
    options: Pick<ShardFetchParts, 'watched'> &
      Pick<PackSourceParts, 'onlyPartners'> & { readonly pace?: PartnerPace } = {},
  ): PackSource {
    const { ports, spool } = this;
    const parts = { ...ports, spool, pace: this.pace, ...options };
    const fetch = this.#newFetch(parts);
    const mayRead = (peer: PeerId): boolean => this.partners.keeper.mayReadFrom(peer);
    return new PackSource({ ...parts, fetch, mayRead });
  }

  #newFetch(parts: Pick<ShardFetchParts, 'pace' | 'watched'>): ShardFetch {
    const { ports, losses, quota, keys, client, book } = this;
    const { keeper, notices } = this.partners;
    const announceRestore: ShardFetchParts['announceRestore'] = (peer, signal) =>
      notices.announceRestore(peer, signal);
    const denials = new DeniedShards({ ...ports, book, keeper });
    const known = { losses, quota, denials, keys, client, book };
    return new ShardFetch({ ...ports, ...known, announceRestore, ...parts });
  }

  #shared() {
    const { ports, keys, settings, book, client } = this;
    return { ...ports, keys, name: settings.name, book, client };
  }

  #work() {
    const { changes, backoff, spool, planning, delivery } = this;
    return { changes, backoff, spool, planning, delivery };
  }

  #newPlanning(): PartnerPlanning {
    const { ports, keys, book, settings } = this;
    const { preset, spareAfterMs, networkPrefix, systemVersion, place } = this.partnership;
    const own = domainsOf({
      ...place,
      system: settings.system,
      ...(systemVersion === '' ? {} : { osVersion: systemVersion }),
      ...(networkPrefix === undefined ? {} : { networkPrefix }),
    });
    const self = keys.peerId;
    return new PartnerPlanning({
      ...{ ...ports, self, book, preset: { preset }, spareAfterMs, own },
      commitmentEndsAt: (partner) => this.partners.commitmentEndsAt(partner),
      holders: new StripeHolders({
        ...{ ...ports, shardNameKey: keys.shardNameKey },
        reserves: new ReserveShards({ ...ports, book, shardNameKey: keys.shardNameKey }),
        honoursRestores: (partner) => this.partners.keeper.mayReadFrom(partner),
        uncommittedAt: (partner) => this.partners.uncommittedAt(partner),
      }),
    });
  }

  #newSpool(): Spool {
    const { spoolCapBytes, cacheCapBytes } = this.settings;
    const caps = { spoolBytes: spoolCapBytes, cacheBytes: cacheCapBytes };
    return new Spool(this.ports, caps, {
      changes: this.changes,
      drains: () => this.outbox.hasTakers(),
      takers: () => this.outbox.takers(),
      isSending: (pack) => this.outbox.isSending(pack),
    });
  }

  #newDelivery(): ShardDelivery {
    const { ports, keys, settings, losses } = this;
    const limit = new RateLimit(ports.clock, settings.uploadLimit);
    const { shardNameKey } = keys;
    const toldLost: ShardDeliveryParts['toldLost'] = (partner, shards) =>
      this.partners.keeper.lostAll(partner, shards > 0);
    return new ShardDelivery({ ...this.#shared(), losses, shardNameKey, limit, toldLost });
  }

  #newDrills(): DrillDesk {
    const { ports, keys, partnership, book, changes } = this;
    return new DrillDesk({
      ...{ ...ports, keys, intervalMs: partnership.drillIntervalMs },
      reader: new TreeReader(ports.stores, this.newSource(), keys),
      newSource: (options) => this.newSource(options),
      mayRead: (peer) => this.partners.keeper.mayReadFrom(peer),
      uncommitted: (peer) => this.partners.uncommittedAt(peer),
      partners: () => book.all(),
      announce: () => this.partners.notices.restores(),
      onReport: (report) => {
        for (const { partner, blocks, code } of offenders(report)) {
          // Whoever gave nothing is asked again until it does; what was wrong an audit looks into.
          if (blocks === 0) this.#notServed(partner, code);
          this.partners.audits.soon(partner);
        }
        changes.notify();
      },
    });
  }

  #notServed(partner: PeerId, code: string): void {
    const { keeper } = this.partners;
    if (isRefusal(code, partner, { keeper, of: 'any' }))
      keeper.happened(partner, { type: 'drill-refused' });
    else if (isRefusal(code, partner, { keeper, of: 'old' })) this.refusedDrills.doubt(partner);
  }

  #newRefusedDrills(): RefusedDrills {
    const { ports, keys, book, partners, partnership } = this;
    return new RefusedDrills({
      ...{ ...ports, keys, book, keeper: partners.keeper },
      uncommitted: (peer) => partners.uncommittedAt(peer, 'its'),
      auditIntervalMs: partnership.auditIntervalMs,
      newFetch: (watched) => this.#newFetch({ pace: this.pace, watched }),
      announceRestore: (peer, signal) => partners.notices.announceRestore(peer, signal),
    });
  }

  #newService(): PartnerService {
    const { ports, keys, book, invitations, intake } = this;
    const { reads, uncommittedReads: uncommitted } = this.partners;
    const { stores, clock, log, random, held } = ports;
    const own = { identitySeed: keys.identitySeed, stores, clock, log, random };
    return new PartnerService({
      book,
      invitations,
      shards: new ShardService({ stores, held, intake, reads, uncommitted }),
      manifests: new ManifestKeeper(own),
      partnership: this.partners,
      profile: () => this.partners.profile(),
      heard: (request) => {
        this.partners.watch.asked(request.from);
        this.#heard(request.from, true);
        book.moved(request.from, parseAddresses(request.fields), clock.now());
      },
    });
  }

  #heard(peer: PeerId, answered: boolean): void {
    if (!answered) {
      this.book.missed(peer);
      return;
    }
    const wasMissing = this.book.reachable(peer) === false;
    this.book.heard(peer, this.ports.clock.now());
    if (!wasMissing) return;
    // A partner that came back is tried at once.
    this.backoff.cleared(peer);
    this.inventories.cameBack(peer);
    this.partners.audits.cameBack(peer);
    this.changes.notify();
  }
}
