/**
 * Where our shards lie, according to those who hold them (C14): partners list names, which only our key turns back into stripe and index.
 *
 * What an inventory lists counts as held, whatever was noted before; what it does not list is lost. What partners have that do not answer stays
 * planned: the manifest says where shards were to go, not that they arrived. Those partners are asked again until they tell.
 */
import { assert } from '../base/assert.ts';
import { type Bytes, hexText } from '../base/bytes.ts';
import { bytesLentBy } from '../core/agreements/agreement.ts';
import type { OwnerKeys } from '../core/sealing/keys.ts';
import { ShardNamer, stripePrefixBytes } from '../core/sealing/shard-name.ts';
import { shardCount } from '../core/vocabulary/code.ts';
import { bytesOf, type PeerId, type ShardName } from '../core/vocabulary/ids.ts';
import { blockBytes } from '../core/vocabulary/limits.ts';
import type { EventLog } from '../ports/event-log.ts';
import type { AgreementRow, PackRow, Stores } from '../ports/stores.ts';
import type { PartnerBook } from './partner-book.ts';
import type { PartnerClient } from './partner-client.ts';
import { agreementOf } from './partner-space.ts';
import { TaskPool } from './task-pool.ts';

export interface InventoryParts {
  readonly keys: OwnerKeys;
  readonly stores: Stores;
  readonly log: EventLog;
  readonly client: PartnerClient;
  readonly book: PartnerBook;
}

const askedAtOnce = 8;

/** Gives the partners that did not tell. */
export async function adoptInventories(
  parts: InventoryParts,
  signal: AbortSignal,
): Promise<readonly PeerId[]> {
  return await askInventories(parts, { agreements: parts.book.all(), isLate: false, signal });
}

export interface Asking {
  readonly agreements: readonly AgreementRow[];
  /** The computer is at work again: what it sends itself is not touched. */
  readonly isLate: boolean;
  readonly signal: AbortSignal;
}

/** Takes over what these partners tell; gives those that did not. */
export async function askInventories(
  parts: InventoryParts,
  { agreements, isLate, signal }: Asking,
): Promise<readonly PeerId[]> {
  const stripes = new Map<string, PackRow>();
  for (const row of parts.stores.packs.all())
    if (row.stripe !== undefined) stripes.set(prefixOf(bytesOf(row.stripe)), row);
  const silent: PeerId[] = [];
  const pool = new TaskPool(askedAtOnce);
  for (const agreement of agreements)
    await pool.start(async () => {
      const names = await inventoryOf(parts, agreement, signal);
      if (names === undefined) silent.push(agreement.partner);
      else adopt(parts, { partner: agreement.partner, names, stripes, isLate });
    });
  await pool.drain();
  return silent;
}

function adopt(
  { stores, keys }: InventoryParts,
  found: {
    readonly partner: PeerId;
    readonly names: readonly ShardName[];
    readonly stripes: ReadonlyMap<string, PackRow>;
    readonly isLate: boolean;
  },
): void {
  const { partner, isLate } = found;
  const namer = new ShardNamer(keys.shardNameKey, partner);
  const there = new Set<string>();
  const isHeld = ({ pack }: PackRow, index: number): boolean =>
    stores.shards.ofPack(pack).some((shard) => shard.index === index && shard.phase === 'held');
  stores.transact(() => {
    for (const name of found.names) {
      const { stripePrefix, index } = namer.read(name);
      const row = found.stripes.get(hexText(stripePrefix));
      if (row?.code === undefined || index >= shardCount(row.code)) continue;
      there.add(`${row.pack} ${index}`);
      if (isLate && (row.spooled || isHeld(row, index))) continue;
      stores.shards.put({ pack: row.pack, index, partner, phase: 'held' });
    }
    for (const shard of stores.shards.ofPartner(partner)) {
      if (there.has(`${shard.pack} ${shard.index}`)) continue;
      const isOurs = shard.phase !== 'planned' || stores.packs.get(shard.pack)?.spooled === true;
      if (!isLate || !isOurs) stores.shards.put({ ...shard, phase: 'lost' });
    }
  });
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

function prefixOf(stripe: Bytes): string {
  assert(stripe.length > stripePrefixBytes, 'a stripe id is longer than its prefix');
  return hexText(stripe.subarray(0, stripePrefixBytes));
}
