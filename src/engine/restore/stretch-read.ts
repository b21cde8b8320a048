/**
 * Reads some codewords of a stripe from its partners: data shards first, others when those fail or are slow (C14, C41).
 *
 * Every block is checked by its tag on arrival. A wrong block counts against the partner that sent it and is worked around like a missing one. The
 * first k valid blocks of a codeword decide it, whoever they come from.
 */
import { present } from '../../base/assert.ts';
import { type Bytes, emptyBytes } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import type { ErasureCode } from '../../core/erasure/erasure-code.ts';
import { decodeElements } from '../../core/erasure/stripe.ts';
import { indexCount } from '../../core/vocabulary/code.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import type { Clock } from '../../ports/clock.ts';

/** Codewords `first` … `first + count − 1`, and which of their data elements are wanted. */
export interface Stretch {
  readonly first: number;
  readonly count: number;
  readonly wanted: readonly number[];
}

/** The payloads of a shard's blocks, `stretch.count` of them; undefined where a block was missing or wrong. */
export type ShardPayloads = readonly (Bytes | undefined)[];

export interface StretchPorts {
  readonly clock: Clock;
  readonly code: ErasureCode;
  /** Who holds each shard; a shard that nobody holds is missing. */
  readonly holders: ReadonlyMap<number, PeerId>;
  /** Lower is asked sooner, among shards that serve as well. */
  readonly rank: (partner: PeerId) => number;
  /** Whether the partner failed lately: others are asked in its place while there are any. */
  readonly doubtful: (partner: PeerId) => boolean;
  /** How long a partner may take for this many blocks before another is asked too. */
  readonly hedgeMs: (partner: PeerId, blocks: number) => number;
  /** Never rejects; an empty list when the partner gave nothing. */
  readonly fetch: (shard: number, stretch: Stretch, signal: AbortSignal) => Promise<ShardPayloads>;
}

export interface StretchResult {
  /** Wanted elements: `elements.get(shard)[codeword − first]`. */
  readonly elements: ReadonlyMap<number, readonly Bytes[]>;
  readonly decodedCodewords: number;
}

/** `available` shards gave something right; `wrong` shards came, but not all of them right. */
export type StretchFailure = {
  readonly code: 'stretch.too-few';
  readonly available: number;
  readonly wrong: number;
};

export class StretchRead {
  readonly #ports: StretchPorts;
  readonly #stretch: Stretch;
  /** Payloads that arrived, by shard. */
  readonly #arrived = new Map<number, ShardPayloads>();
  /** Shards that came with wrong blocks in them. */
  readonly #wrong = new Set<number>();
  readonly #underWay = new Map<number, Promise<void>>();
  readonly #asked = new Set<number>();
  readonly #cancel = new AbortController();

  constructor(ports: StretchPorts, stretch: Stretch) {
    this.#ports = ports;
    this.#stretch = stretch;
  }

