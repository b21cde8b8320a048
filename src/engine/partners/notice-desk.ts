/**
 * Notices between partners, both ways (C30, C46): what a partner wants known is entered into its lifecycle, what we want known is sent until it is answered.
 *
 * What is to be sent stands in the catalogue. A notice that says the opposite of an earlier one takes its place.
 */
import { assert } from '../../base/assert.ts';
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import { decodeCbor, encodeCbor } from '../../base/codec.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { type Instant, minuteMs } from '../../base/units.ts';
import { acknowledgedAt } from '../../core/agreements/acknowledgement.ts';
import { fastestRate } from '../../core/partners/counted-time.ts';
import { isInForce } from '../../core/partners/lifecycle-phase.ts';
import type { OwnerKeys } from '../../core/sealing/keys.ts';
import { ShardNamer } from '../../core/sealing/shard-name.ts';
import { bytesOf, idOf, type PeerId, type ShardName } from '../../core/vocabulary/ids.ts';
import { type Notice, type NoticeSubject, readNotice, signNotice } from '../../core/wire/notice.ts';
import type { Refusal } from '../../core/wire/refusal.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { AgreementRow, Stores } from '../../ports/stores.ts';
import { AuditKeeping } from '../audits/audit-keeping.ts';
import { AuditSpace } from '../audits/audit-space.ts';
import { facts } from '../facts.ts';
import type { ReadQuota } from '../holding/read-quota.ts';
import type { ShardLosses } from '../sending/shard-losses.ts';
import { type PlacedShard, shardsAt } from '../sending/shard-places.ts';
import { spoilReserves } from '../upkeep/reserve-shards.ts';
import { Backoff } from '../work/backoff.ts';
import type { Notifier } from '../work/notifier.ts';
import { WorkLoop } from '../work/work-loop.ts';
import { rememberHeard, staysWithin, wasHeard } from './admitted-losses.ts';
import type { LifecycleKeeper } from './lifecycle-keeper.ts';
import type { PartnerBook } from './partner-book.ts';
import type { PartnerClient } from './partner-client.ts';
import { agreementOf } from './partner-space.ts';

export interface NoticeDeskParts {
  readonly keys: OwnerKeys;
  readonly stores: Stores;
  readonly clock: Clock;
  readonly log: EventLog;
  readonly book: PartnerBook;
  readonly client: PartnerClient;
  readonly keeper: LifecycleKeeper;
  readonly losses: ShardLosses;
  readonly changes: Notifier;
  /** What is held here may be read more often while its owner restores. */
  readonly reads: Pick<ReadQuota, 'restoring'>;
  /** Whether what the agreement lends can still be lent. */
  readonly hasRoomFor: (row: AgreementRow) => boolean;
}

interface Due {
  readonly peer: PeerId;
  readonly document: Bytes;
}

/** A partner that takes us for a former one is asked to renew no more often. */
const renewalRestMs: number = 10 * minuteMs;
const factName = 'notices-due';
const dueMaximum = 512;
const factMaximumBytes: number = 1 << 25;

export class NoticeDesk {
  readonly #parts: NoticeDeskParts;
  readonly #backoff: Backoff;
  /** Partners that are being told that this computer restores. */
  readonly #announcing = new Map<PeerId, Promise<boolean>>();
  /** When partners were asked to renew. */
  readonly #renewedAt = new Map<PeerId, Instant>();

  constructor(parts: NoticeDeskParts) {
    this.#parts = parts;
    this.#backoff = new Backoff(parts.clock);
  }

