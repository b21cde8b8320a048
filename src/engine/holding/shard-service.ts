/** Shards that this computer holds, for their owners: taking them in, giving them out, letting them go, telling what is here. */
import type { Bytes } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import type { AgreementId, ShardName } from '../../core/vocabulary/ids.ts';
import { blockBytes } from '../../core/vocabulary/limits.ts';
import { parseRange } from '../../core/wire/block-range.ts';
import { encodeInventory, inventoryPageEntries } from '../../core/wire/inventory.ts';
import { encodeLedgerPage, ledgerPageEntries } from '../../core/wire/ledger-page.ts';
import type { Refusal, RefusalCode } from '../../core/wire/refusal.ts';
import type { Resource } from '../../core/wire/resources.ts';
import {
  blocksField,
  grownField,
  parseUpload,
  trashedField,
} from '../../core/wire/shard-upload.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import type { AgreementRow, HeldRow, Stores } from '../../ports/stores.ts';
import type { Fields, IncomingRequest, OutgoingReply } from '../../ports/transport.ts';
import { facts } from '../facts.ts';
import { damagedBlobs } from './damaged-shards.ts';
import { holderHead } from './held-ledger.ts';
import { blobOf } from './held-trash.ts';
import type { ReadQuota } from './read-quota.ts';
import { blobName, type ShardIntake } from './shard-intake.ts';
import type { UncommittedReads } from './uncommitted-reads.ts';

export interface ShardServiceParts {
  readonly stores: Stores;
  readonly held: BlobStore;
  readonly intake: ShardIntake;
  /** How much owners may read back; left out: as much as they like. */
  readonly reads?: Pick<ReadQuota, 'take'>;
  readonly uncommitted?: Pick<UncommittedReads, 'take'>;
}

export type Answer = Outcome<Omit<OutgoingReply, 'status'>, Refusal>;

export type ShardResource = Extract<Resource, { resource: 'shard' | 'inventory' | 'ledger' }>;

/** Read from disk and sent at once: what a reply that is not taken keeps in memory. */
const readBlocks = 8;

export class ShardService {
  readonly #parts: ShardServiceParts;

  constructor(parts: ShardServiceParts) {
    this.#parts = parts;
  }

  /** What a partner asks of its own shards, under the agreement with it. */
  answer(
    request: IncomingRequest,
    agreement: AgreementRow,
    resource: ShardResource,
  ): Promise<Answer> | Answer {
    switch (resource.resource) {
      case 'shard':
        return this.#shard(request, agreement, resource.name);
      case 'inventory':
        return request.method === 'GET'
          ? this.#inventory(agreement, resource.after)
          : badMethod(request);
      case 'ledger':
        return request.method === 'GET' ? this.#ledger(agreement, resource) : badMethod(request);
    }
  }

