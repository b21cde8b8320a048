/**
 * What this computer does for its peers when they ask (DESIGN §7): takes and gives shards, keeps manifests, answers invites.
 *
 * Whoever asks has proven its identity. Strangers may redeem an invite, ask who we are, and ask for a manifest by its owner; everything else is for
 * partners, and about their own data only.
 */
import type { Bytes } from '../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../base/outcome.ts';
import type { AgreementId, PeerId, ShardName } from '../core/vocabulary/ids.ts';
import {
  blockBytes,
  manifestMaximumBytes,
  messageMaximumBytes,
} from '../core/vocabulary/limits.ts';
import { parseRange } from '../core/wire/block-range.ts';
import { encodeInventory, inventoryPageEntries } from '../core/wire/inventory.ts';
import { encodeLedgerPage, ledgerPageEntries } from '../core/wire/ledger-page.ts';
import { encodeRefusal, type Refusal, type RefusalCode, statusOf } from '../core/wire/refusal.ts';
import { parsePath, type Resource } from '../core/wire/resources.ts';
import { blocksField, grownField, parseUpload } from '../core/wire/shard-upload.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import { type AgreementRow, StorageFull, type Stores } from '../ports/stores.ts';
import type { Fields, IncomingRequest, OutgoingReply } from '../ports/transport.ts';
import { facts } from './facts.ts';
import { holderHead } from './held-ledger.ts';
import type { InvitationDesk } from './invitation-desk.ts';
import type { ManifestKeeper } from './manifest-keeper.ts';
import type { PartnerBook } from './partner-book.ts';
import { wholeBody } from './partner-client.ts';
import { blobName, type ShardIntake } from './shard-intake.ts';

export interface PartnerServiceParts {
  readonly stores: Stores;
  readonly held: BlobStore;
  readonly book: PartnerBook;
  readonly intake: ShardIntake;
  readonly manifests: ManifestKeeper;
  readonly invitations: InvitationDesk;
  /** The signed profile. */
  readonly profile: () => Bytes;
  /** Told of every request. */
  readonly heard: (request: IncomingRequest) => void;
}

type Answer = Outcome<Omit<OutgoingReply, 'status'>, Refusal>;

/** Read from disk and sent at once. */
const readBlocks = 64;

export class PartnerService {
  readonly #parts: PartnerServiceParts;

  constructor(parts: PartnerServiceParts) {
    this.#parts = parts;
  }

  async answer(request: IncomingRequest): Promise<OutgoingReply> {
    const resource = parsePath(request.path);
    const answer =
      resource === undefined
        ? refused('resource.unknown', request.path)
        : await this.#storable(request, resource);
    this.#parts.heard(request);
    if (answer.ok) return { status: 200, ...answer.value };
    return {
      status: statusOf(answer.error.code),
      fields: { 'content-type': 'application/cbor' },
      body: encodeRefusal(answer.error),
    };
  }

  /** A catalogue without room is a refusal like a disk without room. */
  async #storable(request: IncomingRequest, resource: Resource): Promise<Answer> {
    try {
      return await this.#answer(request, resource);
    } catch (reason) {
      if (!(reason instanceof StorageFull)) throw reason;
      return refused('shard.no-space', 'the disk has no room');
    }
  }

  #answer(request: IncomingRequest, resource: Resource): Promise<Answer> | Answer {
    switch (resource.resource) {
      case 'profile':
        return request.method === 'GET'
          ? succeeded({ body: this.#parts.profile() })
          : badMethod(request);
      case 'negotiation':
        return request.method === 'POST' ? this.#negotiate(request) : badMethod(request);
      case 'manifest':
        return this.#manifest(request, resource.owner);
      case 'shard':
      case 'inventory':
      case 'ledger':
        return this.#forPartner(request, resource);
      case 'records':
      case 'record':
      case 'notices':
      case 'audits':
        return refused('resource.unknown', request.path);
    }
  }

  #forPartner(
    request: IncomingRequest,
    resource: Extract<Resource, { resource: 'shard' | 'inventory' | 'ledger' }>,
  ): Promise<Answer> | Answer {
    const agreement = this.#parts.book.get(request.from);
    if (agreement === undefined)
      return refused('request.not-partner', 'there is no agreement between us');
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

  async #negotiate(request: IncomingRequest): Promise<Answer> {
    const message = await wholeBody(request.body, messageMaximumBytes);
    if (!message.ok) return refused('request.malformed', message.error.detail);
    const reply = this.#parts.invitations.redeem(request.from, message.value);
    return reply.ok ? succeeded({ body: reply.value }) : reply;
  }

  async #manifest(request: IncomingRequest, owner: PeerId): Promise<Answer> {
    const { manifests, book } = this.#parts;
    if (request.method === 'GET') {
      const found = manifests.get(owner);
      return found.ok ? succeeded({ body: found.value }) : found;
    }
    if (request.method !== 'PUT') return badMethod(request);
    const agreement = book.get(request.from);
    if (agreement === undefined || owner !== request.from)
      return refused('request.not-partner', 'only a partner leaves its own manifest');
    const document = await wholeBody(request.body, manifestMaximumBytes);
    if (!document.ok) return refused('request.malformed', document.error.detail);
    const receipt = manifests.put(agreement, document.value);
    return receipt.ok ? succeeded({ body: receipt.value }) : receipt;
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

  async #headShard(agreement: AgreementRow, name: ShardName): Promise<Answer> {
    const row = this.#parts.stores.held.get(agreement.partner, name);
    if (row !== undefined) return succeeded({ fields: { [blocksField]: String(row.blockCount) } });
    const grown = await this.#parts.intake.grown(agreement, name);
    return succeeded({ fields: { [grownField]: String(grown) } });
  }

  async #getShard(fields: Fields, agreement: AgreementRow, name: ShardName): Promise<Answer> {
    const { stores, held } = this.#parts;
    const row = stores.held.get(agreement.partner, name);
    if (row === undefined) return refused('shard.unknown', name);
    const text = fields['range'];
    const range = text === undefined ? { first: 0, count: row.blockCount } : parseRange(text);
    if (range === undefined || range.first + range.count > row.blockCount)
      return refused('shard.range', `the shard has ${row.blockCount} blocks`);
    const blob = blobName(agreement, name);
    const length = range.count * blockBytes;
    if ((await held.size(blob)) === undefined) return refused('shard.unknown', 'its file is gone');
    return succeeded({
      fields: { 'content-length': String(length) },
      body: blobBody(held, blob, { offset: range.first * blockBytes, length }),
    });
  }

  #inventory(agreement: AgreementRow, after: ShardName | undefined): Answer {
    const rows = this.#parts.stores.held.page(agreement.partner, after, inventoryPageEntries + 1);
    const entries = rows.slice(0, inventoryPageEntries);
    return succeeded({
      body: encodeInventory({
        entries: entries.map(({ name, blockCount, merkleRoot }) => ({
          name,
          blockCount,
          merkleRoot,
        })),
        more: rows.length > entries.length,
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
