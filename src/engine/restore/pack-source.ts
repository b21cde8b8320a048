/**
 * Bytes of packs, from the spool when they lie there unharmed, otherwise from partners.
 *
 * Only the codewords that hold the wanted bytes are read; of codewords that hold few of them, only the elements that do.
 */
import { assert, present } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { type ErasureCode, erasureCodeOf } from '../../core/erasure/erasure-code.ts';
import { type ElementRange, rangesOf } from '../../core/erasure/layout.ts';
import { type Code, codeText } from '../../core/vocabulary/code.ts';
import type { PackId, PeerId } from '../../core/vocabulary/ids.ts';
import type { BlobRange } from '../../ports/blob-store.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { PackRow, ShardRow, Stores } from '../../ports/stores.ts';
import type { Kernels } from '../../primitives/kernels/kernels.ts';
import type { Spool } from '../backup/spool.ts';
import type { RestoreFailure } from '../computer.ts';
import type { PartnerPace } from '../partners/partner-pace.ts';
import type { ShardFetch } from './shard-fetch.ts';
import { type Stretch, type StretchFailure, StretchRead } from './stretch-read.ts';

export type PackReadFailure = {
  /** `pack.wrong-blocks`: enough partners answered, but not with what they were given. */
  readonly code: 'pack.unknown' | 'pack.too-few-partners' | 'pack.wrong-blocks';
  readonly detail: string;
};

/** What a restore ends with when a pack cannot be read. */
export function restoreFailureOf({ code, detail }: PackReadFailure): RestoreFailure {
  return {
    code: code === 'pack.wrong-blocks' ? 'restore.integrity' : 'restore.too-few-partners',
    detail,
  };
}

export interface PackSourceParts {
  readonly stores: Stores;
  readonly spool: Spool;
  readonly fetch: ShardFetch;
  readonly pace: PartnerPace;
  readonly clock: Clock;
  readonly kernels: Kernels;
  readonly log: EventLog;
  /** Whether restores may be made from a partner now; left out: from all. */
  readonly mayRead?: (partner: PeerId) => boolean;
  /** Nothing is taken from the spool, as if this computer were new. */
  readonly onlyPartners?: boolean;
}

interface StripeRead {
  readonly row: PackRow;
  readonly code: Code;
  readonly holders: ReadonlyMap<number, PeerId>;
}

type StretchOutcome = Outcome<ReadonlyMap<number, readonly Bytes[]>, PackReadFailure>;

/** Codewords read at once: about 16 MiB of data at k = 4. */
const stretchCodewords = 64;

export class PackSource {
  readonly #parts: PackSourceParts;
  readonly #codes = new Map<string, ErasureCode>();
  /** Packs of the spool that were compared with their names. */
  readonly #sound = new Map<PackId, Promise<boolean>>();
  /** Since this source was made. */
  decodedCodewords = 0;

  constructor(parts: PackSourceParts) {
    this.#parts = parts;
  }

  /** Bytes of a pack as they were coded. They are authenticated, but not yet opened. */
  async read(pack: PackId, range: BlobRange): Promise<Outcome<Bytes, PackReadFailure>> {
    const row = this.#parts.stores.packs.get(pack);
    if (row === undefined) return failed({ code: 'pack.unknown', detail: pack });
    assert(range.offset + range.length <= row.lengthBytes, 'a range lies inside its pack');
    const isHere = row.spooled && this.#parts.onlyPartners !== true;
    if (isHere && (await this.#isSound(pack))) {
      const local = await this.#parts.spool.read(pack, range);
      if (local !== undefined) return succeeded(local);
    }
    return await this.readFromPartners(row, range);
  }

  /** Whether a pack in the spool still has the bytes that its name says: a disk that forgot some must not hide what partners hold. */
  #isSound(pack: PackId): Promise<boolean> {
    const known = this.#sound.get(pack);
    if (known !== undefined) return known;
    const looked = this.#parts.spool.read(pack).then((bytes) => bytes !== undefined);
    this.#sound.set(pack, looked);
    return looked;
  }

  /** The same, never from the spool. `holders` when the catalogue does not know yet who has the shards. */
  async readFromPartners(
    row: PackRow,
    range: BlobRange,
    holders: ReadonlyMap<number, PeerId> = this.#holders(row.pack),
  ): Promise<Outcome<Bytes, PackReadFailure>> {
    if (row.code === undefined || row.stripe === undefined)
      return failed({ code: 'pack.unknown', detail: `${row.pack} was never sent out` });
    const output = new Uint8Array(range.length);
    const readable = this.#readable(holders);
    const pieces = placed(rangesOf(range.offset, range.length, row.code.dataShards));
    for (const stretch of stretchesOf(pieces)) {
      const read = await this.#readAny({ row, code: row.code, holders: readable }, stretch);
      if (!read.ok) return read;
      for (const { piece, at } of pieces) {
        const element = read.value.get(piece.shard)?.[piece.codeword - stretch.first];
        if (element !== undefined) output.set(element.subarray(piece.start, piece.end), at);
      }
    }
    return succeeded(output);
  }

