/**
 * The index packs that a manifest names, read back from partners: they describe all other packs (C14, C41).
 *
 * The manifest says who was to have their shards. Others may have some as well: spares that were sent since, and what partners brought back that had one
 * (docs/decisions/0013-spares-are-further-shards.md). They are not looked for while those that are named suffice; then all partners are asked what they hold.
 */

import { present } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import { hexText } from '../../base/bytes.ts';
import type { Outcome } from '../../base/outcome.ts';
import { type Instant, instant } from '../../base/units.ts';
import { stripeIdOf } from '../../core/erasure/layout.ts';
import { IndexReading, type PackRecord } from '../../core/manifest/index-segment.ts';
import type { PackDescriptor } from '../../core/manifest/pack-descriptor.ts';
import { frameKeyOf } from '../../core/packing/frame.ts';
import { chunkOf, type OpenedPack, openFrameIn, openPack } from '../../core/packing/pack-reader.ts';
import { ShardNamer } from '../../core/sealing/shard-name.ts';
import { indexCount } from '../../core/vocabulary/code.ts';
import { idOf, type PackId, type PeerId, type StripeId } from '../../core/vocabulary/ids.ts';
import type { PackRow } from '../../ports/stores.ts';
import { sha256 } from '../../primitives/hash.ts';
import type { PackReadFailure, PackSource } from '../restore/pack-source.ts';
import { prefixOf } from '../upkeep/stripe-history.ts';
import { TaskPool } from '../work/task-pool.ts';
import { type InventoryParts, inventoryOf } from './inventory-adoption.ts';
import { type CommitmentEnd, RecoverEnded, readableFrom } from './recover-ended.ts';

export interface IndexPacksParts extends InventoryParts {
  readonly source: PackSource;
  readonly commitmentEndsAt: CommitmentEnd;
  /** Asks partners that take this computer for a former one to renew, so that it is known when their commitment ends. */
  readonly renew: (signal: AbortSignal) => Promise<unknown>;
}

/** An index pack, and what it says of others. */
export interface ReadIndexPack {
  readonly own: PackRecord;
  readonly described: readonly PackRecord[];
}

/** Who has the shards of a stripe, by their indices. */
type Holders = ReadonlyMap<number, PeerId>;

const askedAtOnce = 8;
/** Nobody knows any more which pack came with which snapshot; so every snapshot counts as resting on all of them. */
const recoveredAt: Instant = instant(0);

export class IndexPacks {
  readonly #parts: IndexPacksParts;
  readonly #descriptors: readonly PackDescriptor[];
  readonly #signal: AbortSignal;
  /** By the beginning of the stripe id: which partners say that they hold which index. */
  #listed: Promise<ReadonlyMap<string, ReadonlyMap<number, readonly PeerId[]>>> | undefined;

  constructor(parts: IndexPacksParts, descriptors: readonly PackDescriptor[], signal: AbortSignal) {
    this.#parts = parts;
    this.#descriptors = descriptors;
    this.#signal = signal;
  }

  /** One after the other; throws `RecoverEnded` at the first that cannot be read. */
  async *read(): AsyncGenerator<ReadIndexPack> {
    for (const descriptor of this.#descriptors) yield await this.#read(descriptor);
  }

  async #read(descriptor: PackDescriptor): Promise<ReadIndexPack> {
    const { keys } = this.#parts;
    const bytes = await this.#bytesOf(descriptor);
    if (idOf<PackId>(sha256(bytes)) !== descriptor.pack)
      throw new RecoverEnded('recover.integrity', 'an index pack differs from its name');
    const pack = openPack(keys.packKey, bytes);
    if (!pack.ok) throw new RecoverEnded('recover.integrity', pack.error.code);
    const { header, contents } = pack.value;
    const own: PackRecord = { ...descriptor, kind: 'index', salt: header.salt, contents };
    return { own, described: this.#segments(bytes, pack.value) };
  }

  async #bytesOf(descriptor: PackDescriptor): Promise<Bytes> {
    const row = describedRow(descriptor, { kind: 'index', salt: new Uint8Array(32) });
    const named = new Map<number, PeerId>();
    descriptor.placement.forEach((partner, index) => {
      if (partner !== undefined) named.set(index, partner);
    });
    const first = await this.#readFrom(row, named);
    if (first.ok) return first.value;
    const found = await this.#withListed(descriptor, named);
    const read = found === undefined ? first : await this.#readFrom(row, found);
    if (read.ok) return read.value;
    const isWrong = read.error.code === 'pack.wrong-blocks';
    await this.#parts.renew(this.#signal);
    const holders = [...(found ?? named).values()];
    const from = readableFrom(holders, descriptor.code.dataShards, this.#parts.commitmentEndsAt);
    throw isWrong
      ? new RecoverEnded('recover.integrity', read.error.detail)
      : new RecoverEnded('recover.too-few-partners', read.error.detail, from);
  }

  #readFrom(row: PackRow, holders: Holders): Promise<Outcome<Bytes, PackReadFailure>> {
    const range = { offset: 0, length: row.lengthBytes };
    return this.#parts.source.readFromPartners(row, range, holders);
  }