  /** A partner wants something known. */
  receive(from: PeerId, document: Bytes): Outcome<undefined, Refusal> {
    const { book, log, keeper } = this.#parts;
    const row = book.get(from) ?? keeper.kept(from);
    if (row === undefined)
      return failed({ code: 'request.not-partner', detail: 'there is no agreement between us' });
    const notice = readNotice(document, from);
    if (!notice.ok) return failed({ code: 'request.malformed', detail: notice.error.code });
    if (notice.value.agreement !== row.agreement)
      return failed({ code: 'request.not-partner', detail: 'this is not our agreement' });
    log.write('info', 'notice.received', { partner: from, type: notice.value.subject.type });
    const isPartner = book.get(from) !== undefined;
    if (notice.value.subject.type === 'renew')
      return isPartner ? succeeded(undefined) : this.#renew(row);
    if (notice.value.subject.type === 'restoring' && (isPartner || keeper.mayRestore(row)))
      return this.#parts.reads.restoring(row);
    if (isPartner) this.#enter(row, notice.value, document);
    return succeeded(undefined);
  }

  /** A former partner wants to be one again; what it stored is here. */
  #renew(row: AgreementRow): Outcome<undefined, Refusal> {
    const { keeper, hasRoomFor, changes } = this.#parts;
    if (!keeper.isRenewable(row))
      return failed({ code: 'request.not-partner', detail: 'the agreement is over' });
    if (!hasRoomFor(row))
      return failed({ code: 'agreement.no-space', detail: 'the space was lent to others since' });
    keeper.happened(row.partner, { type: 'renewed' });
    changes.notify();
    return succeeded(undefined);
  }

  /** A partner says that it takes us for a former one: it is asked to renew, once in a while. */
  ended(peer: PeerId): void {
    const { book, clock, changes, keeper } = this.#parts;
    const row = book.get(peer);
    if (row === undefined || !isInForce(row.phase)) return;
    // Whose notice ended a little earlier there than here is to stay away.
    if (keeper.stateOf(row).leaving !== undefined) return;
    const asked = this.#renewedAt.get(peer);
    if (asked !== undefined && Math.abs(clock.now() - asked) < renewalRestMs) return;
    this.#renewedAt.set(peer, clock.now());
    this.give(row, { type: 'renew' });
    changes.notify();
  }

  /** To be sent as soon as the partner can be reached, over restarts. Inside a transaction it is durable with it. */
  give({ agreement, partner }: AgreementRow, subject: NoticeSubject): void {
    const { stores, keys, clock, keeper } = this.#parts;
    // In the same step: whoever is told of a loss counts our commitment anew for a while, and is not to be blamed for it.
    if (isTotalLoss(subject)) keeper.happened(partner, { type: 'own-loss' });
    const notice: Notice = { agreement, by: keys.peerId, time: clock.now(), subject };
    const document = signNotice(notice, keys.identitySeed);
    const others = this.#due().filter((due) => due.peer !== partner || this.#stays(due, subject));
    write(stores, [...others, { peer: partner, document }].slice(-dueMaximum));
    this.#backoff.cleared(partner);
  }

  /** This computer restores: all partners are told, as soon as they can be reached. */
  restores(): void {
    const { book, changes } = this.#parts;
    for (const row of book.all()) if (isInForce(row.phase)) this.give(row, { type: 'restoring' });
    changes.notify();
  }

  /** Tells a partner at once that this computer restores: it gives no more without. False when it does not accept that. */
  announceRestore(partner: PeerId, signal: AbortSignal): Promise<boolean> {
    const known = this.#announcing.get(partner);
    if (known !== undefined) return known;
    const announced = this.#announce(partner, signal).finally(() => {
      this.#announcing.delete(partner);
    });
    this.#announcing.set(partner, announced);
    return announced;
  }

  async #announce(partner: PeerId, signal: AbortSignal): Promise<boolean> {
    const { book, client, keys, clock, log } = this.#parts;
    const row = book.get(partner);
    if (row === undefined) return false;
    const subject: NoticeSubject = { type: 'restoring' };
    const { agreement } = row;
    const notice = signNotice(
      { agreement, by: keys.peerId, time: clock.now(), subject },
      keys.identitySeed,
    );
    const answer = await client.notify(book.addressOf(partner), notice, signal);
    log.write('info', 'notice.restoring', { partner, accepted: answer.ok });
    return answer.ok;
  }

  /** Works until `signal` aborts, as `WorkLoop.run` does. */
  run(signal: AbortSignal): Promise<void> {
    const loop = { ...this.#parts, backoff: this.#backoff };
    return new WorkLoop(loop, (until) => this.round(until)).run(signal);
  }

  /** Sends what is due to those that are not waited for; whether anything arrived. */
  async round(signal: AbortSignal): Promise<boolean> {
    let arrived = false;
    for (const due of this.#due()) {
      if (signal.aborted) break;
      if (this.#backoff.waits(due.peer)) continue;
      if (await this.#send(due, signal)) arrived = true;
    }
    return arrived;
  }

  async #send({ peer, document }: Due, signal: AbortSignal): Promise<boolean> {
    const { client, book, stores, log } = this.#parts;
    const answer = await client.notify(book.addressOf(peer), document, signal);
    if (signal.aborted) return false;
    // A refusal is an answer: whoever does not know us as a partner needs no notice.
    if (!answer.ok && answer.error.code !== 'peer.refused') {
      this.#backoff.failed(peer);
      return false;
    }
    if (answer.ok) this.#told(peer, document);
    else log.write('info', 'notice.refused', { partner: peer, detail: answer.error.detail });
    write(
      stores,
      this.#due().filter((due) => due.peer !== peer || !equalBytes(due.document, document)),
    );
    return true;
  }

  /** Whoever takes us back counts our commitment anew, and so do we its. */
  #told(peer: PeerId, document: Bytes): void {
    const notice = readNotice(document, this.#parts.keys.peerId);
    if (!notice.ok || notice.value.subject.type !== 'renew') return;
    this.#parts.keeper.happened(peer, { type: 'recommitted', wasAway: this.#wasAway(peer) });
  }

  /** This computer came back of late, and was away for so long that the partner may have counted G. */
  #wasAway(peer: PeerId): boolean {
    const { stores, book, clock } = this.#parts;
    const [row, absence] = [book.get(peer), facts.absence(stores)];
    if (row === undefined || absence === undefined) return false;
    const leastMs = agreementOf(row).terms.graceMs / fastestRate;
    return absence.ms >= leastMs && Math.abs(clock.now() - absence.until) < leastMs;
  }

  #enter(row: AgreementRow, { subject, time }: Notice, document: Bytes): void {
    const { keeper, changes } = this.#parts;
    const peer = row.partner;
    switch (subject.type) {
      case 'leaving':
        keeper.happened(peer, { type: 'notice-received', until: subject.until });
        return;
      case 'back':
        keeper.happened(peer, { type: 'notice-withdrawn', by: 'partner' });
        keeper.happened(peer, { type: 'returned' });
        return;
      case 'lost-data':
        this.#loseOnce(row, document, { names: subject.shards, time });
        return;
      case 'restoring':
      case 'renew':
        return;
      case 'reload':
        changes.notify();
        return;
    }
  }

  /**
   * It told of the loss of everything before the first entry of the life that we know: what it lost was settled when that life was taken over (returned-holder.ts), and what
   * it took in since is no part of it.
   */
  #isSettled({ agreement }: AgreementRow, time: Instant): boolean {
    const { ledger } = this.#parts.stores;
    const epoch = ledger.head(agreement, 'owner')?.epoch ?? 0;
    if (epoch === 0) return false;
    const first = ledger.get(agreement, 'owner', { epoch, sequence: 1 });
    const began = first && acknowledgedAt(first.document);
    return began !== undefined && began >= time;
  }

  #loseOnce(
    row: AgreementRow,
    document: Bytes,
    { names, time }: { readonly names: readonly ShardName[]; readonly time: Instant },
  ): void {
    const { stores, keeper } = this.#parts;
    if (wasHeard(stores, row.agreement, document)) return;
    if (names.length === 0 && this.#isSettled(row, time)) keeper.lostAll(row.partner, false);
    else this.#lost(row, names);
    rememberHeard(stores, row.agreement, document);
  }

  /** What the partner says it lost does not count any more, and is sent again. */
  #lost(row: AgreementRow, names: readonly ShardName[]): void {
    const { keeper, losses, changes, stores } = this.#parts;
    const lost = names.length === 0 ? undefined : new Set(names);
    const held = stores.shards.ofPartner(row.partner).length;
    const admitted = this.#thoughtAt(row.partner, lost);
    const count = admitted.length;
    // What was asked for of late must be known before anything is settled.
    const isForgiven =
      lost === undefined || count === 0 || this.#forgives(row, lost, { count, held });
    stores.transact(() => spoilReserves(stores, row.partner, (name) => lost?.has(name) ?? true));
    losses.admitted(admitted);
    if (lost === undefined) keeper.lostAll(row.partner, count > 0);
    if (!isForgiven) keeper.happened(row.partner, { type: 'wrong' });
    changes.notify();
  }

  /**
   * Told before anybody asked, the loss of a few shards is forgiven in each G. Whoever loses more has not been keeping what it took, and owes proofs like one
   * that was caught; so does who tells of a shard when it has just been asked for it.
   */
  #forgives(
    row: AgreementRow,
    names: ReadonlySet<ShardName>,
    loss: { readonly count: number; readonly held: number },
  ): boolean {
    const { clock, stores, keys } = this.#parts;
    const { graceMs } = agreementOf(row).terms;
    const now = clock.now();
    const keeping = new AuditKeeping(stores, new AuditSpace(stores, clock), keys.peerId);
    const asked = keeping
      .state(row)
      .pending.flatMap(({ chosen }) => chosen.map(({ shard }) => shard.name));
    if (asked.some((name) => names.has(name))) return false;
    return staysWithin(stores, row.agreement, { ...loss, graceMs, now });
  }

  /** What the partner is thought to have, of these names or of any, for layouts that packs have and for those that they are to have. */
  #thoughtAt(partner: PeerId, names: ReadonlySet<ShardName> | undefined): readonly PlacedShard[] {
    const { stores, keys } = this.#parts;
    const thought = shardsAt(stores, partner, ['held', 'wrong']);
    if (names === undefined) return thought;
    const namer = new ShardNamer(keys.shardNameKey, partner);
    return thought.filter(({ stripe, index }) => names.has(namer.nameOf(stripe, index)));
  }

  /** Whether a notice that is due is still to be sent when this one is given. */
  #stays({ document }: Due, subject: NoticeSubject): boolean {
    const before = readNotice(document, this.#parts.keys.peerId);
    if (!before.ok) return false;
    const group = (type: NoticeSubject['type']): string => (type === 'back' ? 'leaving' : type);
    const type = before.value.subject.type;
    return type === 'lost-data' || group(type) !== group(subject.type);
  }

  #due(): readonly Due[] {
    const value = this.#parts.stores.facts.get(factName);
    if (value === undefined) return [];
    const decoded = decodeCbor(value, factMaximumBytes);
    assert(decoded.ok && Array.isArray(decoded.value), 'notices due are a list');
    return decoded.value.map((entry) => {
      assert(Array.isArray(entry), 'a notice that is due has its peer');
      const [peer, document] = entry as [Uint8Array, Uint8Array];
      return { peer: idOf<PeerId>(peer), document: new Uint8Array(document) };
    });
  }
}

function write(stores: Stores, due: readonly Due[]): void {
  const value = due.map(({ peer, document }) => [bytesOf(peer), document]);
  stores.facts.put(factName, encodeCbor(value));
}

function isTotalLoss(subject: NoticeSubject): boolean {
  return subject.type === 'lost-data' && subject.shards.length === 0;
}
