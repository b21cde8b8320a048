/**
 * Taking in a shard for an owner (C36, C37): quota first, then blocks as they come, then one durable step that ends in a signed acknowledgement.
 *
 * The blob is whole and durable before the catalogue names it, and the catalogue names it before the owner hears of it; so a crash anywhere leaves either
 * nothing, or blocks from which the upload goes on, or a shard that the next PUT is acknowledged for again.
 */
import { assert, present } from '../base/assert.ts';
import { type Bytes, equalBytes } from '../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../base/outcome.ts';
import { ledgerStart, nextAcknowledgement } from '../core/agreements/acknowledgement.ts';
import { bytesLentTo } from '../core/agreements/agreement.ts';
import type { ShardName } from '../core/vocabulary/ids.ts';
import { blockBytes } from '../core/vocabulary/limits.ts';
import type { Refusal } from '../core/wire/refusal.ts';
import type { ShardUpload } from '../core/wire/shard-upload.ts';
import type { BlobFailure, BlobStore } from '../ports/blob-store.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventLog } from '../ports/event-log.ts';
import { type AgreementRow, type HeldRow, StorageFull, type Stores } from '../ports/stores.ts';
import { BodyBroken } from '../ports/transport.ts';
import { sha256 } from '../primitives/hash.ts';
import { MerkleBuilder } from '../primitives/merkle.ts';
import { agreementOf } from './partner-space.ts';

export interface IntakeParts {
  readonly identitySeed: Bytes;
  readonly stores: Stores;
  readonly held: BlobStore;
  readonly clock: Clock;
  readonly log: EventLog;
}

/** Blocks are written this many at a time, and made durable so often that little is sent twice. */
const writeBlocks = 16;
const syncBlocks = 256;
/** An owner sends one shard after the other, so more uploads to go on with are hardly of use to it. */
const unfinishedKept = 4;

export class ShardIntake {
  readonly #parts: IntakeParts;
  /** Uploads under way, by blob name, with the bytes they will take: two of one shard would mix. */
  readonly #open = new Map<string, number>();
  /** Uploads that began since this computer was started and have not ended well, oldest first. */
  readonly #unfinished = new Set<string>();

  constructor(parts: IntakeParts) {
    this.#parts = parts;
  }

