/**
 * Taking in a shard for an owner (C36, C37): quota first, then blocks as they come, then one durable step that ends in a signed acknowledgement.
 *
 * The blob is whole and durable before the catalogue names it, and the catalogue names it before the owner hears of it; so a crash anywhere leaves either
 * nothing, or blocks from which the upload goes on, or a shard that the next PUT is acknowledged for again. Nothing is acknowledged that was not just
 * read back from the disk and found to be what the owner announced.
 */
import { assert } from '../../base/assert.ts';
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { type LedgerSubject, readEntry } from '../../core/agreements/acknowledgement.ts';
import { bytesLentTo } from '../../core/agreements/agreement.ts';
import { idOf, type PeerId, type ShardName } from '../../core/vocabulary/ids.ts';
import { blockBytes } from '../../core/vocabulary/limits.ts';
import type { Refusal } from '../../core/wire/refusal.ts';
import type { ShardUpload } from '../../core/wire/shard-upload.ts';
import type { BlobFailure, BlobStore } from '../../ports/blob-store.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';
import { type AgreementRow, type HeldRow, StorageFull, type Stores } from '../../ports/stores.ts';
import { BodyBroken } from '../../ports/transport.ts';
import { publicKeyOf } from '../../primitives/signature.ts';
import { BlobWriter } from '../backup/blob-writer.ts';
import { agreementOf } from '../partners/partner-space.ts';
import { UnfinishedUploads } from '../sending/unfinished-uploads.ts';
import { clearDamaged } from './damaged-shards.ts';
import { appendHolderEntry, presentEntry } from './held-ledger.ts';
import { blobOf, HeldTrash } from './held-trash.ts';
import { ReadTurns, readBack, readNew } from './shard-reading.ts';
import { countReturn, tooManyReturns } from './trash-returns.ts';

export interface IntakeParts {
  readonly identitySeed: Bytes;
  readonly stores: Stores;
  readonly held: BlobStore;
  readonly clock: Clock;
  readonly log: EventLog;
}

type NamedUpload = ShardUpload & { readonly name: ShardName };

/** What an upload under way will take. */
interface Reservation {
  readonly diskBytes: number;
  /** A shard that is to replace its own damaged file counts already. */
  readonly quotaBytes: number;
}

export class ShardIntake {
  /** What was deleted; its rounds empty it. */
  readonly trash: HeldTrash;
  readonly #parts: IntakeParts;
  /** Uploads under way, by blob name: two of one shard would mix. */
  readonly #open = new Map<string, Reservation>();
  readonly #unfinished: UnfinishedUploads;
  readonly #turns = new ReadTurns();

  constructor(parts: IntakeParts) {
    this.#parts = parts;
    this.#unfinished = new UnfinishedUploads(parts.held, (blob) => this.claim(blob));
    this.trash = new HeldTrash({ ...parts, claim: (blob) => this.claim(blob) });
  }

