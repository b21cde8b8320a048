/**
 * Deletions that a person should know of (DESIGN §8, delete-lock): whoever has an owner's key can delete its backups, and both sides have time to notice, for
 * what is deleted stays in the trash for L.
 *
 * A holder notes an owner that deletes more than half of what it stored here within a day. An owner notes deletions in a partner's ledger of shards that it still
 * needs: it was not this home that asked for them.
 */
import { assert } from '../base/assert.ts';
import { hexText } from '../base/bytes.ts';
import { decodeCbor, encodeCbor } from '../base/codec.ts';
import { dayMs, type Instant, instant } from '../base/units.ts';
import type { Acknowledgement } from '../core/agreements/acknowledgement.ts';
import { ShardNamer } from '../core/sealing/shard-name.ts';
import { bytesOf, idOf, type PeerId } from '../core/vocabulary/ids.ts';
import type { EventLog } from '../ports/event-log.ts';
import type { AgreementRow, PackRow, Stores } from '../ports/stores.ts';
import type { ShardLosses } from './shard-losses.ts';
import { prefixOf } from './stripe-history.ts';

/** One side's account of deletions: of an owner here, or at a partner. */
export interface Deletions {
  readonly partner: PeerId;
  /** When they were noticed. */
  readonly at: Instant;
  readonly shards: number;
}

interface Tally {
  readonly owner: PeerId;
  readonly since: number;
  readonly deleted: number;
  /** What was held when it began, at least. */
  readonly held: number;
  /** 0: not in this window. */
  readonly noticedAt: number;
}

const windowMs: number = dayMs;
/** Fewer are a day like any other: packs are laid out anew. */
const deletedLeast = 8;
/** Told for so long. */
const shownMs: number = 30 * dayMs;
const pageRows = 1_000;
const factMaximumBytes = 1 << 20;
const hereFact = 'deletions-here';
const thereFact = 'deletions-there';

/** Counts a shard that just went into the trash; whether this is the one by which it is more than half within a day. Inside the same step. */
export function countDeletion(
  stores: Stores,
  { partner: owner, phase }: Pick<AgreementRow, 'partner' | 'phase'>,
  now: Instant,
): boolean {
  // Whoever leaves takes all of it along.
  if (phase === 'leaving') return false;
  const others = tallies(stores).filter((tally) => tally.owner !== owner);
  const known = tallies(stores).find((tally) => tally.owner === owner);
  const goesOn = known !== undefined && Math.abs(now - known.since) < windowMs;
  const before = goesOn
    ? known
    : { owner, since: now, deleted: 0, held: heldCount(stores, owner) + 1, noticedAt: 0 };
  let tally: Tally = { ...before, deleted: before.deleted + 1 };
  let isNew = false;
  if (tally.noticedAt === 0 && tally.deleted >= deletedLeast && tally.deleted * 2 > tally.held) {
    const left = heldCount(stores, owner);
    isNew = tally.deleted > left;
    tally = { ...tally, held: tally.deleted + left, noticedAt: isNew ? now : 0 };
  }
  putTallies(stores, [...others, tally]);
  return isNew;
}

/** Owners that deleted most of what they stored here, of late. */
export function deletionsHere(stores: Stores, now: Instant): readonly Deletions[] {
  return tallies(stores)
    .filter(({ noticedAt }) => noticedAt > 0 && Math.abs(now - noticedAt) < shownMs)
    .map(({ owner, noticedAt, deleted }) => ({
      ...{ partner: owner, at: instant(noticedAt), shards: deleted },
    }));
}

/** Partners at which shards were deleted that we need, of late. */
export function deletionsThere(stores: Stores, now: Instant): readonly Deletions[] {
  return entriesOf(stores, thereFact)
    .map(([partner, at, shards]) => ({
      ...{ partner: idOf<PeerId>(partner as Uint8Array), at: instant(Number(at)) },
      shards: Number(shards),
    }))
    .filter(({ at }) => Math.abs(now - at) < shownMs);
}

/** Notes what entries of a partner's ledger that we did not know say was deleted, of what we need. It counts as lost until it is taken back or made anew. */
export function noteForeignDeletions(
  parts: {
    readonly stores: Stores;
    readonly losses: Pick<ShardLosses, 'note'>;
    readonly log: EventLog;
    readonly shardNameKey: Uint8Array;
  },
  partner: PeerId,
  { entries, now }: { readonly entries: readonly Acknowledgement[]; readonly now: Instant },
): void {
  const { stores, losses, log } = parts;
  const last = new Map(entries.map((entry) => [entry.name, entry]));
  const deleted = [...last.values()].filter(({ action }) => action === 'delete');
  if (deleted.length === 0) return;
  const namer = new ShardNamer(parts.shardNameKey, partner);
  const packs = new Map<string, PackRow>();
  for (const row of stores.packs.all())
    if (row.stripe !== undefined) packs.set(prefixOf(row.stripe), row);
  let shards = 0;
  for (const { name } of deleted) {
    const { stripePrefix, index } = namer.read(name);
    const pack = packs.get(hexText(stripePrefix))?.pack;
    const rows = pack === undefined ? [] : stores.shards.ofPack(pack);
    const row = rows.find((shard) => shard.index === index && shard.partner === partner);
    if (row?.phase !== 'held') continue;
    losses.note(row, 'lost');
    shards += 1;
  }
  if (shards === 0) return;
  log.write('error', 'shards.deleted', { partner, shards });
  const known = deletionsThere(stores, now);
  const before = known.find((each) => each.partner === partner)?.shards ?? 0;
  const others = known.filter((each) => each.partner !== partner);
  putThere(stores, [...others, { partner, at: now, shards: before + shards }]);
}

/** They are held again, or known to be gone. */
export function forgetForeignDeletions(stores: Stores, partner: PeerId, now: Instant): void {
  putThere(
    stores,
    deletionsThere(stores, now).filter((each) => each.partner !== partner),
  );
}

function putThere(stores: Stores, deletions: readonly Deletions[]): void {
  const value = deletions.map(({ partner, at, shards }) => [bytesOf(partner), at, shards]);
  stores.facts.put(thereFact, encodeCbor(value));
}

function tallies(stores: Stores): readonly Tally[] {
  return entriesOf(stores, hereFact).map(([owner, since, deleted, held, noticedAt]) => ({
    owner: idOf<PeerId>(owner as Uint8Array),
    ...{ since: Number(since), deleted: Number(deleted), held: Number(held) },
    noticedAt: Number(noticedAt),
  }));
}

function putTallies(stores: Stores, all: readonly Tally[]): void {
  const value = all.map(({ owner, since, deleted, held, noticedAt }) => [
    ...[bytesOf(owner), since, deleted, held, noticedAt],
  ]);
  stores.facts.put(hereFact, encodeCbor(value));
}

function entriesOf(stores: Stores, fact: string): readonly (readonly unknown[])[] {
  const value = stores.facts.get(fact);
  if (value === undefined) return [];
  const decoded = decodeCbor(value, factMaximumBytes);
  assert(decoded.ok && Array.isArray(decoded.value), 'deletions are a list');
  return decoded.value as readonly (readonly unknown[])[];
}

/** Without what lies in the trash. */
function heldCount(stores: Stores, owner: PeerId): number {
  let count = 0;
  for (let after: Parameters<Stores['held']['page']>[1]; ; ) {
    const rows = stores.held.page(owner, after, pageRows);
    count += rows.length;
    const last = rows.at(-1);
    if (rows.length < pageRows || last === undefined) return count;
    after = last.name;
  }
}
