/**
 * Coming back after total loss (C14, C29, C41): from the identity and a few partners' addresses to a catalogue that can restore everything.
 *
 * Partners are asked for the newest manifest that our own key signed; its sealed part names the index packs, those name all packs, and the partners'
 * inventories say where the shards really lie. Nothing that a partner says is taken on trust: manifests are signed, packs have their hash for a name, names of
 * shards decrypt under our key alone.
 */
import { present } from '../../base/assert.ts';
import { type Bytes, emptyBytes } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { type Instant, instant } from '../../base/units.ts';
import {
  agreementIdOf,
  decodeSignedAgreement,
  partnerOf,
  verifyAgreement,
} from '../../core/agreements/agreement.ts';
import { stripeIdOf } from '../../core/erasure/layout.ts';
import { IndexReading, type PackRecord } from '../../core/manifest/index-segment.ts';
import { type Manifest, openManifest } from '../../core/manifest/manifest.ts';
import { comparePlaces, type ManifestPlace } from '../../core/manifest/ordering.ts';
import type { PackDescriptor } from '../../core/manifest/pack-descriptor.ts';
import { frameKeyOf } from '../../core/packing/frame.ts';
import { chunkOf, type OpenedPack, openFrameIn, openPack } from '../../core/packing/pack-reader.ts';
import type { OwnerKeys } from '../../core/sealing/keys.ts';
import {
  chunkOfSnapshot,
  idOf,
  type PackId,
  type PeerId,
  type StripeId,
} from '../../core/vocabulary/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { PackRow, ShardRow, SnapshotRow, Stores } from '../../ports/stores.ts';
import type { PeerAddress, Transport } from '../../ports/transport.ts';
import { sha256 } from '../../primitives/hash.ts';
import type { RecoverFailure, RecoverProgress, RecoverReport } from '../computer.ts';
import { facts } from '../facts.ts';
import type { PartnerBook } from '../partners/partner-book.ts';
import type { PartnerClient } from '../partners/partner-client.ts';
import type { PackSource } from '../restore/pack-source.ts';
import type { TreeReader } from '../restore/tree-reader.ts';
import { StripeHistory } from '../upkeep/stripe-history.ts';
import { TaskPool } from '../work/task-pool.ts';
import { adoptInventories } from './inventory-adoption.ts';
import {
  allReadableFrom,
  type CommitmentEnd,
  RecoverEnded,
  readableFrom,
} from './recover-ended.ts';

export interface RecoverParts {
  readonly keys: OwnerKeys;
  readonly stores: Stores;
  readonly clock: Clock;
  readonly log: EventLog;
  readonly transport: Transport;
  readonly client: PartnerClient;
  readonly book: PartnerBook;
  readonly source: PackSource;
  readonly reader: TreeReader;
  readonly commitmentEndsAt: CommitmentEnd;
  /** Asks partners that take this computer for a former one to renew, so that it is known when their commitment ends. */
  readonly renew: (signal: AbortSignal) => Promise<unknown>;
}

export interface RecoverOptions {
  readonly floor: ManifestPlace | undefined;
  readonly signal: AbortSignal;
  readonly progress: (progress: RecoverProgress) => void;
}

/** A partner that may be asked; the id is unknown when only an address was given. */
export interface PossiblePartner {
  readonly peer: PeerId | undefined;
  readonly address: string;
}

interface FoundManifest {
  readonly manifest: Manifest;
  readonly document: Bytes;
  readonly from: PeerId;
}

const askedAtOnce = 8;
export const homeInUse = 'this home has snapshots or agreements of its own';
/** Nobody knows any more which pack came with which snapshot; so every snapshot counts as resting on all of them. */
const recoveredAt: Instant = instant(0);

export class RecoverRun {
  readonly #parts: RecoverParts;
  readonly #options: RecoverOptions;
  readonly #asked = new Map<PeerId, PeerAddress>();
  readonly #found: FoundManifest[] = [];
  readonly #history: StripeHistory;
  #answered = 0;
  /** Partners that did not say what they hold. */
  #silent: readonly PeerId[] = [];