  /** Blocks that an unfinished upload has left durable. */
  async grown(agreement: AgreementRow, name: ShardName): Promise<number> {
    return Math.floor((await this.#parts.held.grown(blobName(agreement, name))) / blockBytes);
  }

  /** Takes the body in; gives the signed acknowledgement. A shard that is here already is not taken again. */
  async put(
    agreement: AgreementRow,
    upload: NamedUpload,
    body: AsyncIterable<Uint8Array>,
  ): Promise<Outcome<Bytes, Refusal>> {
    await this.#unfinished.ready();
    const known = this.#parts.stores.held.get(agreement.partner, upload.name);
    if (known !== undefined && !isSameShard(known, upload))
      return refused(
        'shard.conflict',
        `another shard, of ${known.blockCount} blocks, has this name`,
      );
    const blob = blobName(agreement, upload.name);
    if (this.#open.has(blob))
      return refused('shard.busy', 'another upload of this shard is under way');
    // Its room is reserved before anything is waited for, so that uploads which arrive together cannot share it.
    const diskBytes = upload.blockCount * blockBytes;
    this.#open.set(blob, { diskBytes, quotaBytes: known === undefined ? diskBytes : 0 });
    try {
      if (known !== undefined) {
        if (this.#turns.isFull(known.owner))
          return refused('request.quota', 'too many shards are being read again');
        if (await this.#isWhole(known, blob)) return this.#acknowledge(agreement, upload, known);
      }
      return await this.#takeIn(agreement, { upload, known, blob }, body);
    } finally {
      this.#open.delete(blob);
    }
  }

  /** Moves a shard into the trash; gives the signed entry of the ledger, for one that is there already the same as the first time. */
  remove(agreement: AgreementRow, name: ShardName): Outcome<Bytes, Refusal> {
    const { stores } = this.#parts;
    const known = stores.held.get(agreement.partner, name);
    if (known === undefined) return refused('shard.unknown', name);
    if (this.#open.has(blobName(agreement, name)))
      return refused('shard.busy', 'an upload of this shard is under way');
    const before = known.trashedAt === undefined ? undefined : this.#entryOf(agreement, known);
    if (before !== undefined) return succeeded(before);
    if (tooManyReturns(stores, agreement, this.#parts.clock.now()))
      return refused('request.quota', 'too much came out of the trash today to be deleted again');
    try {
      return succeeded(this.trash.add(agreement, known));
    } catch (reason) {
      if (!(reason instanceof StorageFull)) throw reason;
      return refused('shard.no-space', 'the disk has no room');
    }
  }

  /** Uploads are under way. */
  isBusy(): boolean {
    return this.#open.size > 0;
  }

  /** Keeps uploads off a file until what is given is called; undefined when one is under way. */
  claim(blob: string): (() => void) | undefined {
    if (this.#open.has(blob)) return undefined;
    this.#open.set(blob, { diskBytes: 0, quotaBytes: 0 });
    return () => this.#open.delete(blob);
  }

  async #takeIn(
    agreement: AgreementRow,
    { upload, known, blob }: { upload: NamedUpload; known: HeldRow | undefined; blob: string },
    body: AsyncIterable<Uint8Array>,
  ): Promise<Outcome<Bytes, Refusal>> {
    const room = await this.#roomFor(agreement);
    if (!room.ok) return room;
    const taken = await this.#take(blob, upload, body);
    const hash = taken.ok ? await this.#finish(agreement, upload, blob) : taken;
    if (!hash.ok) {
      await this.#unfinished.note(blob);
      return hash;
    }
    this.#unfinished.forget(blob);
    if (this.#isLeaving(agreement) && (known === undefined || known.trashedAt !== undefined)) {
      if (known === undefined) await this.#parts.held.remove(blob);
      return refused('request.paused', 'the partnership ends: nothing new is taken');
    }
    const acknowledged = this.#acknowledge(agreement, upload, known ?? hash.value);
    if (!acknowledged.ok && known === undefined) await this.#parts.held.remove(blob);
    return acknowledged;
  }

  /** As it is now: notice may have been given while the shard was on its way. Its owner could not move it any more where it is in commitment. */
  #isLeaving({ partner }: AgreementRow): boolean {
    return this.#parts.stores.agreements.ofPartner(partner)?.phase === 'leaving';
  }

  /**
   * Refuses before anything is written when the agreement or the disk has no room for the whole shard. What broke off earlier gives way.
   */
  async #roomFor(agreement: AgreementRow): Promise<Outcome<void, Refusal>> {
    const { stores, held } = this.#parts;
    const lent = bytesLentTo(agreementOf(agreement), agreement.partner);
    const folder = `${agreement.partner}/`;
    let taken =
      stores.held.blockCount(agreement.partner) * blockBytes +
      stores.manifests.byteCount(agreement.partner);
    let coming = 0;
    for (const [blob, { diskBytes, quotaBytes }] of this.#open) {
      coming += diskBytes;
      if (blob.startsWith(folder)) taken += quotaBytes;
    }
    if (taken > lent)
      return refused('agreement.no-space', `${taken} bytes would be taken of ${lent}`);
    await this.#unfinished.keepWithin(folder, lent - taken);
    if ((await held.freeBytes()) < coming) return refused('shard.no-space', 'the disk has no room');
    return succeeded(undefined);
  }

  async #take(
    blob: string,
    upload: ShardUpload,
    body: AsyncIterable<Uint8Array>,
  ): Promise<Outcome<void, Refusal>> {
    const { held } = this.#parts;
    const grown = Math.floor((await held.grown(blob)) / blockBytes);
    if (upload.firstBlock > grown) return refused('shard.offset', `only ${grown} blocks are here`);
    const writer = new BlobWriter(held, blob, upload.firstBlock * blockBytes);
    try {
      for await (const part of body) {
        if (writer.end + part.length > upload.blockCount * blockBytes)
          return refused('request.too-long', 'more blocks than announced');
        const written = await writer.add(part);
        if (!written.ok) return await this.#giveUp(blob, written.error);
      }
    } catch (reason) {
      if (!(reason instanceof BodyBroken)) throw reason;
      await writer.flush();
      await held.sync(blob);
      return refused('request.malformed', 'the upload broke off');
    }
    const written = await writer.flush();
    if (!written.ok) return await this.#giveUp(blob, written.error);
    if (writer.end !== upload.blockCount * blockBytes)
      return refused('request.malformed', 'fewer blocks than announced');
    return succeeded(undefined);
  }

  /** A disk that is full gets back what the unfinished upload took. */
  async #giveUp(blob: string, failure: BlobFailure): Promise<Outcome<never, Refusal>> {
    if (failure.code === 'blob.no-space') await this.#parts.held.remove(blob);
    return refusedFor(failure);
  }

  /** SHA-256 of the shard as it lies on the disk, when that is what was announced; anything else is thrown away, to be sent from its first block on. */
  async #finish(
    { partner }: AgreementRow,
    upload: NamedUpload,
    blob: string,
  ): Promise<Outcome<Bytes, Refusal>> {
    const { held, log } = this.#parts;
    const { name, blockCount } = upload;
    const finished = await held.finish(blob);
    if (!finished.ok) return refusedFor(finished.error);
    const read = await this.#turns.run(partner, () => readNew(held, { ...upload, blob }));
    if (read.ok) return read;
    if (read.error.code !== 'wrong') return refusedFor(read.error);
    await held.remove(blob);
    log.write('warn', 'held.wrong-root', { name, blocks: blockCount });
    return refused('shard.wrong-root', 'what lies here is not what was announced');
  }

  /** Whether the shard is still there as it was acknowledged. */
  async #isWhole(known: HeldRow, blob: string): Promise<boolean> {
    const { held, log } = this.#parts;
    const read = await this.#turns.run(known.owner, () => readBack(held, { ...known, blob }));
    if (read.ok) return true;
    const code = read.error.code === 'wrong' ? 'blob.rotten' : read.error.code;
    log.write('error', 'held.damaged', { owner: known.owner, name: known.name, code });
    return false;
  }

  /** Names the shard in the catalogue and the ledger, in one step; for one that is there already, the same answer as the first time. */
  #acknowledge(
    agreement: AgreementRow,
    upload: NamedUpload,
    shard: HeldRow | Bytes,
  ): Outcome<Bytes, Refusal> {
    const isHeld = !(shard instanceof Uint8Array);
    // One that lay in the trash is taken anew, with an entry of its own.
    const isKept = isHeld && shard.trashedAt === undefined;
    const before = isKept ? this.#entryOf(agreement, shard) : undefined;
    const { name, blockCount, merkleRoot } = upload;
    try {
      clearDamaged(this.#parts.stores, { owner: agreement.partner, name });
      if (before !== undefined) return succeeded(before);
      return succeeded(
        this.#record(agreement, {
          ...{ name, blockCount, merkleRoot },
          sha256: isHeld ? shard.sha256 : shard,
          isReturn: isHeld && !isKept,
        }),
      );
    } catch (reason) {
      if (!(reason instanceof StorageFull)) throw reason;
      return refused('shard.no-space', 'the disk has no room');
    }
  }

