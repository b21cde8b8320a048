/**
 * Makes what was sent out findable again: index packs, then the manifest, at every partner (C28, C41).
 *
 * A snapshot counts as protected only when its packs are, the index packs that describe them are, and enough partners have signed for the manifest that
 * names both. All of it is derived from the catalogue again on every round, so a crash between two steps costs a repetition at most.
 */
import { assert, present } from '../../base/assert.ts';
import { type Bytes, concatBytes, equalBytes } from '../../base/bytes.ts';
import { encodeCbor } from '../../base/codec.ts';
import { minuteMs } from '../../base/units.ts';
import { encodeIndexSegments, type PackRecord } from '../../core/manifest/index-segment.ts';
import {
  encodeManifest,
  type ManifestDraft,
  readPublicManifest,
} from '../../core/manifest/manifest.ts';
import {
  encodeManifestBody,
  listedSnapshotsMaximum,
  type ManifestBody,
} from '../../core/manifest/manifest-body.ts';
import type { PackDescriptor, PlacementHint } from '../../core/manifest/pack-descriptor.ts';
import { readReceipt } from '../../core/manifest/receipt.ts';
import { packSaltBytes } from '../../core/packing/frame.ts';
import { PackWriter } from '../../core/packing/pack-writer.ts';
import { ChunkNamer } from '../../core/sealing/chunk-id.ts';
import type { OwnerKeys } from '../../core/sealing/keys.ts';
import { type Code, shardCount } from '../../core/vocabulary/code.ts';
import type { PackId, SnapshotId } from '../../core/vocabulary/ids.ts';
import { parseSuite, suiteAesGcm } from '../../core/vocabulary/suite.ts';
import { type Contact, contactFields } from '../../core/wire/contact.ts';
import type { RefusalCode } from '../../core/wire/refusal.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { Random } from '../../ports/random.ts';
import type { AgreementRow, ManifestRow, PackRow, Stores } from '../../ports/stores.ts';
import { sha256 } from '../../primitives/hash.ts';
import type { Spool } from '../backup/spool.ts';
import { facts } from '../facts.ts';
import type { PartnerBook } from '../partners/partner-book.ts';
import type { PartnerClient } from '../partners/partner-client.ts';
import type { PartnerPlanning } from '../partners/partner-planning.ts';
import type { Backoff } from '../work/backoff.ts';
import type { Notifier } from '../work/notifier.ts';
import { settled } from '../work/settled.ts';
import type { OwnSuccessor } from './own-successor.ts';
import {
  allReached,
  type PackProtection,
  packProtections,
  reached,
  restingOn,
  type SnapshotStanding,
  snapshotStandings,
} from './protection.ts';

/** Partners keep the older ones for longer. */
const ownManifestsKept = 8;
/** Packs laid out anew are described in one index pack when there are so many, or the first has waited for so long. */
const describedTogether = 64;
const describedAfterMs: number = 10 * minuteMs;

export interface PublicationParts {
  readonly keys: OwnerKeys;
  readonly name: string;
  readonly stores: Stores;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: EventLog;
  readonly spool: Spool;
  readonly book: PartnerBook;
  readonly client: PartnerClient;
  readonly backoff: Backoff;
  readonly changes: Notifier;
  readonly planning: PartnerPlanning;
  readonly successor: OwnSuccessor;
}

export class Publication {
  readonly #parts: PublicationParts;

  constructor(parts: PublicationParts) {
    this.#parts = parts;
  }

