/**
 * Deletions that a person should know of (DESIGN §8, delete-lock): whoever has an owner's key can delete its backups, and both sides have time to notice, for
 * what is deleted stays in the trash for L.
 *
 * A holder notes an owner that deletes so much within a day that less than half is left of what had been here before. An owner notes deletions in a partner's ledger of shards that it still
 * needs: it was not this home that asked for them.
 */
import { assert } from '../../base/assert.ts';
import { concatBytes } from '../../base/bytes.ts';
import { decodeCbor, encodeCbor } from '../../base/codec.ts';
import { dayMs, type Instant, instant } from '../../base/units.ts';
import {
  type Acknowledgement,
  acknowledgedAt,
  type LedgerPlace,
} from '../../core/agreements/acknowledgement.ts';
import {
  type AgreementId,
  bytesOf,
  idOf,
  type PeerId,
  type ShardName,
  shardNameBytes,
} from '../../core/vocabulary/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { AgreementRow, Stores } from '../../ports/stores.ts';
import type { ShardLosses } from '../sending/shard-losses.ts';
import { ShardNames } from '../sending/shard-names.ts';
import type { PlacedShard } from '../sending/shard-places.ts';
import { spoilReserves } from '../upkeep/reserve-shards.ts';

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
  /** What had been held for a day when it began. */
  readonly held: number;
  /** How many deletions it is looked at again. */
  readonly lookAt: number;
  /** 0: not in this window. */
  readonly noticedAt: number;
}

const windowMs: number = dayMs;
/** Fewer are a day like any other: packs are laid out anew. */
const deletedLeast = 8;
const lookAgainShare = 1.25;
/** Told for so long. */
const shownMs: number = 30 * dayMs;
const pageRows = 1_000;
const factMaximumBytes = 1 << 24;
/** Names of shards deleted at one partner that are kept. What is beyond them and was stored again all the same is sent once more. */
const namesMaximum = 512;
const hereFact = 'deletions-here';
const thereFact = 'deletions-there';

/**
 * Counts a shard that just went into the trash; whether it is the one by which less than half is left of what had been here for a day. Inside the same step.
 * `place`: where the ledger says that the shard came.
 */
export function countDeletion(
  stores: Stores,
  { agreement, partner: owner, phase }: Pick<AgreementRow, 'agreement' | 'partner' | 'phase'>,
  { place, now }: { readonly place: LedgerPlace; readonly now: Instant },
): boolean {
  // Whoever leaves takes all of it along.
  if (phase === 'leaving') return false;
  const others = tallies(stores).filter((tally) => tally.owner !== owner);
  const known = tallies(stores).find((tally) => tally.owner === owner);
  const goesOn = known !== undefined && Math.abs(now - known.since) < windowMs;
  const before = goesOn ? known : newTally(stores, { agreement, owner, place, now });
  let tally: Tally = { ...before, deleted: before.deleted + 1 };
  const isToLook = tally.noticedAt === 0 && tally.deleted >= tally.lookAt;
  if (isToLook) {
    const isMost = heldCount(stores, owner) * 2 < tally.held;
    const lookAt = Math.ceil(tally.deleted * lookAgainShare);
    tally = { ...tally, lookAt, noticedAt: isMost ? now : 0 };
  }
  putTallies(stores, [...others, tally]);
  return isToLook && tally.noticedAt > 0;
}

/** What came within the last day does not count: packs that are laid out anew bring new shards before their old ones go. */
function newTally(
  stores: Stores,
  of: {
    readonly agreement: AgreementId;
    readonly owner: PeerId;
    readonly place: LedgerPlace;
    readonly now: Instant;
  },
): Tally {
  const { owner, now } = of;
  const { epoch } = stores.ledger.head(of.agreement, 'holder') ?? of.place;
  const first = firstSince(stores, { ...of, epoch, since: now - windowMs });
  const isOld = (place: LedgerPlace): boolean => place.epoch < epoch || place.sequence < first;
  const held = heldCount(stores, owner, isOld) + (isOld(of.place) ? 1 : 0);
  const lookAt = Math.max(deletedLeast, Math.ceil(held / 2));
  return { owner, since: now, deleted: 0, held, lookAt, noticedAt: 0 };
}

/** The first entry of our ledger that is not older than `since`, by halving. */
function firstSince(
  stores: Stores,
  {
    agreement,
    epoch,
    since,
  }: { readonly agreement: AgreementId; readonly epoch: number; readonly since: number },
): number {
  let low = 1;
  let high = (stores.ledger.head(agreement, 'holder')?.sequence ?? 0) + 1;
  while (low < high) {
    const sequence = Math.floor((low + high) / 2);
    const row = stores.ledger.get(agreement, 'holder', { epoch, sequence });
    const time = row === undefined ? undefined : acknowledgedAt(row.document);
    if (time === undefined || time < since) low = sequence + 1;
    else high = sequence;
  }
  return low;
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
  return noteworthy(stores, now).map(({ partner, at, shards }) => ({ partner, at, shards }));
}