  /** The entry that says what became of a shard last, unless that belongs to an earlier agreement or life. */
  #entryOf({ agreement }: AgreementRow, held: HeldRow): Bytes | undefined {
    const { stores, identitySeed } = this.#parts;
    const row = presentEntry(stores, agreement, held);
    if (row === undefined) return undefined;
    const holder = idOf<PeerId>(publicKeyOf(identitySeed));
    const entry = readEntry({ agreement, holder }, row.document);
    assert(entry.ok, 'our own ledger can be read');
    const { name, action } = entry.value.acknowledgement;
    const isOfRow = action === (held.trashedAt === undefined ? 'put' : 'delete');
    return name === held.name && isOfRow ? row.document : undefined;
  }

  #record(
    agreement: AgreementRow,
    {
      isReturn,
      ...shard
    }: Pick<HeldRow, 'name' | 'blockCount' | 'merkleRoot' | 'sha256'> & {
      readonly isReturn: boolean;
    },
  ): Bytes {
    const { stores, log, clock } = this.#parts;
    const { partner: owner } = agreement;
    const { name, blockCount, merkleRoot } = shard;
    const subject: LedgerSubject = { action: 'put', name, blockCount, merkleRoot };
    const entry = stores.transact(() => {
      const appended = appendHolderEntry(this.#parts, agreement.agreement, subject);
      const { epoch, sequence } = appended;
      stores.held.put({ owner, ...shard, epoch, sequence, trashedAt: undefined });
      if (isReturn) countReturn(stores, agreement, clock.now());
      return appended;
    });
    log.write('debug', 'held.taken', { owner, blocks: blockCount });
    return entry.document;
  }
}

function isSameShard(known: HeldRow, upload: ShardUpload): boolean {
  return known.blockCount === upload.blockCount && equalBytes(known.merkleRoot, upload.merkleRoot);
}

export function blobName({ partner }: AgreementRow, name: ShardName): string {
  return blobOf({ owner: partner, name });
}

function refused(code: Refusal['code'], detail: string): Outcome<never, Refusal> {
  return failed({ code, detail });
}

function refusedFor(failure: BlobFailure): Outcome<never, Refusal> {
  assert(failure.code !== 'blob.missing', 'a blob that was just written is there');
  return failure.code === 'blob.no-space'
    ? refused('shard.no-space', 'the disk has no room')
    : refused('peer.fault', failure.detail);
}
