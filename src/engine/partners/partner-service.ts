/**
 * What this computer does for its peers when they ask (DESIGN §7): takes and gives shards, keeps manifests, answers invites.
 *
 * Whoever asks has proven its identity. Strangers may redeem an invite, negotiate, ask who we are and how others behaved, and ask for a manifest of
 * their own; everything else is for partners, and about their own data only.
 */
import type { Bytes } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { isInForce } from '../../core/partners/lifecycle-phase.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import { manifestMaximumBytes, messageMaximumBytes } from '../../core/vocabulary/limits.ts';
import { isNegotiation } from '../../core/wire/negotiation.ts';
import {
  encodeRefusal,
  type Refusal,
  type RefusalCode,
  statusOf,
} from '../../core/wire/refusal.ts';
import { parsePath, type Resource } from '../../core/wire/resources.ts';
import { type AgreementRow, StorageFull } from '../../ports/stores.ts';
import type { IncomingRequest, OutgoingReply } from '../../ports/transport.ts';
import type { AuditAnswers } from '../audits/audit-answers.ts';
import type { ManifestKeeper } from '../holding/manifest-keeper.ts';
import type { Answer, ShardResource, ShardService } from '../holding/shard-service.ts';
import type { RecordDesk } from '../records/record-desk.ts';
import type { InvitationDesk } from './invitation-desk.ts';
import type { LifecycleKeeper } from './lifecycle-keeper.ts';
import type { NegotiationDesk } from './negotiation-desk.ts';
import type { NoticeDesk } from './notice-desk.ts';
import type { PartnerBook } from './partner-book.ts';
import { wholeBody } from './whole-body.ts';

/** What partners, and those that would be, ask besides their data. */
export interface PartnershipServices {
  readonly keeper: LifecycleKeeper;
  readonly negotiations: NegotiationDesk;
  readonly notices: NoticeDesk;
  readonly records: RecordDesk;
  readonly answers: AuditAnswers;
}

export interface PartnerServiceParts {
  readonly book: PartnerBook;
  readonly shards: ShardService;
  readonly manifests: ManifestKeeper;
  readonly invitations: InvitationDesk;
  /** Left out, invites are the only way to become partners. */
  readonly partnership?: PartnershipServices;
  /** The signed profile. */
  readonly profile: () => Bytes;
  /** Told of every request. */
  readonly heard: (request: IncomingRequest) => void;
}

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
        return this.#aboutPartners(request, resource);
      case 'audits':
        return this.#audit(request);
    }
  }

  #forPartner(request: IncomingRequest, resource: ShardResource): Promise<Answer> | Answer {
    const { book, partnership } = this.#parts;
    const partner = book.get(request.from);
    // What somebody stored here who reneged or left is kept for a while.
    const agreement = partner ?? partnership?.keeper.kept(request.from);
    if (agreement === undefined || (partner === undefined && request.method === 'PUT'))
      return this.#noPartner(request.from);
    if (resource.resource === 'shard' && request.method === 'GET') {
      const refusal = this.#readRefusal(agreement);
      if (refusal !== undefined) return refusal;
    }
    return this.#parts.shards.answer(request, agreement, resource);
  }

  /** Why nothing is given back; undefined: it is (C30). */
  #readRefusal(agreement: AgreementRow): Answer | undefined {
    const keeper = this.#parts.partnership?.keeper;
    if (keeper === undefined || agreement.phase === 'proposed') return undefined;
    if (keeper.mayRestore(agreement)) return undefined;
    if (!isInForce(agreement.phase)) return this.#noPartner(agreement.partner);
    return refused('request.in-commitment', 'restores are not honoured yet');
  }

  /** There is no agreement any more, or there never was one. */
  #noPartner(peer: PeerId): Answer {
    const keeper = this.#parts.partnership?.keeper;
    const kept = keeper?.kept(peer);
    if (kept === undefined || keeper?.isRenewable(kept) !== true)
      return refused('request.not-partner', 'there is no agreement between us');
    return refused('request.ended', 'it is kept, and given back when the agreement is renewed');
  }

  async #negotiate(request: IncomingRequest): Promise<Answer> {
    const message = await wholeBody(request.body, messageMaximumBytes);
    if (!message.ok) return refused('request.malformed', message.error.detail);
    const { invitations, partnership } = this.#parts;
    const reply =
      partnership !== undefined && isNegotiation(message.value)
        ? await partnership.negotiations.answer(request.from, message.value)
        : invitations.redeem(request.from, message.value);
    return reply.ok ? succeeded({ body: reply.value }) : reply;
  }

  async #aboutPartners(
    request: IncomingRequest,
    resource: Extract<Resource, { resource: 'records' | 'record' | 'notices' }>,
  ): Promise<Answer> {
    const { partnership } = this.#parts;
    if (partnership === undefined) return refused('resource.unknown', request.path);
    const { records, notices } = partnership;
    if (resource.resource === 'record') {
      if (request.method !== 'GET') return badMethod(request);
      const statement = records.statement(request.from, resource.about);
      return statement.ok ? succeeded({ body: statement.value }) : statement;
    }
    if (request.method !== 'POST') return badMethod(request);
    const message = await wholeBody(request.body, messageMaximumBytes);
    if (!message.ok) return refused('request.malformed', message.error.detail);
    if (resource.resource === 'records') {
      const answer = records.countersign(request.from, message.value);
      return answer.ok ? succeeded({ body: answer.value }) : answer;
    }
    const noted = notices.receive(request.from, message.value);
    return noted.ok ? succeeded({}) : noted;
  }

  async #audit(request: IncomingRequest): Promise<Answer> {
    const { partnership, book } = this.#parts;
    if (partnership === undefined) return refused('resource.unknown', request.path);
    if (request.method !== 'POST') return badMethod(request);
    const agreement = book.get(request.from);
    if (agreement === undefined) return this.#noPartner(request.from);
    const message = await wholeBody(request.body, messageMaximumBytes);
    if (!message.ok) return refused('request.malformed', message.error.detail);
    const reply = await partnership.answers.answer(agreement, message.value);
    return reply.ok ? succeeded({ body: reply.value }) : reply;
  }

  async #manifest(request: IncomingRequest, owner: PeerId): Promise<Answer> {
    const { manifests, book } = this.#parts;
    if (request.method === 'GET') {
      // Who its partners are is for them to know, and for the owner itself, who may have lost everything but its key.
      if (request.from !== owner)
        return refused('manifest.unknown', 'a manifest is given to its owner only');
      const found = manifests.get(owner);
      return found.ok ? succeeded({ body: found.value }) : found;
    }
    if (request.method !== 'PUT') return badMethod(request);
    const agreement = book.get(request.from);
    if (owner !== request.from)
      return refused('request.not-partner', 'only a partner leaves its own manifest');
    if (agreement === undefined) return this.#noPartner(request.from);
    const document = await wholeBody(request.body, manifestMaximumBytes);
    if (!document.ok) return refused('request.malformed', document.error.detail);
    const receipt = manifests.put(agreement, document.value);
    return receipt.ok ? succeeded({ body: receipt.value }) : receipt;
  }
}

function refused(code: RefusalCode, detail: string): Outcome<never, Refusal> {
  return failed({ code, detail });
}

function badMethod(request: IncomingRequest): Outcome<never, Refusal> {
  return refused('request.method', `${request.method} ${request.path}`);
}