  constructor(parts: RecoverParts, options: RecoverOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#history = new StripeHistory(parts.stores);
  }

  async run(partners: readonly PossiblePartner[]): Promise<Outcome<RecoverReport, RecoverFailure>> {
    const { stores } = this.#parts;
    const { signal } = this.#options;
    if (!isRecoverable(stores))
      return failed({ code: 'recover.home-not-empty', detail: homeInUse });
    try {
      const newest = await this.#newestManifest(partners);
      this.#adoptPartners(newest);
      await this.#adoptIndex(newest.manifest);
      this.#tell('reading-inventories');
      this.#silent = await adoptInventories(this.#parts, signal, this.#history);
      this.#history.settle(this.#parts.clock.now());
      this.#adoptManifest(newest, await this.#readSnapshots(newest.manifest));
      return succeeded(this.#report(newest));
    } catch (reason) {
      if (reason instanceof RecoverEnded) return failed(reason.failure);
      throw reason;
    }
  }

  /** Asks the given partners, then those that their manifests name, until nobody new is left. */
  async #newestManifest(partners: readonly PossiblePartner[]): Promise<FoundManifest> {
    let next = await this.#identified(partners);
    if (next.length === 0)
      throw new RecoverEnded('recover.no-partner', 'no partner could be reached');
    while (next.length > 0) {
      await this.#askAll(next);
      next = this.#named().filter(({ peer }) => !this.#asked.has(peer));
    }
    const newest = this.#found.toSorted((left, right) =>
      comparePlaces(right.manifest.header, left.manifest.header),
    )[0];
    if (newest === undefined && this.#answered === 0)
      throw new RecoverEnded('recover.no-partner', 'no partner answered');
    if (newest === undefined)
      throw new RecoverEnded('recover.no-manifest', `${this.#asked.size} partners were asked`);
    const { floor } = this.#options;
    if (floor !== undefined && comparePlaces(newest.manifest.header, floor) < 0)
      throw new RecoverEnded(
        'recover.no-manifest',
        'all manifests found are older than the recovery kit',
      );
    return newest;
  }

  async #identified(partners: readonly PossiblePartner[]): Promise<PeerAddress[]> {
    const known = new Map<PeerId, string[]>();
    for (const { peer, address } of partners) {
      const id = peer ?? (await this.#identify(address));
      if (id !== undefined) known.set(id, [...(known.get(id) ?? []), address]);
    }
    return [...known].map(([peer, addresses]) => ({ peer, addresses }));
  }

  async #identify(address: string): Promise<PeerId | undefined> {
    const { transport, log } = this.#parts;
    const identified = await transport.identify(address, this.#options.signal);
    if (identified.ok) return identified.value;
    log.write('info', 'recover.not-reached', { address, code: identified.error.code });
    return undefined;
  }

  async #askAll(peers: readonly PeerAddress[]): Promise<void> {
    const pool = new TaskPool(askedAtOnce);
    for (const peer of peers) {
      this.#asked.set(peer.peer, peer);
      await pool.start(() => this.#ask(peer));
    }
    await pool.drain();
  }

  async #ask(peer: PeerAddress): Promise<void> {
    const { client, keys, log } = this.#parts;
    const answer = await client.manifest(peer, keys.peerId, this.#options.signal);
    const opened = answer.ok ? openManifest(answer.value, keys) : answer;
    if (answer.ok || answer.error.code === 'peer.refused') this.#answered += 1;
    if (answer.ok && opened.ok)
      this.#found.push({ manifest: opened.value, document: answer.value, from: peer.peer });
    else
      log.write('info', 'recover.no-answer', {
        partner: peer.peer,
        code: opened.ok ? '' : opened.error.code,
      });
    this.#tell('asking-partners');
  }

