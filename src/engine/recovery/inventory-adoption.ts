/**
 * Where our shards lie, according to those who hold them (C14): partners list names, which only our key turns back into stripe and index.
 *
 * What an inventory lists counts as held, whatever was noted before; what it does not list is lost. What partners have that do not answer stays
 * planned: the manifest says where shards were to go, not that they arrived. Those partners are asked again until they tell. What is listed beyond a whole stripe, one
 * of each index and one at each partner, was a spare or had one: it is in reserve, to be taken back or let go.
 */
import { hexText } from '../../base/bytes.ts';
import type { Instant } from '../../base/units.ts';
import { bytesLentBy } from '../../core/agreements/agreement.ts';
import type { OwnerKeys } from '../../core/sealing/keys.ts';
import { ShardNamer } from '../../core/sealing/shard-name.ts';
import { type Code, indexCount, shardCount } from '../../core/vocabulary/code.ts';
import type { PeerId, ShardName } from '../../core/vocabulary/ids.ts';
import { blockBytes } from '../../core/vocabulary/limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { AgreementRow, PackRow, Stores } from '../../ports/stores.ts';
import type { PartnerBook } from '../partners/partner-book.ts';
import type { PartnerClient } from '../partners/partner-client.ts';
import { agreementOf } from '../partners/partner-space.ts';
import { prefixOf, type StripeHistory } from '../upkeep/stripe-history.ts';
import { TaskPool } from '../work/task-pool.ts';

export interface InventoryParts {
  readonly keys: OwnerKeys;
  readonly stores: Stores;
  readonly clock: Clock;
  readonly log: EventLog;
  readonly client: PartnerClient;
  readonly book: PartnerBook;
}

const askedAtOnce = 8;

/** Gives the partners that did not tell. */
export async function adoptInventories(
  parts: InventoryParts,
  signal: AbortSignal,
  history?: StripeHistory,
): Promise<readonly PeerId[]> {
  const agreements = parts.book.all();
  return await askInventories(parts, { agreements, isLate: false, signal, history });
}

export interface Asking {
  readonly agreements: readonly AgreementRow[];
  /** The computer is at work again: what it sends itself is not touched. */
  readonly isLate: boolean;
  readonly signal: AbortSignal;
  /** Told of shards that are of no present stripe. */
  readonly history?: StripeHistory | undefined;
}

/** Takes over what these partners tell; gives those that did not. */
export async function askInventories(
  parts: InventoryParts,
  { agreements, isLate, signal, history }: Asking,
): Promise<readonly PeerId[]> {
  const silent: PeerId[] = [];
  const pool = new TaskPool(askedAtOnce);
  for (const agreement of agreements)
    await pool.start(async () => {
      const names = await inventoryOf(parts, agreement, signal);
      if (names === undefined) silent.push(agreement.partner);
      else adopt(parts, { partner: agreement.partner, names, isLate, history });
    });
  await pool.drain();
  return silent;
}

interface Told {
  readonly partner: PeerId;
  readonly names: readonly ShardName[];
  readonly isLate: boolean;
  readonly history: StripeHistory | undefined;
}

/** A shard that a partner lists, of a present stripe. */
interface ListedShard {
  readonly row: PackRow;
  readonly code: Code;
  readonly index: number;
  readonly partner: PeerId;
  readonly name: ShardName;
}

function adopt({ stores, keys, clock }: InventoryParts, told: Told): void {
  const { partner, isLate, history } = told;
  const namer = new ShardNamer(keys.shardNameKey, partner);
  const there = new Set<string>();
  stores.transact(() => {
    // As they are now: packs may have been laid out anew while the partner was asked.
    const stripes = presentStripes(stores);
    const unexpected: ListedShard[] = [];
    for (const name of told.names) {
      const { stripePrefix, index } = namer.read(name);
      const row = stripes.get(hexText(stripePrefix));
      if (row === undefined) history?.found(stripePrefix, { partner, index, name });
      if (row?.code === undefined || index >= indexCount(row.code)) continue;
      there.add(`${row.pack} ${index}`);
      const known = stores.shards.ofPack(row.pack).find((shard) => shard.index === index);
      if (known?.partner !== partner)
        unexpected.push({ row, code: row.code, index, partner, name });
      else if (!isLate || (!row.spooled && known.phase !== 'held'))
        stores.shards.put({ ...known, phase: 'held' });
    }
    for (const shard of unexpected) adoptUnexpected(stores, shard, { isLate, now: clock.now() });
    for (const shard of stores.shards.ofPartner(partner)) {
      if (there.has(`${shard.pack} ${shard.index}`)) continue;
      const isOurs = shard.phase !== 'planned' || stores.packs.get(shard.pack)?.spooled === true;
      if (!isLate || !isOurs) stores.shards.put({ ...shard, phase: 'lost' });
    }
  });
}

function presentStripes({ packs }: Stores): ReadonlyMap<string, PackRow> {
  return new Map(
    packs.all().flatMap((row) => (row.stripe === undefined ? [] : [[prefixOf(row.stripe), row]])),
  );
}

/** It was not known to be there: it takes a place that nobody is known to fill, or is in reserve. */
function adoptUnexpected(
  stores: Stores,
  { row, code, index, partner, name }: ListedShard,
  { isLate, now }: { readonly isLate: boolean; readonly now: Instant },
): void {
  const { pack } = row;
  const shards = stores.shards.ofPack(pack);
  const known = shards.find((shard) => shard.index === index);
  const isSurplus =
    known?.phase === 'held' ||
    (known === undefined && shards.length >= shardCount(code)) ||
    shards.some((shard) => shard.partner === partner && shard.phase === 'held');
  if (!isSurplus) {
    if (!isLate || !row.spooled) stores.shards.put({ pack, index, partner, phase: 'held' });
    return;
  }
  const isNext = stores.layouts
    .shards(pack)
    .some((shard) => shard.index === index && shard.partner === partner);
  const isRetired = stores.layouts
    .retiredOf(pack)
    .some((retired) => retired.partner === partner && retired.name === name);
  if (!isNext && !isRetired)
    stores.layouts.retire([{ partner, name, pack, retiredAt: now, reserve: true }]);
}

/** Undefined when the partner did not answer, or with names that are out of order or more than its space has room for. */
export async function inventoryOf(
  { client, book, log }: Pick<InventoryParts, 'client' | 'book' | 'log'>,
  agreement: AgreementRow,
  signal: AbortSignal,
): Promise<readonly ShardName[] | undefined> {
  const { partner } = agreement;
  // A shard has a block at least. This also ends the pages of a partner that has no end of them.
  const most = Math.floor(bytesLentBy(agreementOf(agreement), partner) / blockBytes);
  const names: ShardName[] = [];
  for (;;) {
    const last = names.at(-1);
    const page = await client.inventory(book.addressOf(partner), last, signal);
    if (!page.ok) return undefined;
    const first = page.value.entries[0]?.name;
    const rises = first === undefined || last === undefined || first > last;
    if (!rises || names.length + page.value.entries.length > most) {
      log.write('warn', 'inventory.refused', { partner, shards: names.length });
      return undefined;
    }
    names.push(...page.value.entries.map(({ name }) => name));
    if (!page.value.more) return names;
  }
}