  /** Takes each step that can be taken now; whether there was any. */
  async round(signal: AbortSignal): Promise<boolean> {
    const { book, stores } = this.#parts;
    if (book.all().length === 0 || stores.snapshots.heads().length === 0) return false;
    // Half a catalogue must not become the newest manifest.
    if (facts.recovering(stores)) return false;
    if (await this.#indexPacks(packProtections(stores), signal)) return true;
    // Counted anew after every wait: what is judged together must have been seen together.
    const written = this.#writeManifest(packProtections(stores));
    const sent = await this.#sendManifest(signal);
    const advanced = this.#advanceSnapshots(packProtections(stores));
    return written || sent || advanced;
  }

  /** Describes packs that are protected and not described yet in new index packs; gives whether it wrote one. */
  async #indexPacks(packs: readonly PackProtection[], signal: AbortSignal): Promise<boolean> {
    const contents = packs.filter(({ row }) => row.kind !== 'index');
    const due = contents.filter(
      ({ row, protection }) => !row.indexed && protection !== 'unprotected',
    );
    if (due.length === 0 || !this.#indexIsDue(packs, contents)) return false;
    const { spool, stores, random, keys } = this.#parts;
    const namer = new ChunkNamer(keys.chunkIdKey);
    const writer = new PackWriter({
      packKey: keys.packKey,
      suite: suiteAesGcm,
      kind: 'index',
      salt: random.bytes(packSaltBytes),
    });
    const taken: PackRow[] = [];
    for (const standing of due) {
      if (writer.isFull()) break;
      const row = this.#rowOf(standing);
      for (const segment of encodeIndexSegments([this.#record(row)]))
        writer.add(namer.idBytesOf(segment), segment);
      taken.push(row);
    }
    const stored = await spool.store(writer.finish({ pad: true }), signal);
    if (!stored.ok) return false;
    stores.transact(() => {
      for (const { pack, stripe } of taken) {
        // What was laid out anew while this was written is not what was described.
        if (stores.packs.get(pack)?.stripe === stripe) stores.packs.update(pack, { indexed: true });
      }
    });
    return true;
  }

  /** Some captured snapshot waits for nothing but its index, or enough packs were laid out anew. */
  #indexIsDue(packs: readonly PackProtection[], contents: readonly PackProtection[]): boolean {
    const unindexed = contents.filter(({ row }) => !row.indexed).length;
    if (unindexed === 0) return false;
    const listed = new Set<SnapshotId>(facts.listedSnapshots(this.#parts.stores));
    const waits = this.#standings(packs).some(
      ({ snapshot, indexed, protection }) =>
        !indexed && protection !== 'unprotected' && !listed.has(snapshot.snapshot),
    );
    return waits || this.#isRelocated(unindexed);
  }

  /**
   * Packs that were laid out anew are described together, as each index pack is a pack more; but not too late, for until then what they left behind
   * stays at partners.
   */
  #isRelocated(unindexed: number): boolean {
    const { stores, clock } = this.#parts;
    // What is kept in reserve waits for nothing once its pack is described.
    const first = stores.layouts
      .retired()
      .find(({ pack, reserve }) => !reserve || stores.packs.get(pack)?.indexed === false);
    if (first === undefined) return stores.layouts.all().length === 0;
    if (unindexed >= describedTogether || stores.layouts.all().length === 0) return true;
    return Math.abs(clock.now() - first.retiredAt) >= describedAfterMs;
  }

  /** A new manifest, durable here, when it would say something that the last one does not. */
  #writeManifest(packs: readonly PackProtection[]): boolean {
    const { stores, clock, keys, random, log } = this.#parts;
    const index = packs.filter(({ row }) => row.kind === 'index');
    if (!allReached(index, 'protected')) return false;
    const listed = this.#listable(packs);
    if (listed.length === 0) return false;
    const body = this.#body(index, listed);
    const partners = this.#parts.book.all().map(contactOf);
    const digest = contentDigest(body, partners);
    const last = ownManifest(stores, keys);
    const incarnation = facts.incarnation(stores);
    if (last?.incarnation === incarnation && digestEquals(facts.manifestDigest(stores), digest))
      return false;
    const header: ManifestDraft['header'] = {
      incarnation,
      sequence: (last?.sequence ?? 0) + 1,
      ...(last === undefined ? {} : { previousHash: last.hash }),
      time: clock.now(),
      partners,
    };
    const salt = random.bytes(32);
    const document = encodeManifest({ header, body }, keys, { salt, suite: suiteAesGcm });
    const row = manifestRow(document, keys, clock);
    stores.transact(() => {
      stores.manifests.put(row);
      for (const old of stores.manifests.ofOwner(keys.peerId).slice(0, -ownManifestsKept))
        stores.manifests.remove(old.owner, old.hash);
      facts.setManifest(stores, { digest, listed: listed.map(({ snapshot }) => snapshot) });
    });
    log.write('info', 'manifest.written', { incarnation, sequence: row.sequence });
    return true;
  }

  /**
   * Snapshots that a lost computer could restore: all their packs are protected and described. One that was listed stays listed when shards were
   * lost since: what is left of it may well be enough.
   */
  #listable(packs: readonly PackProtection[]): ManifestBody['snapshots'] {
    const listed = new Set(facts.listedSnapshots(this.#parts.stores));
    return this.#standings(packs)
      .filter(
        ({ snapshot, protection, indexed }) =>
          listed.has(snapshot.snapshot) || (indexed && protection !== 'unprotected'),
      )
      .map(({ snapshot }) => ({ snapshot: snapshot.snapshot, time: snapshot.takenAt }))
      .slice(-listedSnapshotsMaximum);
  }

  #body(index: readonly PackProtection[], snapshots: ManifestBody['snapshots']): ManifestBody {
    const { name, book, planning } = this.#parts;
    const { code } = planning.plan();
    return {
      ownerName: name,
      ...(code === undefined ? {} : { code }),
      indexPacks: index.map((pack) => this.#descriptor(this.#rowOf(pack))),
      snapshots,
      agreements: book.all().map(({ document }) => document),
    };
  }

  /** Leaves the newest manifest with every partner that has not signed for it; whether anybody did. */
  async #sendManifest(signal: AbortSignal): Promise<boolean> {
    const { stores, keys, book, backoff } = this.#parts;
    const manifest = ownManifest(stores, keys);
    if (manifest === undefined) return false;
    const signed = new Set(stores.manifests.receipts(manifest.hash).map(({ partner }) => partner));
    const due = book.all().filter(({ partner }) => !signed.has(partner) && !backoff.waits(partner));
    const sent = await settled(due.map((row) => this.#sendTo(row, manifest, signal)));
    return sent.some((done) => done);
  }

  async #sendTo(row: AgreementRow, manifest: ManifestRow, signal: AbortSignal): Promise<boolean> {
    const { client, book, keys, stores, backoff, log, changes } = this.#parts;
    const to = book.addressOf(row.partner);
    const answer = await client.putManifest(
      to,
      { owner: keys.peerId, document: manifest.document },
      signal,
    );
    const receipt = answer.ok ? readReceipt(answer.value, row.partner) : answer;
    if (!receipt.ok || !answer.ok || !equalBytes(receipt.value.manifestHash, manifest.hash)) {
      backoff.failed(row.partner);
      const code = receipt.ok ? 'receipt.other-manifest' : receipt.error.code;
      if (!answer.ok && answer.error.code === 'peer.refused' && isRival(answer.error.refusal)) {
        this.#parts.successor.noteRival(row.partner, true);
        await this.#parts.successor.look(row.partner, signal);
      }
      if (!signal.aborted) log.write('info', 'manifest.not-sent', { partner: row.partner, code });
      return false;
    }
    backoff.cleared(row.partner);
    stores.manifests.putReceipt(row.partner, manifest.hash, answer.value);
    this.#parts.successor.noteRival(row.partner, false);
    changes.notify();
    return true;
  }

  /** Moves snapshots on whose packs and manifest are out far enough; whether any moved. */
  #advanceSnapshots(packs: readonly PackProtection[]): boolean {
    const { stores, book, keys, log } = this.#parts;
    const manifest = ownManifest(stores, keys);
    if (manifest === undefined) return false;
    const receipts = stores.manifests.receipts(manifest.hash).length;
    const listed = new Set<SnapshotId>(facts.listedSnapshots(stores));
    const index = packs.filter(({ row }) => row.kind === 'index');
    let moved = false;
    const partners = book.all().length;
    const indexWhole = allReached(index, 'complete');
    for (const { snapshot: head, protection, parityShards } of this.#standings(packs)) {
      const { snapshot, phase } = head;
      if (!listed.has(snapshot) || protection === 'unprotected') continue;
      if (receipts < manifestQuorum(parityShards, partners)) continue;
      const whole = protection === 'complete' && indexWhole && receipts >= partners;
      const now = whole ? 'complete' : 'protected';
      if (reached(phase, now)) continue;
      stores.snapshots.setPhase(snapshot, now);
      log.write('info', `snapshot.${now}`, { snapshot });
      moved = true;
    }
    if (moved) this.#parts.changes.notify();
    return moved;
  }

  #standings(packs: readonly PackProtection[]): readonly SnapshotStanding[] {
    const { stores, spool } = this.#parts;
    return snapshotStandings(stores.snapshots.heads(), packs, restingOn(stores, spool.runBeganAt));
  }

  #rowOf({ row }: PackProtection): PackRow {
    return present(this.#parts.stores.packs.get(row.pack), 'a pack that stands');
  }

  #record(row: PackRow): PackRecord {
    const contents = present(this.#parts.stores.packs.contents(row.pack), 'contents of a pack');
    return { ...this.#descriptor(row), kind: row.kind, salt: row.salt, contents };
  }

  #descriptor(row: PackRow): PackDescriptor {
    const code = present(row.code, 'a pack that was sent out has a code');
    return {
      pack: row.pack,
      suite: present(parseSuite(row.suite), 'a suite of ours'),
      lengthBytes: row.lengthBytes,
      code,
      placement: this.#placement(row.pack, code),
    };
  }

  #placement(pack: PackId, code: Code): PlacementHint {
    const placement: PlacementHint[number][] = new Array(shardCount(code)).fill(undefined);
    for (const { index, partner } of this.#parts.stores.shards.ofPack(pack)) {
      // Further shards lie behind the first n.
      while (placement.length < index) placement.push(undefined);
      placement[index] = partner;
    }
    return placement;
  }
}