  /** The same, with whoever else has shards; undefined when there is nobody else. Who is named and says that it has a shard keeps its place. */
  async #withListed(descriptor: PackDescriptor, named: Holders): Promise<Holders | undefined> {
    this.#listed ??= this.#askAll();
    const listed = (await this.#listed).get(prefixOf(stripeOf(descriptor))) ?? new Map();
    const holders = new Map(named);
    for (const [index, partners] of listed) {
      const before = named.get(index);
      const [other] = partners;
      if (before === undefined || !partners.includes(before)) holders.set(index, other);
    }
    const isSame = [...holders].every(([index, partner]) => named.get(index) === partner);
    if (isSame) return undefined;
    this.#parts.log.write('info', 'recover.reserves-asked', { pack: descriptor.pack });
    return holders;
  }

  /** What all partners list of the index packs, asked for once. */
  async #askAll(): Promise<ReadonlyMap<string, ReadonlyMap<number, readonly PeerId[]>>> {
    const { book } = this.#parts;
    const wanted = new Map(this.#descriptors.map((each) => [prefixOf(stripeOf(each)), each.code]));
    const found = new Map<string, Map<number, PeerId[]>>();
    const pool = new TaskPool(askedAtOnce);
    for (const agreement of book.all())
      await pool.start(async () => {
        const { partner } = agreement;
        const names = (await inventoryOf(this.#parts, agreement, this.#signal)) ?? [];
        const namer = new ShardNamer(this.#parts.keys.shardNameKey, partner);
        for (const name of names) {
          const { stripePrefix, index } = namer.read(name);
          const prefix = hexText(stripePrefix);
          const code = wanted.get(prefix);
          if (code === undefined || index >= indexCount(code)) continue;
          const stripe = found.get(prefix) ?? new Map<number, PeerId[]>();
          found.set(prefix, stripe.set(index, [...(stripe.get(index) ?? []), partner]));
        }
      });
    await pool.drain();
    return found;
  }

  #segments(bytes: Bytes, { header, contents }: OpenedPack): readonly PackRecord[] {
    const key = frameKeyOf(this.#parts.keys.packKey, header);
    const records: PackRecord[] = [];
    const reading = new IndexReading();
    for (let chunk = 0; chunk < contents.chunkLengths.length; chunk += 1) {
      const number = present(contents.chunkFrames[chunk], 'the frame of a chunk');
      const offset = present(contents.chunkOffsets[chunk], 'the place of a chunk');
      const length = present(contents.chunkLengths[chunk], 'the length of a chunk');
      const frame = openFrameIn(key, bytes, { contents, number });
      if (!frame.ok) throw new RecoverEnded('recover.integrity', frame.error.code);
      const bytesOfChunk = chunkOf(frame.value, { offset, length });
      const segment = bytesOfChunk && reading.add(bytesOfChunk);
      if (!segment?.ok)
        throw new RecoverEnded('recover.integrity', 'an index segment is not whole');
      records.push(...segment.value);
    }
    if (!reading.isWhole())
      throw new RecoverEnded('recover.integrity', 'an index pack ends midway');
    return records;
  }
}

function stripeOf({ pack, lengthBytes, code }: PackDescriptor): StripeId {
  return stripeIdOf({ packId: pack, packLength: lengthBytes, code });
}

/** A pack as the catalogue has it after a recovery: with partners, and nowhere else. */
export function describedRow(
  descriptor: PackDescriptor,
  { kind, salt }: Pick<PackRow, 'kind' | 'salt'>,
): PackRow {
  const { pack, suite, code, lengthBytes } = descriptor;
  return {
    ...{ pack, kind, suite, salt, lengthBytes, code },
    storedAt: recoveredAt,
    stripe: stripeOf(descriptor),
    indexed: false,
    spooled: false,
  };
}