  #shard(
    request: IncomingRequest,
    agreement: AgreementRow,
    name: ShardName,
  ): Promise<Answer> | Answer {
    switch (request.method) {
      case 'PUT':
        return this.#putShard(request, agreement, name);
      case 'HEAD':
        return this.#headShard(agreement, name);
      case 'GET':
        return this.#getShard(request.fields, agreement, name);
      case 'DELETE':
        return this.#deleteShard(agreement, name);
      default:
        return badMethod(request);
    }
  }

  async #putShard(
    request: IncomingRequest,
    agreement: AgreementRow,
    name: ShardName,
  ): Promise<Answer> {
    // Which life this is, and so which ledger goes on, is known only when a recovery has come to its end.
    if (agreement.paused || facts.recovering(this.#parts.stores))
      return refused('request.paused', 'new shards are not taken at present');
    const upload = parseUpload(request.fields);
    if (upload === undefined)
      return refused('request.malformed', 'the number of blocks or their root is missing or wrong');
    const taken = await this.#parts.intake.put(agreement, { ...upload, name }, request.body);
    return taken.ok ? succeeded({ body: taken.value }) : taken;
  }

  #deleteShard(agreement: AgreementRow, name: ShardName): Answer {
    const { stores, intake } = this.#parts;
    if (facts.recovering(stores))
      return refused('request.paused', 'which ledger goes on is not known at present');
    const removed = intake.remove(agreement, name);
    return removed.ok ? succeeded({ body: removed.value }) : removed;
  }

  async #headShard(agreement: AgreementRow, name: ShardName): Promise<Answer> {
    const row = this.#parts.stores.held.get(agreement.partner, name);
    const trashed = row?.trashedAt === undefined ? {} : { [trashedField]: '1' };
    if (row !== undefined && (row.trashedAt !== undefined || (await this.#isThere(row))))
      return succeeded({ fields: { [blocksField]: String(row.blockCount), ...trashed } });
    const grown = await this.#parts.intake.grown(agreement, name);
    return succeeded({ fields: { [grownField]: String(grown) } });
  }

  async #getShard(fields: Fields, agreement: AgreementRow, name: ShardName): Promise<Answer> {
    const { stores, held, reads, uncommitted } = this.#parts;
    const row = stores.held.get(agreement.partner, name);
    if (row === undefined || row.trashedAt !== undefined) return refused('shard.unknown', name);
    const text = fields['range'];
    const range = text === undefined ? { first: 0, count: row.blockCount } : parseRange(text);
    if (range === undefined || range.first + range.count > row.blockCount)
      return refused('shard.range', `the shard has ${row.blockCount} blocks`);
    const blob = blobName(agreement, name);
    const length = range.count * blockBytes;
    if ((await held.size(blob)) === undefined) return refused('shard.unknown', 'its file is gone');
    const waits = uncommitted?.take(agreement, row, length);
    if (waits?.ok === false) return waits;
    const taken = reads?.take(agreement, length);
    if (taken?.ok === false) return taken;
    return succeeded({
      fields: { 'content-length': String(length) },
      body: blobBody(held, blob, { offset: range.first * blockBytes, length }),
    });
  }

  /** Neither rotten, as far as is known, nor gone. */
  async #isThere(row: HeldRow): Promise<boolean> {
    const { stores, held } = this.#parts;
    const blob = blobOf(row);
    return !damagedBlobs(stores).has(blob) && (await held.size(blob)) !== undefined;
  }

  /** What is known to be lost is not listed. */
  async #inventory(agreement: AgreementRow, after: ShardName | undefined): Promise<Answer> {
    const { stores, held } = this.#parts;
    let [entries, more, from]: [HeldRow[], boolean, ShardName | undefined] = [[], true, after];
    // A page without entries has no next one, so those that are all lost are gone over.
    while (more && entries.length === 0) {
      const rows = stores.held.page(agreement.partner, from, inventoryPageEntries + 1);
      const page = rows.slice(0, inventoryPageEntries);
      more = rows.length > page.length;
      from = page.at(-1)?.name;
      const sizes = await Promise.all(page.map((row) => held.size(blobOf(row))));
      // As it is now: while the files were looked for some may have been deleted, or found to be rotten.
      const damaged = damagedBlobs(stores);
      const isListed = (row: HeldRow): boolean => isHeld(stores, row) && !damaged.has(blobOf(row));
      entries = page.filter((row, index) => sizes[index] !== undefined && isListed(row));
    }
    return succeeded({
      body: encodeInventory({
        entries: entries.map(({ name, blockCount, merkleRoot }) => ({
          name,
          blockCount,
          merkleRoot,
        })),
        more,
      }),
    });
  }

  #ledger(
    { agreement }: AgreementRow,
    wanted: { readonly agreement: AgreementId; readonly epoch: number; readonly after: number },
  ): Answer {
    if (wanted.agreement !== agreement)
      return refused('request.not-partner', 'this is not our agreement');
    const { stores } = this.#parts;
    const head = holderHead(stores, agreement);
    const { epoch } = wanted;
    if (epoch !== head.epoch) return succeeded({ body: encodeLedgerPage([]) });
    const last = Math.min(head.sequence, wanted.after + ledgerPageEntries);
    const documents: Bytes[] = [];
    for (let sequence = wanted.after + 1; sequence <= last; sequence += 1) {
      const row = stores.ledger.get(agreement, 'holder', { epoch, sequence });
      if (row !== undefined) documents.push(row.document);
    }
    return succeeded({ body: encodeLedgerPage(documents) });
  }
}

function isHeld(stores: Stores, { owner, name }: HeldRow): boolean {
  const row = stores.held.get(owner, name);
  return row !== undefined && row.trashedAt === undefined;
}

/** A range of a blob, read as it is taken. A blob that cannot be read breaks the body off, which the asker sees. */
async function* blobBody(
  held: BlobStore,
  blob: string,
  range: { readonly offset: number; readonly length: number },
): AsyncGenerator<Uint8Array> {
  const end = range.offset + range.length;
  for (let offset = range.offset; offset < end; offset += readBlocks * blockBytes) {
    const length = Math.min(readBlocks * blockBytes, end - offset);
    const part = await held.read(blob, { offset, length });
    if (!part.ok) throw new Error(`a held shard cannot be read: ${part.error.code}`);
    yield part.value;
  }
}

function refused(code: RefusalCode, detail: string): Outcome<never, Refusal> {
  return failed({ code, detail });
}

function badMethod(request: IncomingRequest): Outcome<never, Refusal> {
  return refused('request.method', `${request.method} ${request.path}`);
}