  #named(): PeerAddress[] {
    return this.#found.flatMap(({ manifest }) => manifest.header.partners);
  }

  #tell(phase: RecoverProgress['phase']): void {
    const partnersAnswered = this.#found.length;
    this.#options.progress({ phase, partnersAsked: this.#asked.size, partnersAnswered });
  }

  /** Agreements in force, with the addresses at which the partners were last known or just now found. */
  #adoptPartners({ manifest }: FoundManifest): void {
    const { keys, stores, clock } = this.#parts;
    facts.setRecovering(stores, true);
    for (const document of manifest.body.agreements) {
      const signed = decodeSignedAgreement(document);
      const agreement = signed.ok ? verifyAgreement(signed.value) : signed;
      if (!signed.ok || !agreement.ok)
        throw new RecoverEnded('recover.integrity', 'an agreement in the manifest is not whole');
      const partner = partnerOf(agreement.value, keys.peerId);
      const contact = manifest.header.partners.find(({ peer }) => peer === partner);
      const addresses = [
        ...new Set([...(this.#asked.get(partner)?.addresses ?? []), ...(contact?.addresses ?? [])]),
      ];
      stores.agreements.put({
        // The first of a chain keeps its id: ledger, record and notices go by it.
        agreement: agreement.value.replaces?.root ?? agreementIdOf(signed.value.body),
        partner,
        document,
        phase: 'standing',
        paused: false,
        lifecycle: undefined,
        partnerName: contact?.name ?? '',
        addresses: addresses.slice(0, 8),
        since: clock.now(),
        lastSeenAt: undefined,
      });
    }
  }

  async #adoptIndex(manifest: Manifest): Promise<void> {
    this.#tell('reading-index');
    for (const descriptor of manifest.body.indexPacks)
      for (const record of await this.#readIndexPack(descriptor)) this.#adoptPack(record, true);
  }

  async #readIndexPack(descriptor: PackDescriptor): Promise<readonly PackRecord[]> {
    const { source, keys } = this.#parts;
    const row = rowOf(descriptor, { kind: 'index', salt: new Uint8Array(32) }, recoveredAt);
    const holders = new Map<number, PeerId>();
    descriptor.placement.forEach((partner, index) => {
      if (partner !== undefined) holders.set(index, partner);
    });
    const range = { offset: 0, length: descriptor.lengthBytes };
    const read = await source.readFromPartners(row, range, holders);
    if (!read.ok) {
      const isWrong = read.error.code === 'pack.wrong-blocks';
      const code = isWrong ? 'recover.integrity' : 'recover.too-few-partners';
      const { dataShards } = descriptor.code;
      await this.#parts.renew(this.#options.signal);
      const from = readableFrom([...holders.values()], dataShards, this.#parts.commitmentEndsAt);
      throw new RecoverEnded(code, read.error.detail, isWrong ? undefined : from);
    }
    if (idOf<PackId>(sha256(read.value)) !== descriptor.pack)
      throw new RecoverEnded('recover.integrity', 'an index pack differs from its name');
    const pack = openPack(keys.packKey, read.value);
    if (!pack.ok) throw new RecoverEnded('recover.integrity', pack.error.code);
    const { header, contents } = pack.value;
    this.#adoptPack({ ...descriptor, kind: 'index', salt: header.salt, contents }, true);
    return this.#segments(read.value, pack.value);
  }

  #segments(bytes: Bytes, { header, contents }: OpenedPack): readonly PackRecord[] {
    const key = frameKeyOf(this.#parts.keys.packKey, header);
    const records: PackRecord[] = [];
    const reading = new IndexReading();
    for (let chunk = 0; chunk < contents.chunkLengths.length; chunk += 1) {
      const number = present(contents.chunkFrames[chunk], 'the frame of a chunk');
      const offset = present(contents.chunkOffsets[chunk], 'the place of a chunk');
      const length = present(contents.chunkLengths[chunk], 'the length of a chunk');
      const frame = openFrameIn(key, bytes, { contents, number });
      if (!frame.ok) throw new RecoverEnded('recover.integrity', frame.error.code);
      const bytesOfChunk = chunkOf(frame.value, { offset, length });
      const segment = bytesOfChunk && reading.add(bytesOfChunk);
      if (!segment?.ok)
        throw new RecoverEnded('recover.integrity', 'an index segment is not whole');
      records.push(...segment.value);
    }
    if (!reading.isWhole())
      throw new RecoverEnded('recover.integrity', 'an index pack ends midway');
    return records;
  }

  /** Takes a pack into the catalogue, with its shards where they were to go; inventories say which arrived. */
  #adoptPack(record: PackRecord, indexed: boolean): void {
    const { stores } = this.#parts;
    const { pack } = record;
    const row = { ...rowOf(record, record, recoveredAt), indexed };
    const shards = record.placement.flatMap((partner, index): readonly ShardRow[] =>
      partner === undefined ? [] : [{ pack, index, partner, phase: 'planned' }],
    );
    const known = stores.packs.get(pack);
    if (known !== undefined) {
      this.#history.replace(this.#parts.clock.now(), known, { row, shards });
      return;
    }
    stores.transact(() => {
      stores.packs.add(row, record.contents);
      for (const shard of shards) stores.shards.put(shard);
    });
  }

  async #readSnapshots(manifest: Manifest): Promise<readonly SnapshotRow[]> {
    const { reader, stores, commitmentEndsAt } = this.#parts;
    const rows: SnapshotRow[] = [];
    for (const { snapshot, time } of manifest.body.snapshots) {
      const body = await reader.chunk(chunkOfSnapshot(snapshot));
      if (!body.ok) {
        const broken = body.error.code === 'restore.integrity';
        await this.#parts.renew(this.#options.signal);
        throw new RecoverEnded(
          broken ? 'recover.integrity' : 'recover.too-few-partners',
          body.error.detail,
          broken ? undefined : allReadableFrom(stores, commitmentEndsAt),
        );
      }
      rows.push({ snapshot, body: body.value, takenAt: time, phase: 'protected' });
    }
    return rows;
  }

  /** From here on this is the next life of the identity: it goes on where the manifest stopped. */
  #adoptManifest({ manifest, document }: FoundManifest, snapshots: readonly SnapshotRow[]): void {
    const { stores, keys, clock, log } = this.#parts;
    const { incarnation, sequence } = manifest.header;
    stores.transact(() => {
      for (const row of snapshots) stores.snapshots.put(row);
      stores.manifests.put({
        owner: keys.peerId,
        incarnation,
        sequence,
        hash: manifest.hash,
        document,
        receivedAt: clock.now(),
      });
      facts.setIncarnation(stores, incarnation + 1);
      // Whatever was lost meanwhile, the next manifest names them too; it says more than this one, whose digest is not known.
      const listed = snapshots.map(({ snapshot }) => snapshot);
      facts.setManifest(stores, { digest: emptyBytes, listed });
      facts.setUnconfirmed(stores, this.#silent);
      facts.setRecovering(stores, false);
    });
    log.write('info', 'recover.done', { incarnation, sequence });
    this.#tell('done');
  }

  #report({ manifest }: FoundManifest): RecoverReport {
    const { stores } = this.#parts;
    const { incarnation, sequence } = manifest.header;
    const same = this.#found.filter(
      (found) => comparePlaces(found.manifest.header, manifest.header) === 0,
    );
    return {
      incarnation,
      sequence,
      confirmations: same.length,
      partnersAsked: this.#asked.size,
      snapshots: manifest.body.snapshots.length,
      packs: stores.packs.all().length,
    };
  }
}

/** Whether nothing would be lost: an empty home, or one whose recovery was cut off. */
export function isRecoverable(stores: Stores): boolean {
  if (stores.snapshots.all().length > 0) return false;
  const inForce = stores.agreements.all().filter(({ phase }) => phase !== 'proposed');
  return inForce.length === 0 || facts.recovering(stores);
}

function rowOf(
  descriptor: PackDescriptor,
  pack: { readonly kind: PackRow['kind']; readonly salt: Bytes },
  storedAt: Instant,
): PackRow {
  const { code, lengthBytes } = descriptor;
  const stripe: StripeId = stripeIdOf({ packId: descriptor.pack, packLength: lengthBytes, code });
  return {
    pack: descriptor.pack,
    kind: pack.kind,
    suite: descriptor.suite,
    salt: pack.salt,
    lengthBytes,
    storedAt,
    code,
    stripe,
    indexed: false,
    spooled: false,
  };
}