  #holders(
    pack: PackId,
    isAsked = (phase: ShardRow['phase']): boolean => phase === 'held',
  ): ReadonlyMap<number, PeerId> {
    const holders = new Map<number, PeerId>();
    for (const shard of this.#parts.stores.shards.ofPack(pack))
      if (isAsked(shard.phase)) holders.set(shard.index, shard.partner);
    return holders;
  }

  /**
   * When those that should have it are too few, whoever was ever meant to have a shard is asked, for a wrong one has right blocks too, and whoever has one in
   * reserve.
   */
  async #readAny(stripeRead: StripeRead, stretch: Stretch): Promise<StretchOutcome> {
    const read = await this.#readStretch(stripeRead, stretch);
    if (read.ok) return read;
    const holders = this.#readable(this.#everyHolder(stripeRead.row));
    if (holders.size <= stripeRead.holders.size) return read;
    return await this.#readStretch({ ...stripeRead, holders }, stretch);
  }

  /** Of an index that two have, the one that counts is taken, if it may be right. */
  #everyHolder({ pack, stripe }: PackRow): ReadonlyMap<number, PeerId> {
    const { stores, fetch } = this.#parts;
    const reserves = new Map<number, PeerId>();
    for (const { partner, name, reserve } of stores.layouts.retiredOf(pack)) {
      const index = stripe && reserve ? fetch.indexOf(stripe, partner, name) : undefined;
      if (index !== undefined) reserves.set(index, partner);
    }
    return new Map([
      ...this.#holders(pack, (phase) => phase !== 'held'),
      ...reserves,
      ...this.#holders(pack),
    ]);
  }

  /** Partners in commitment are not asked (C30). */
  #readable(holders: ReadonlyMap<number, PeerId>): ReadonlyMap<number, PeerId> {
    const { mayRead } = this.#parts;
    return mayRead === undefined
      ? holders
      : new Map([...holders].filter(([, partner]) => mayRead(partner)));
  }

  async #readStretch(stripeRead: StripeRead, stretch: Stretch): Promise<StretchOutcome> {
    const { clock, pace, fetch } = this.#parts;
    const { row, code, holders } = stripeRead;
    const stripe = present(row.stripe, 'a coded pack has a stripe');
    const read = await new StretchRead(
      {
        clock,
        code: this.#codeOf(code),
        holders,
        rank: (partner) => pace.rank(partner),
        doubtful: (partner) => pace.doubtful(partner),
        hedgeMs: (partner, blocks) => pace.hedgeMs(partner, blocks),
        fetch: (index, wanted, signal) =>
          fetch.blocks(
            {
              ...{ pack: row.pack, suite: row.suite, stripe, index },
              partner: present(holders.get(index), 'a holder'),
            },
            wanted,
            signal,
          ),
      },
      stretch,
    ).run();
    if (!read.ok) return failed(tooFew(read.error, code));
    this.decodedCodewords += read.value.decodedCodewords;
    return succeeded(read.value.elements);
  }

  #codeOf(code: Code): ErasureCode {
    const key = `${code.id} ${codeText(code)}`;
    const known = this.#codes.get(key);
    if (known !== undefined) return known;
    const made = erasureCodeOf(code, this.#parts.kernels);
    this.#codes.set(key, made);
    return made;
  }
}

/** Those that sent wrong blocks were there: had they sent the right ones, it would have been enough, or not even then. */
function tooFew({ available, wrong }: StretchFailure, code: Code): PackReadFailure {
  const couldHave = available + wrong >= code.dataShards;
  const wrongText = wrong === 0 ? '' : `, ${wrong} with wrong blocks`;
  return {
    code: wrong > 0 && couldHave ? 'pack.wrong-blocks' : 'pack.too-few-partners',
    detail: `${available} of ${codeText(code)} shards answered right${wrongText}; ${code.dataShards} are needed`,
  };
}

/** A piece of an element, and where in the output its bytes go. */
interface PlacedPiece {
  readonly piece: ElementRange;
  readonly at: number;
}

function placed(ranges: readonly ElementRange[]): readonly PlacedPiece[] {
  let at = 0;
  return ranges.map((piece) => {
    const here = { piece, at };
    at += piece.end - piece.start;
    return here;
  });
}

function stretchesOf(pieces: readonly PlacedPiece[]): Stretch[] {
  const stretches: Stretch[] = [];
  let open: { first: number; last: number; wanted: Set<number> } | undefined;
  const close = (): void => {
    if (open === undefined) return;
    const { first, last, wanted } = open;
    stretches.push({ first, count: last - first + 1, wanted: [...wanted].sort((a, b) => a - b) });
  };
  for (const { piece } of pieces) {
    if (open === undefined || piece.codeword >= open.first + stretchCodewords) {
      close();
      open = { first: piece.codeword, last: piece.codeword, wanted: new Set() };
    }
    open.last = piece.codeword;
    open.wanted.add(piece.shard);
  }
  close();
  return stretches;
}
