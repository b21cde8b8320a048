/**
 * Has shards deleted on which nothing rests any more: what packs left behind when they were laid out anew.
 *
 * Not before a computer that loses everything now would find the new ones: the pack's present stripe stands in an index pack, that one in a manifest, and
 * enough partners have both (docs/format.md#order-of-writes). Until then the old shards are what it would be restored from.
 */
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import { hourMs } from '../../base/units.ts';
import { openManifest } from '../../core/manifest/manifest.ts';
import type { ManifestBody } from '../../core/manifest/manifest-body.ts';
import type { PackDescriptor } from '../../core/manifest/pack-descriptor.ts';
import { protectionOf } from '../../core/placement/code-choice.ts';
import type { OwnerKeys } from '../../core/sealing/keys.ts';
import { codeText } from '../../core/vocabulary/code.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { RetiredShardRow } from '../../ports/layout-store.ts';
import type { ManifestRow, PackStanding, Stores } from '../../ports/stores.ts';
import { isAudited } from '../audits/audit-keeping.ts';
import { facts } from '../facts.ts';
import type { PartnerBook } from '../partners/partner-book.ts';
import type { PartnerClient } from '../partners/partner-client.ts';
import { agreementOf } from '../partners/partner-space.ts';
import { partnerTrash, type TrashedLot } from '../partners/partner-trash.ts';
import type { Outbox } from '../sending/outbox.ts';
import { allReached, packProtections } from '../sending/protection.ts';
import { manifestQuorum, ownManifest } from '../sending/publication.ts';
import type { ShardDelivery } from '../sending/shard-delivery.ts';
import type { Backoff } from '../work/backoff.ts';
import type { Notifier } from '../work/notifier.ts';
import { settled } from '../work/settled.ts';
import type { LayoutChange } from './layout-change.ts';
import type { ReserveShards } from './reserve-shards.ts';

export interface OldShardsParts {
  readonly keys: OwnerKeys;
  readonly stores: Stores;
  readonly clock: Clock;
  readonly log: EventLog;
  readonly book: PartnerBook;
  readonly client: PartnerClient;
  readonly delivery: ShardDelivery;
  readonly backoff: Backoff;
  readonly changes: Notifier;
  readonly outbox: Pick<Outbox, 'recount'>;
  readonly change: LayoutChange;
  /** What is not deleted yet, for it may be of use again. */
  readonly reserves: Pick<ReserveShards, 'isKept'>;
}

/** Deleted at one partner in one round. */
const deletedMaximum = 64;
/** Partners are asked whether trash is gone no more often than this. */
const askAgainMs: number = 6 * hourMs;

export class OldShards {
  readonly #parts: OldShardsParts;
  /** When each partner was last asked about our trash. */
  readonly #asked = new Map<PeerId, number>();
  /** Our newest manifest, opened once: it is looked at in every round as long as shards wait. */
  #opened: { readonly hash: Bytes; readonly body: ManifestBody } | undefined;

  constructor(parts: OldShardsParts) {
    this.#parts = parts;
  }

