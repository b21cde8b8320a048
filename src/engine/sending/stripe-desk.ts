/**
 * Sealed shards of packs on their way, in bounded memory.
 *
 * A pack is coded once for all partners that want it soon. Partners go on at their own speed: a pack whose remaining shards nobody fetched for a while
 * gives its place to the next one, and those who were behind get their shards coded again, one at a time.
 */
import { assert } from '../../base/assert.ts';
import { linkedAbort } from '../../base/linked-abort.ts';
import { secondMs } from '../../base/units.ts';
import type { Code } from '../../core/vocabulary/code.ts';
import type { PackId, PeerId } from '../../core/vocabulary/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { PackRow, ShardRow } from '../../ports/stores.ts';
import type { SealedShard, StripeCoder } from '../../ports/stripe-coder.ts';
import type { Spool } from '../backup/spool.ts';
import { Notifier } from '../work/notifier.ts';
import { Lane } from './lane.ts';

/** Packs whose shards are kept for all their partners: each takes about three times its size in memory. */
const packsAtOnce = 3;
/** A pack keeps its place for so long without a shard of it arriving anywhere, when another one is wanted. */
const patienceMs: number = 10 * secondMs;
/** Shards under way beside those of the packs above, one for each partner that is behind. */
const looseMaximum = 24;

export interface ShardWanted {
  readonly row: PackRow;
  readonly code: Code;
  readonly partner: PeerId;
  /** All shards of the pack that can be sent now, that of `partner` among them. */
  readonly due: readonly ShardRow[];
}

interface Stripe {
  readonly id: PackRow['stripe'];
  readonly coded: Promise<boolean>;
  /** Not fetched yet. */
  readonly shards: Map<PeerId, SealedShard>;
  readonly sending: Set<PeerId>;
  changedAt: number | undefined;
}

export interface StripeDeskParts {
  readonly coder: StripeCoder;
  readonly spool: Spool;
  readonly clock: Clock;
}

export class StripeDesk {
  readonly #parts: StripeDeskParts;
  readonly #stripes = new Map<PackId, Stripe>();
  readonly #behind = new Set<PeerId>();
  readonly #loose = new Set<PeerId>();
  readonly #freed = new Notifier();
  readonly #alone = new Lane();

  constructor(parts: StripeDeskParts) {
    this.#parts = parts;
  }

  /** The shard for a partner, which has no other under way; undefined when the pack cannot be read, or `signal` aborted. `done` must follow. */
  async take(wanted: ShardWanted, signal: AbortSignal): Promise<SealedShard | undefined> {
    const { row, partner } = wanted;
    while (!signal.aborted) {
      const stripe = this.#stripeOf(row);
      if (stripe !== undefined) {
        if (!(await stripe.coded)) return undefined;
        const shard = stripe.shards.get(partner);
        if (shard !== undefined) {
          stripe.shards.delete(partner);
          stripe.sending.add(partner);
          return shard;
        }
      }
      if (stripe !== undefined || this.#behind.has(partner)) {
        if (this.#loose.size < looseMaximum) return await this.#codeAlone(wanted, signal);
      } else if (this.#stripes.size < packsAtOnce || this.#makeRoom()) {
        this.#open(wanted);
        continue;
      }
      await this.#change(signal);
    }
    return undefined;
  }

  /** The shard is not under way any more, whatever became of it. */
  done(pack: PackId, partner: PeerId): void {
    this.#loose.delete(partner);
    const stripe = this.#stripes.get(pack);
    if (stripe?.sending.delete(partner)) {
      stripe.changedAt = this.#parts.clock.now();
      this.#closeIfEmpty(pack, stripe);
    }
    this.#freed.notify();
  }

  /** Nothing more goes to the partner at present: what is ready for it is let go. */
  leave(partner: PeerId): void {
    this.#behind.delete(partner);
    for (const [pack, stripe] of this.#stripes)
      if (stripe.shards.delete(partner)) this.#closeIfEmpty(pack, stripe);
    this.#freed.notify();
  }

  /** What is kept of a pack that was laid out anew since is of no use: those shards have other names. */
  #stripeOf(row: PackRow): Stripe | undefined {
    const stripe = this.#stripes.get(row.pack);
    if (stripe === undefined || stripe.id === row.stripe) return stripe;
    this.#putAside(row.pack, stripe);
    return undefined;
  }

  /** Shards that are under way go on. */
  #putAside(pack: PackId, stripe: Stripe): void {
    this.#close(pack, stripe);
    for (const partner of stripe.sending) this.#loose.add(partner);
  }