  /** Blocks that an unfinished upload has left durable. */
  async grown(agreement: AgreementRow, name: ShardName): Promise<number> {
    return Math.floor((await this.#parts.held.grown(blobName(agreement, name))) / blockBytes);
  }

  /** Takes the body in; gives the signed acknowledgement. */
  async put(
    agreement: AgreementRow,
    upload: ShardUpload & { readonly name: ShardName },
    body: AsyncIterable<Uint8Array>,
  ): Promise<Outcome<Bytes, Refusal>> {
    const known = this.#parts.stores.held.get(agreement.partner, upload.name);
    if (known !== undefined) return this.#acknowledgeAgain(agreement, known, upload);
    const blob = blobName(agreement, upload.name);
    if (this.#open.has(blob))
      return refused('shard.busy', 'another upload of this shard is under way');
    // Its room is reserved before anything is waited for, so that uploads which arrive together cannot share it.
    this.#open.set(blob, upload.blockCount * blockBytes);
    try {
      const room = await this.#roomFor(agreement);
      if (!room.ok) return room;
      await this.#forgetUnfinished(agreement, blob);
      const taken = await this.#take(blob, upload, body);
      const finished = taken.ok ? await this.#finish(agreement, upload, blob) : taken;
      if (finished.ok) this.#unfinished.delete(blob);
      return finished;
    } finally {
      this.#open.delete(blob);
    }
  }

  /**
   * Notes an upload that begins, and removes what older ones left behind that broke off, but for the latest: an owner that begins and never
   * finishes must not fill the disk beside its quota.
   */
  async #forgetUnfinished({ partner }: AgreementRow, blob: string): Promise<void> {
    this.#unfinished.delete(blob);
    this.#unfinished.add(blob);
    const folder = `${partner}/`;
    const older = [...this.#unfinished].filter(
      (other) => other.startsWith(folder) && !this.#open.has(other),
    );
    for (const other of older.slice(0, Math.max(0, older.length - unfinishedKept))) {
      this.#unfinished.delete(other);
      await this.#parts.held.remove(other);
    }
  }

  /** Refuses before anything is written when the agreement or the disk has no room for the whole shard. */
  async #roomFor(agreement: AgreementRow): Promise<Outcome<void, Refusal>> {
    const { stores, held } = this.#parts;
    const lent = bytesLentTo(agreementOf(agreement), agreement.partner);
    const folder = `${agreement.partner}/`;
    let taken = stores.held.blockCount(agreement.partner) * blockBytes;
    let coming = 0;
    for (const [blob, bytes] of this.#open) {
      coming += bytes;
      if (blob.startsWith(folder)) taken += bytes;
    }
    if (taken > lent)
      return refused('agreement.no-space', `${taken} bytes would be taken of ${lent}`);
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

  async #finish(
    agreement: AgreementRow,
    upload: ShardUpload & { readonly name: ShardName },
    blob: string,
  ): Promise<Outcome<Bytes, Refusal>> {
    const { held } = this.#parts;
    const finished = await held.finish(blob);
    if (!finished.ok) return refusedFor(finished.error);
    const read = await held.read(blob);
    if (!read.ok) return refusedFor(read.error);
    if (read.value.length !== upload.blockCount * blockBytes)
      return refused('peer.fault', 'the shard read back has another length');
    try {
      return succeeded(this.#record(agreement, upload.name, read.value));
    } catch (reason) {
      if (!(reason instanceof StorageFull)) throw reason;
      await held.remove(blob);
      return refused('shard.no-space', 'the disk has no room');
    }
  }

  /** Names the shard in the catalogue and the ledger, in one step. */
  #record(agreement: AgreementRow, name: ShardName, shard: Bytes): Bytes {
    const { stores, clock, identitySeed, log } = this.#parts;
    const blockCount = shard.length / blockBytes;
    const merkle = new MerkleBuilder();
    for (let block = 0; block < blockCount; block += 1)
      merkle.addBlock(shard.subarray(block * blockBytes, (block + 1) * blockBytes));
    const merkleRoot = merkle.root();
    const entry = stores.transact(() => {
      const head =
        stores.ledger.head(agreement.agreement, 'holder') ?? ledgerStart(agreement.agreement);
      const next = nextAcknowledgement(
        head,
        {
          agreement: agreement.agreement,
          action: 'put',
          name,
          blockCount,
          merkleRoot,
          time: clock.now(),
        },
        identitySeed,
      );
      const { sequence, hash } = next.head;
      stores.held.put({
        owner: agreement.partner,
        name,
        blockCount,
        merkleRoot,
        sha256: sha256(shard),
        sequence,
        trashedAt: undefined,
      });
      stores.ledger.append({
        agreement: agreement.agreement,
        side: 'holder',
        sequence,
        hash,
        document: next.document,
      });
      return next;
    });
    log.write('debug', 'held.taken', { owner: agreement.partner, blocks: blockCount });
    return entry.document;
  }

  /** The shard is here: the same answer as the first time, whatever the body holds. */
  #acknowledgeAgain(
    agreement: AgreementRow,
    known: HeldRow,
    upload: ShardUpload,
  ): Outcome<Bytes, Refusal> {
    if (known.blockCount !== upload.blockCount)
      return refused('shard.conflict', `a shard of ${known.blockCount} blocks has this name`);
    const row = this.#parts.stores.ledger.get(agreement.agreement, 'holder', known.sequence);
    return succeeded(present(row, 'a held shard has its entry').document);
  }
}

/** Collects parts of a body into writes of many blocks. */
class BlobWriter {
  readonly #store: BlobStore;
  readonly #blob: string;
  readonly #buffer = new Uint8Array(writeBlocks * blockBytes);
  #buffered = 0;
  #written: number;
  #unsynced = 0;

  constructor(store: BlobStore, blob: string, start: number) {
    this.#store = store;
    this.#blob = blob;
    this.#written = start;
  }

  /** Length of the blob once everything is written. */
  get end(): number {
    return this.#written + this.#buffered;
  }

  async add(part: Uint8Array): Promise<Outcome<void, BlobFailure>> {
    let rest = part;
    while (rest.length > 0) {
      const taken = Math.min(rest.length, this.#buffer.length - this.#buffered);
      this.#buffer.set(rest.subarray(0, taken), this.#buffered);
      this.#buffered += taken;
      rest = rest.subarray(taken);
      if (this.#buffered < this.#buffer.length) continue;
      const written = await this.flush();
      if (!written.ok) return written;
    }
    return succeeded(undefined);
  }

  async flush(): Promise<Outcome<void, BlobFailure>> {
    if (this.#buffered === 0) return succeeded(undefined);
    const bytes = this.#buffer.subarray(0, this.#buffered);
    const written = await this.#store.grow(this.#blob, this.#written, bytes);
    if (!written.ok) return written;
    this.#written += this.#buffered;
    this.#unsynced += this.#buffered;
    this.#buffered = 0;
    if (this.#unsynced < syncBlocks * blockBytes) return succeeded(undefined);
    this.#unsynced = 0;
    return await this.#store.sync(this.#blob);
  }
}

/** One folder an owner, one file a shard. */
export function blobName({ partner }: AgreementRow, name: ShardName): string {
  return `${partner}/${name}`;
}

/** Whether a shard still is what was acknowledged. */
export function intact(row: HeldRow, shard: Uint8Array): boolean {
  return equalBytes(sha256(shard), row.sha256);
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
