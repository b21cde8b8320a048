/**
 * Coming back after total loss (C14, C29, C41): from the identity and a few partners' addresses to a catalogue that can restore everything.
 *
 * Partners are asked for the newest manifest that our own key signed; its sealed part names the index packs, those name all packs, and the partners'
 * inventories say where the shards really lie. Nothing that a partner says is taken on trust: manifests are signed, packs have their hash for a name, names of
 * shards decrypt under our key alone.
 */
import { type Bytes, emptyBytes } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import {
  agreementIdOf,
  decodeSignedAgreement,
  partnerOf,
  verifyAgreement,
} from '../../core/agreements/agreement.ts';
import type { PackRecord } from '../../core/manifest/index-segment.ts';
import { type Manifest, openManifest } from '../../core/manifest/manifest.ts';
import { comparePlaces, type ManifestPlace } from '../../core/manifest/ordering.ts';
import { chunkOfSnapshot, type PeerId } from '../../core/vocabulary/ids.ts';
import type { ShardRow, SnapshotRow, Stores } from '../../ports/stores.ts';
import type { PeerAddress, Transport } from '../../ports/transport.ts';
import type { RecoverFailure, RecoverProgress, RecoverReport } from '../computer.ts';
import { facts } from '../facts.ts';
import type { TreeReader } from '../restore/tree-reader.ts';
import { StripeHistory } from '../upkeep/stripe-history.ts';
import { TaskPool } from '../work/task-pool.ts';
import { describedRow, IndexPacks, type IndexPacksParts } from './index-packs.ts';
import { adoptInventories } from './inventory-adoption.ts';
import { allReadableFrom, RecoverEnded } from './recover-ended.ts';

export interface RecoverParts extends IndexPacksParts {
  readonly transport: Transport;
  readonly reader: TreeReader;
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
    // From here on this home is for nothing else: what it began besides could never be listed. Where nobody could be asked, nothing began.
    if (partners.length > 0) facts.setRecovering(stores, true);
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
    const packs = new IndexPacks(this.#parts, manifest.body.indexPacks, this.#options.signal);
    for await (const { own, described } of packs.read())
      for (const record of [own, ...described]) this.#adoptPack(record);
  }

  /** Takes a pack into the catalogue, with its shards where they were to go; inventories say which arrived. */
  #adoptPack(record: PackRecord): void {
    const { stores } = this.#parts;
    const { pack } = record;
    const row = { ...describedRow(record, record), indexed: true };
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
