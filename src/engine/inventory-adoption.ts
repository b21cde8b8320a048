/**
 * Where our shards lie, according to those who hold them (C14): partners list names, which only our key turns back into stripe and index.
 *
 * What an inventory lists counts as held, whatever was noted before; what it does not list is lost. Partners that do not answer keep what was noted.
 */
import { assert } from '../base/assert.ts';
import { type Bytes, hexText } from '../base/bytes.ts';
import { bytesLentBy } from '../core/agreements/agreement.ts';
import type { OwnerKeys } from '../core/sealing/keys.ts';
import { ShardNamer, stripePrefixBytes } from '../core/sealing/shard-name.ts';
import { shardCount } from '../core/vocabulary/code.ts';
import { bytesOf, type ShardName } from '../core/vocabulary/ids.ts';
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

export async function adoptInventories(parts: InventoryParts, signal: AbortSignal): Promise<void> {
  const { stores, book } = parts;
  const stripes = new Map<string, PackRow>();
  for (const row of stores.packs.all())
    if (row.stripe !== undefined) stripes.set(prefixOf(bytesOf(row.stripe)), row);
  const pool = new TaskPool(askedAtOnce);
  for (const agreement of book.all())
    await pool.start(async () => {
      const names = await inventoryOf(parts, agreement, signal);
      if (names !== undefined) adopt(parts, { agreement, names, stripes });
    });
  await pool.drain();
}

function adopt(
  { stores, keys }: InventoryParts,
  found: {
    readonly agreement: AgreementRow;
    readonly names: readonly ShardName[];
    readonly stripes: ReadonlyMap<string, PackRow>;
  },
): void {
  const { partner } = found.agreement;
  const namer = new ShardNamer(keys.shardNameKey, partner);
  const there = new Set<string>();
  stores.transact(() => {
    for (const name of found.names) {
      const shard = namer.read(name);
      const row = found.stripes.get(hexText(shard.stripePrefix));
      if (row?.code === undefined || shard.index >= shardCount(row.code)) continue;
      there.add(`${row.pack} ${shard.index}`);
      stores.shards.put({ pack: row.pack, index: shard.index, partner, phase: 'held' });
    }
    for (const shard of stores.shards.ofPartner(partner))
      if (!there.has(`${shard.pack} ${shard.index}`))
        stores.shards.put({ ...shard, phase: 'lost' });
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