  #close(pack: PackId, stripe: Stripe): void {
    if (this.#stripes.get(pack) === stripe) this.#stripes.delete(pack);
  }

  #open({ row, code, due }: ShardWanted): void {
    const shards = new Map<PeerId, SealedShard>();
    const together = due.filter(({ partner }) => !this.#behind.has(partner));
    const coded = this.#code(row, code, together).then(
      (sealed) => {
        for (const shard of sealed ?? []) shards.set(shard.partner, shard);
        stripe.changedAt = this.#parts.clock.now();
        if (sealed === undefined) this.#close(row.pack, stripe);
        this.#freed.notify();
        return sealed !== undefined;
      },
      (reason: unknown) => {
        this.#close(row.pack, stripe);
        this.#freed.notify();
        throw reason;
      },
    );
    // Whoever wants a shard of it hears of a failure.
    coded.catch(() => undefined);
    const stripe: Stripe = {
      id: row.stripe,
      coded,
      shards,
      sending: new Set(),
      changedAt: undefined,
    };
    this.#stripes.set(row.pack, stripe);
  }

  async #code(
    row: PackRow,
    code: Code,
    due: readonly ShardRow[],
  ): Promise<readonly SealedShard[] | undefined> {
    const { spool, coder } = this.#parts;
    const bytes = await spool.read(row.pack);
    if (bytes === undefined) return undefined;
    return await coder.code({ pack: row.pack, suite: row.suite, bytes }, code, due);
  }

  async #codeAlone(
    { row, code, partner, due }: ShardWanted,
    signal: AbortSignal,
  ): Promise<SealedShard | undefined> {
    assert(!this.#loose.has(partner), 'a partner takes one shard at a time');
    this.#loose.add(partner);
    const own = due.filter((shard) => shard.partner === partner);
    const sealed = await this.#alone.run(async () =>
      signal.aborted ? undefined : await this.#code(row, code, own),
    );
    return sealed?.[0];
  }

  /** Takes its place from the pack that waited longest, if any waited long enough; those that it waited for are behind. */
  #makeRoom(): boolean {
    const [oldest] = [...this.#stripes].sort(
      ([, left], [, right]) => this.#leftMs(left) - this.#leftMs(right),
    );
    if (oldest === undefined) return false;
    const [pack, stripe] = oldest;
    if (this.#leftMs(stripe) > 0) return false;
    if (this.#loose.size + stripe.sending.size > looseMaximum) return false;
    this.#putAside(pack, stripe);
    for (const partner of [...stripe.sending, ...stripe.shards.keys()]) this.#behind.add(partner);
    return true;
  }

  #leftMs({ changedAt }: Stripe): number {
    if (changedAt === undefined) return patienceMs;
    const now = this.#parts.clock.now();
    // A clock that was set back must not make it wait for days.
    return now < changedAt ? 0 : changedAt + patienceMs - now;
  }

  async #change(signal: AbortSignal): Promise<void> {
    const least = Math.min(...[...this.#stripes.values()].map((stripe) => this.#leftMs(stripe)));
    const waiting = linkedAbort(signal);
    const sleepMs = Math.min(patienceMs, Math.max(secondMs, least));
    const slept = this.#parts.clock.sleep(sleepMs, waiting.signal);
    await Promise.race([this.#freed.changed(waiting.signal), slept]);
    waiting.abort();
  }

  #closeIfEmpty(pack: PackId, stripe: Stripe): void {
    const { shards, sending, changedAt } = stripe;
    if (changedAt === undefined || shards.size > 0 || sending.size > 0) return;
    this.#close(pack, stripe);
  }
}