  /** Deletes what can be deleted now; whether there was any. */
  async round(signal: AbortSignal): Promise<boolean> {
    const cleared = await this.#clearTrash(signal);
    const { stores, backoff } = this.#parts;
    const retired = stores.layouts.retired();
    if (retired.length === 0 || facts.recovering(stores) || !this.#isPublished()) return cleared;
    const byPartner = new Map<PeerId, RetiredShardRow[]>();
    for (const row of retired) {
      const rows = byPartner.get(row.partner) ?? [];
      byPartner.set(row.partner, rows);
      if (rows.length < deletedMaximum && this.#isDue(row)) rows.push(row);
    }
    const free = [...byPartner].filter(([partner]) => !backoff.waits(partner));
    const deleted = await settled(free.map(([, rows]) => this.#deleteAll(rows, signal)));
    return cleared || deleted.some((any) => any);
  }

  async #deleteAll(rows: readonly RetiredShardRow[], signal: AbortSignal): Promise<boolean> {
    const { delivery, backoff, log, change, stores } = this.#parts;
    let any = false;
    for (const row of rows) {
      const { partner, name, pack } = row;
      if (change.isInUse(pack, partner, name)) {
        stores.layouts.forgetRetired(partner, name);
        continue;
      }
      const isDue = (): boolean => this.#letGo(row);
      const removed = await delivery.remove({ partner, name, isDue, signal });
      if (!removed.ok) {
        const { code } = removed.error;
        log.write('info', 'shard.not-deleted', { partner, name, code });
        if (code !== 'delivery.cancelled') backoff.failed(partner);
        return any;
      }
      any = true;
    }
    return any;
  }

  /**
   * Whether it may be deleted, asked when nothing else is on its way to the partner: since the round began it may have been taken back, or sent and noted anew, which the
   * next round judges. From then on no layout may count on it: once the request is under way nothing brings it back but sending it again.
   */
  #letGo({ pack, partner, name, retiredAt }: RetiredShardRow): boolean {
    const { layouts } = this.#parts.stores;
    const row = layouts
      .retiredOf(pack)
      .find((retired) => retired.partner === partner && retired.name === name);
    if (row?.retiredAt !== retiredAt || !this.#isDue(row)) return false;
    if (row.reserve) layouts.retire([{ ...row, reserve: false }]);
    return true;
  }

  /** Nothing rests on it, no audit is under way, and its pack is safe and described without it. */
  #isDue(retired: RetiredShardRow): boolean {
    const { pack, partner, name } = retired;
    const { stores, change, book, reserves } = this.#parts;
    if (reserves.isKept(retired)) return false;
    const row = stores.packs.get(pack);
    const agreement = book.get(partner);
    if (agreement !== undefined && isAudited(stores, agreement.agreement)) return false;
    if (row === undefined) return true;
    if (change.isInUse(pack, partner, name)) return false;
    const held = stores.shards.ofPack(pack).filter(({ phase }) => phase === 'held').length;
    if (row.code === undefined || protectionOf(held, row.code) === 'unprotected') return false;
    return row.kind === 'index' || row.indexed;
  }

  /** Whether enough partners have a manifest that names all index packs as they lie now, and these are safe. */
  #isPublished(): boolean {
    const { stores, keys, book } = this.#parts;
    const manifest = ownManifest(stores, keys);
    const body = manifest && this.#bodyOf(manifest);
    if (manifest === undefined || body === undefined) return false;
    const packs = packProtections(stores);
    const index = packs.filter(({ row }) => row.kind === 'index');
    if (!allReached(index, 'protected')) return false;
    const named = new Map(body.indexPacks.map((pack) => [pack.pack, pack]));
    if (!index.every(({ row }) => isNamed(row, named.get(row.pack)))) return false;
    const parity = packs.map(({ row }) => row.code?.parityShards ?? 0);
    const needed = manifestQuorum(Math.max(0, ...parity), book.all().length);
    return stores.manifests.receipts(manifest.hash).length >= needed;
  }

  /** Undefined where it cannot be opened. */
  #bodyOf({ hash, document }: ManifestRow): ManifestBody | undefined {
    if (this.#opened !== undefined && equalBytes(this.#opened.hash, hash)) return this.#opened.body;
    const opened = openManifest(document, this.#parts.keys);
    if (!opened.ok) return undefined;
    this.#opened = { hash, body: opened.value.body };
    return opened.value.body;
  }

  /** Asks partners whether they have let go of what was deleted, once L has passed here; whether any has. */
  async #clearTrash(signal: AbortSignal): Promise<boolean> {
    const { stores, outbox, changes } = this.#parts;
    const due = partnerTrash.all(stores).filter((lot) => this.#isToAsk(lot));
    const told = await settled(due.map((lot) => this.#isCleared(lot, signal)));
    const gone = due.filter((_, index) => told[index]);
    if (gone.length === 0) return false;
    partnerTrash.remove(stores, gone);
    outbox.recount();
    changes.notify();
    return true;
  }

  #isToAsk({ partner, until }: TrashedLot): boolean {
    const { book, clock, backoff } = this.#parts;
    const agreement = book.get(partner);
    if (agreement === undefined) return true;
    const now = clock.now();
    const { deleteLockMs } = agreementOf(agreement).terms;
    if (now - until < deleteLockMs || backoff.waits(partner)) return false;
    const asked = this.#asked.get(partner);
    if (asked !== undefined && Math.abs(now - asked) < askAgainMs) return false;
    this.#asked.set(partner, now);
    return true;
  }

  async #isCleared({ partner, name }: TrashedLot, signal: AbortSignal): Promise<boolean> {
    const { book, client, stores } = this.#parts;
    if (book.get(partner) === undefined) return true;
    const where = await client.whereabouts(book.addressOf(partner), name, signal);
    if (where !== 'held') return where === 'gone';
    // It is held for something else again, and no trash; unless the partner was not asked to delete it yet.
    const isRetired = (row: RetiredShardRow): boolean =>
      row.partner === partner && row.name === name;
    return !stores.layouts.retired().some(isRetired);
  }
}

/** Whether the manifest says how the index pack lies now. */
function isNamed({ code }: PackStanding, descriptor: PackDescriptor | undefined): boolean {
  if (code === undefined || descriptor === undefined) return false;
  return descriptor.code.id === code.id && codeText(descriptor.code) === codeText(code);
}