/** How many partners must have the manifest, so that it survives what the packs survive. */
export function manifestQuorum(parityShards: number, partners: number): number {
  return Math.max(1, Math.min(partners, parityShards + 1));
}

/** Our own newest manifest. */
export function ownManifest(stores: Stores, keys: OwnerKeys): ManifestRow | undefined {
  return stores.manifests.newest(keys.peerId);
}

function manifestRow(document: Bytes, keys: OwnerKeys, clock: Clock): ManifestRow {
  const read = readPublicManifest(document, keys.peerId);
  assert(read.ok, 'our own manifest is well formed');
  const { incarnation, sequence } = read.value.header;
  return {
    owner: keys.peerId,
    incarnation,
    sequence,
    hash: read.value.hash,
    document,
    receivedAt: clock.now(),
  };
}

function isRival(refusal: RefusalCode | undefined): boolean {
  return refusal === 'manifest.stale' || refusal === 'manifest.fork';
}

function contactOf({ partner, partnerName, addresses }: AgreementRow): Contact {
  return { peer: partner, ...(partnerName === '' ? {} : { name: partnerName }), addresses };
}

/** What a manifest says, apart from its place and time: equal digests mean that there is nothing new to say. */
function contentDigest(body: ManifestBody, partners: readonly Contact[]): Bytes {
  return sha256(concatBytes([encodeManifestBody(body), encodeCbor(partners.map(contactFields))]));
}

function digestEquals(known: Bytes | undefined, digest: Bytes): boolean {
  return known !== undefined && equalBytes(known, digest);
}