  async run(): Promise<Outcome<StretchResult, StretchFailure>> {
    try {
      for (const shard of this.#stretch.wanted) if (this.#promising(shard)) this.#ask(shard);
      while (!this.#enough()) {
        const missing = this.#stillNeeded();
        for (const shard of this.#candidates().slice(0, missing)) this.#ask(shard);
        if (this.#underWay.size === 0) return failed(this.#tooFew(this.#arrived.size));
        if ((await this.#nextArrival()) === 'late') this.#hedge();
      }
      return this.#result();
    } finally {
      this.#cancel.abort();
    }
  }

  #promising(shard: number): boolean {
    const holder = this.#ports.holders.get(shard);
    return holder !== undefined && !this.#ports.doubtful(holder);
  }

  /** Whether each codeword has all wanted elements, or enough of any. */
  #enough(): boolean {
    const { wanted } = this.#stretch;
    return this.#everyCodeword(
      (has) => has.size >= this.#dataShards || wanted.every((shard) => has.has(shard)),
    );
  }

  /**
   * How many shards more must be asked, so that what arrived and what is under way can be enough. Nothing, as long as all wanted ones still
   * can come.
   */
  #stillNeeded(): number {
    let needed = 0;
    this.#everyCodeword((has) => {
      const hope = (shard: number): boolean => has.has(shard) || this.#underWay.has(shard);
      if (!this.#stretch.wanted.every(hope)) {
        const coming = [...this.#underWay.keys()].filter((shard) => !has.has(shard)).length;
        needed = Math.max(needed, this.#dataShards - has.size - coming);
      }
      return true;
    });
    return needed;
  }

  /** Somebody is late: one more shard is asked for each that is under way, as far as there are any. */
  #hedge(): void {
    for (const shard of this.#candidates().slice(0, this.#underWay.size)) this.#ask(shard);
  }

  #candidates(): number[] {
    const { holders, code, rank } = this.#ports;
    const shards = [...holders.keys()]
      .filter((shard) => shard < indexCount(code.code) && !this.#asked.has(shard))
      .sort((left, right) => left - right);
    const rankOf = (shard: number): number => rank(present(holders.get(shard), 'a holder'));
    return shards.sort((left, right) => rankOf(left) - rankOf(right));
  }

  #ask(shard: number): void {
    this.#asked.add(shard);
    const fetched = this.#ports
      .fetch(shard, this.#stretch, this.#cancel.signal)
      .then((payloads) => {
        this.#underWay.delete(shard);
        if (payloads.some((payload) => payload !== undefined)) this.#arrived.set(shard, payloads);
        if (payloads.includes(undefined)) this.#wrong.add(shard);
      });
    this.#underWay.set(shard, fetched);
  }

  async #nextArrival(): Promise<'arrived' | 'late'> {
    const { clock, holders, hedgeMs } = this.#ports;
    const patience = new AbortController();
    const waits = [...this.#underWay.keys()].map((shard) =>
      hedgeMs(present(holders.get(shard), 'a holder'), this.#stretch.count),
    );
    const late = clock.sleep(Math.max(...waits), patience.signal).then((): 'late' => 'late');
    const arrived = Promise.race(this.#underWay.values()).then((): 'arrived' => 'arrived');
    const first = await Promise.race([arrived, late]);
    patience.abort();
    return first;
  }

  #result(): Outcome<StretchResult, StretchFailure> {
    const elements = new Map<number, Bytes[]>(this.#stretch.wanted.map((shard) => [shard, []]));
    let decodedCodewords = 0;
    for (let index = 0; index < this.#stretch.count; index += 1) {
      const payloads = this.#payloadsOf(index);
      const missing = this.#stretch.wanted.filter((shard) => !payloads.has(shard));
      if (missing.length > 0) {
        const decoded = decodeElements(this.#ports.code, payloads, missing);
        if (!decoded.ok) return failed(this.#tooFew(payloads.size));
        for (const [shard, element] of decoded.value) payloads.set(shard, element);
        decodedCodewords += 1;
      }
      for (const [shard, list] of elements) list.push(payloads.get(shard) ?? emptyBytes);
    }
    return succeeded({ elements, decodedCodewords });
  }

  #tooFew(available: number): StretchFailure {
    return { code: 'stretch.too-few', available, wrong: this.#wrong.size };
  }

  #payloadsOf(index: number): Map<number, Bytes> {
    const payloads = new Map<number, Bytes>();
    for (const [shard, blocks] of this.#arrived) {
      const payload = blocks[index];
      if (payload !== undefined) payloads.set(shard, payload);
    }
    return payloads;
  }

  #everyCodeword(test: (has: ReadonlyMap<number, Bytes>) => boolean): boolean {
    for (let index = 0; index < this.#stretch.count; index += 1)
      if (!test(this.#payloadsOf(index))) return false;
    return true;
  }

  get #dataShards(): number {
    return this.#ports.code.code.dataShards;
  }
}
