/**
 * Brings back what was deleted at partners and is still needed (DESIGN §8, delete-lock L; `covault recover --undelete`).
 *
 * Whoever has an owner's key can delete its shards; partners keep them in the trash for L. Their signed ledgers say what was deleted: of that, whatever a pack of
 * the catalogue rests on is announced again, and the partner takes it out of the trash without a block being sent. What it has let go of already counts as lost,
 * and repair makes it anew.
 */
import { present } from '../../base/assert.ts';
import { hexText } from '../../base/bytes.ts';
import {
  type Acknowledgement,
  ledgerStart,
  readEntry,
} from '../../core/agreements/acknowledgement.ts';
import { ShardNamer } from '../../core/sealing/shard-name.ts';
import type { PeerId, ShardName } from '../../core/vocabulary/ids.ts';
import type { AgreementRow, PackRow } from '../../ports/stores.ts';
import { AuditLine, LedgerPages } from '../audits/audit-line.ts';
import type { AuditSessionParts } from '../audits/audit-session.ts';
import { storedEntries } from '../audits/audit-space.ts';
import { forgetForeignDeletions } from '../holding/mass-deletion.ts';
import type { ShardDelivery } from '../sending/shard-delivery.ts';
import type { ShardLosses } from '../sending/shard-losses.ts';
import { prefixOf } from '../upkeep/stripe-history.ts';
import { TaskPool } from '../work/task-pool.ts';

export interface UndeleteParts
  extends Pick<AuditSessionParts, 'keys' | 'stores' | 'clock' | 'client' | 'book' | 'log'> {
  readonly delivery: Pick<ShardDelivery, 'takeBack'>;
  readonly losses: Pick<ShardLosses, 'note' | 'enter' | 'takeBack' | 'entered'>;
}

export interface UndeleteReport {
  readonly partnersAsked: number;
  /** Those that did not tell what was deleted there. */
  readonly silent: readonly PeerId[];
  /** Shards that packs rest on, and that had been deleted. */
  readonly deleted: number;
  /** Of these: held again. */
  readonly restored: number;
  /** Of these: not there any more. The rest could not be asked about at present. */
  readonly gone: number;
}

export interface UndeleteOptions {
  readonly signal: AbortSignal;
  readonly progress: (progress: { readonly deleted: number; readonly done: number }) => void;
}

interface DeletedShard {
  readonly pack: PackRow;
  readonly index: number;
  readonly entry: Acknowledgement;
}

const askedAtOnce = 4;

export class UndeleteRun {
  readonly #parts: UndeleteParts;
  readonly #options: UndeleteOptions;
  readonly #silent: PeerId[] = [];
  #deleted = 0;
  #restored = 0;
  #gone = 0;
  #done = 0;

  constructor(parts: UndeleteParts, options: UndeleteOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  async run(): Promise<UndeleteReport> {
    const rows = this.#parts.book.all();
    const pool = new TaskPool(askedAtOnce);
    for (const row of rows) await pool.start(() => this.#ofPartner(row));
    await pool.drain();
    return {
      ...{ partnersAsked: rows.length, silent: this.#silent },
      ...{ deleted: this.#deleted, restored: this.#restored, gone: this.#gone },
    };
  }

  async #ofPartner(row: AgreementRow): Promise<void> {
    const entries = await this.#lastEntries(row);
    if (entries === undefined) {
      this.#silent.push(row.partner);
      return;
    }
    const deleted = this.#needed(row.partner, entries);
    this.#deleted += deleted.length;
    this.#tell();
    for (const shard of deleted) {
      if (this.#options.signal.aborted) return;
      if (!(await this.#takeBack(row.partner, shard))) return;
      this.#done += 1;
      this.#tell();
    }
    const { stores, clock } = this.#parts;
    forgetForeignDeletions(stores, row.partner, clock.now());
  }

  /** What the partner's ledger says last about each shard; undefined when it does not tell. */
  async #lastEntries(
    row: AgreementRow,
  ): Promise<ReadonlyMap<ShardName, Acknowledgement> | undefined> {
    const { stores } = this.#parts;
    const { agreement, partner } = row;
    const line = new AuditLine(this.#parts, row, this.#options.signal);
    const before = stores.ledger.head(agreement, 'owner') ?? ledgerStart(agreement, 0);
    const first = await line.page(before.epoch, before.sequence);
    if (!first.ok) return undefined;
    await line.catchUp();
    const head = stores.ledger.head(agreement, 'owner') ?? before;
    const pages = new LedgerPages(line, storedEntries(stores, agreement, 'owner'));
    const last = new Map<ShardName, Acknowledgement>();
    for (let sequence = 1; sequence <= head.sequence; ) {
      const documents = await pages.read(head.epoch, sequence);
      if (documents.length === 0) return undefined;
      for (const document of documents) {
        const entry = readEntry({ agreement, holder: partner }, document);
        if (!entry.ok) return undefined;
        last.set(entry.value.acknowledgement.name, entry.value.acknowledgement);
      }
      sequence += documents.length;
    }
    return last;
  }

  /** Of what was deleted there, what a pack rests on as it is laid out now. */
  #needed(
    partner: PeerId,
    entries: ReadonlyMap<ShardName, Acknowledgement>,
  ): readonly DeletedShard[] {
    const { stores, keys } = this.#parts;
    const namer = new ShardNamer(keys.shardNameKey, partner);
    const packs = new Map<string, PackRow>();
    for (const row of stores.packs.all())
      if (row.stripe !== undefined) packs.set(prefixOf(row.stripe), row);
    return [...entries.values()].flatMap((entry) => {
      if (entry.action !== 'delete') return [];
      const { stripePrefix, index } = namer.read(entry.name);
      const pack = packs.get(hexText(stripePrefix));
      const shards = pack === undefined ? [] : stores.shards.ofPack(pack.pack);
      const isNeeded = shards.some((shard) => shard.index === index && shard.partner === partner);
      return pack !== undefined && isNeeded ? [{ pack, index, entry }] : [];
    });
  }

  /** False when the partner is not to be asked for more now. */
  async #takeBack(partner: PeerId, { pack, index, entry }: DeletedShard): Promise<boolean> {
    const { delivery, losses } = this.#parts;
    const { blockCount, merkleRoot } = entry;
    const { signal } = this.#options;
    const taken = await delivery.takeBack({
      ...{ pack, index, partner, blockCount, merkleRoot, signal },
    });
    if (taken.ok) {
      this.#restored += 1;
      return true;
    }
    // It wants the blocks: so it does not have them any more.
    const missing = blockCount > 1 ? 'shard.offset' : 'request.malformed';
    if (taken.error.code !== 'delivery.refused' || taken.error.detail !== missing) return false;
    const stripe = present(pack.stripe, 'a coded pack has a stripe');
    losses.note({ pack: pack.pack, stripe, index, partner }, 'lost');
    this.#gone += 1;
    return true;
  }

  #tell(): void {
    this.#options.progress({ deleted: this.#deleted, done: this.#done });
  }
}