export interface ForeignDeletionsParts {
  readonly stores: Stores;
  readonly clock: Clock;
  readonly losses: Pick<ShardLosses, 'enter' | 'takeBack' | 'entered'>;
  readonly log: EventLog;
  readonly shardNameKey: Uint8Array;
}

/**
 * Notes what entries of a partner's ledger that we did not know say was deleted, of what we need. It counts as lost until it is taken back or made anew; one of them
 * may say itself that it was stored again.
 *
 * Inside the step that appends the entries: audits draw only from what our part of the ledger says is there, so nothing would find these shards missing later. What
 * is given is to be called once the step is durable.
 */
export function noteForeignDeletions(
  parts: ForeignDeletionsParts,
  partner: PeerId,
  entries: readonly Acknowledgement[],
): () => void {
  const { stores, losses, log, clock } = parts;
  const now = clock.now();
  const last = new Map(entries.map(({ name, action }) => [name, action]));
  const noted = new Map(noteworthy(stores, now).map((each) => [each.partner, each]));
  const before = noted.get(partner) ?? { partner, at: now, shards: 0, names: [] };
  const isDeleted = [...last.values()].includes('delete');
  if (!isDeleted && before.names.length === 0) return () => undefined;
  const names = new Set(before.names);
  const shardNames = new ShardNames(stores, parts.shardNameKey, partner);
  const lost: PlacedShard[] = [];
  const found: PlacedShard[] = [];
  for (const [name, action] of last) {
    if (action === 'put' && !names.delete(name)) continue;
    const shard = shardNames.find(name);
    if (shard === undefined) continue;
    if (action === 'put') {
      if (losses.takeBack(shard)) found.push(shard);
    } else if (losses.enter(shard)) {
      lost.push(shard);
      if (names.size < namesMaximum) names.add(name);
    }
  }
  if (isDeleted) spoilReserves(stores, partner, (name) => last.get(name) === 'delete');
  if (lost.length + found.length > 0) {
    const shards = Math.max(0, before.shards + lost.length - found.length);
    const at = lost.length > 0 ? now : before.at;
    noted.set(partner, { partner, at, shards, names: [...names] });
    putThere(stores, [...noted.values()]);
  }
  return () => {
    if (lost.length > 0) log.write('error', 'shards.deleted', { partner, shards: lost.length });
    losses.entered(lost);
    losses.entered(found, 'found');
  };
}

/** They are held again, or known to be gone. */
export function forgetForeignDeletions(stores: Stores, partner: PeerId, now: Instant): void {
  putThere(
    stores,
    noteworthy(stores, now).filter((each) => each.partner !== partner),
  );
}

/** `names`: of shards that count as lost for it, as many as are kept. */
type DeletionsThere = Deletions & { readonly names: readonly ShardName[] };

function noteworthy(stores: Stores, now: Instant): readonly DeletionsThere[] {
  return entriesOf(stores, thereFact)
    .map(([partner, at, shards, names]) => ({
      ...{ partner: idOf<PeerId>(partner as Uint8Array), at: instant(Number(at)) },
      ...{ shards: Number(shards), names: readNames(names) },
    }))
    .filter(({ at }) => Math.abs(now - at) < shownMs);
}

function readNames(joined: unknown): readonly ShardName[] {
  const bytes = (joined as Uint8Array | undefined) ?? new Uint8Array(0);
  const names: ShardName[] = [];
  for (let at = 0; at < bytes.length; at += shardNameBytes)
    names.push(idOf<ShardName>(bytes.slice(at, at + shardNameBytes)));
  return names;
}

function putThere(stores: Stores, deletions: readonly DeletionsThere[]): void {
  const value = deletions.map(({ partner, at, shards, names }) => [
    ...[bytesOf(partner), at, shards, concatBytes(names.map((name) => bytesOf(name)))],
  ]);
  stores.facts.put(thereFact, encodeCbor(value));
}

function tallies(stores: Stores): readonly Tally[] {
  return entriesOf(stores, hereFact).map(([owner, since, deleted, held, lookAt, noticedAt]) => ({
    owner: idOf<PeerId>(owner as Uint8Array),
    ...{ since: Number(since), deleted: Number(deleted), held: Number(held) },
    ...{ lookAt: Number(lookAt), noticedAt: Number(noticedAt) },
  }));
}

function putTallies(stores: Stores, all: readonly Tally[]): void {
  const value = all.map(({ owner, since, deleted, held, lookAt, noticedAt }) => [
    ...[bytesOf(owner), since, deleted, held, lookAt, noticedAt],
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
function heldCount(
  stores: Stores,
  owner: PeerId,
  counts: (place: LedgerPlace) => boolean = () => true,
): number {
  let count = 0;
  for (let after: Parameters<Stores['held']['page']>[1]; ; ) {
    const rows = stores.held.page(owner, after, pageRows);
    count += rows.filter(counts).length;
    const last = rows.at(-1);
    if (rows.length < pageRows || last === undefined) return count;
    after = last.name;
  }
}
