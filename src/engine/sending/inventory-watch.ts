/**
 * Asks partners that did not answer during a recovery what they hold, again and again until they tell (C14).
 *
 * Until then nothing counts as held there. Which partners these are stands in the catalogue, so a restart forgets none of them.
 */
import type { PeerId } from '../../core/vocabulary/ids.ts';
import { facts } from '../facts.ts';
import { askInventories, type InventoryParts } from '../recovery/inventory-adoption.ts';
import { Backoff } from '../work/backoff.ts';
import type { Notifier } from '../work/notifier.ts';
import { WorkLoop } from '../work/work-loop.ts';

export interface InventoryWatchParts extends InventoryParts {
  readonly changes: Notifier;
}

export class InventoryWatch {
  readonly #parts: InventoryWatchParts;
  readonly #backoff: Backoff;

  constructor(parts: InventoryWatchParts) {
    this.#parts = parts;
    this.#backoff = new Backoff(parts.clock);
  }

  /** Works until `signal` aborts, as `WorkLoop.run` does. */
  run(signal: AbortSignal): Promise<void> {
    const loop = { ...this.#parts, backoff: this.#backoff };
    return new WorkLoop(loop, (until) => this.round(until)).run(signal);
  }

  cameBack(partner: PeerId): void {
    this.#backoff.cleared(partner);
  }

  /** Asks those once that are not waited for; whether any told. */
  async round(signal: AbortSignal): Promise<boolean> {
    const { stores, book, changes } = this.#parts;
    const unconfirmed = facts.unconfirmed(stores);
    const agreements =
      unconfirmed.length === 0
        ? []
        : book
            .all()
            .filter(
              ({ partner }) => unconfirmed.includes(partner) && !this.#backoff.waits(partner),
            );
    if (agreements.length === 0) return false;
    const silent = await askInventories(this.#parts, { agreements, isLate: true, signal });
    if (!signal.aborted) for (const partner of silent) this.#backoff.failed(partner);
    const asked = new Set(agreements.map(({ partner }) => partner));
    const left = unconfirmed.filter((peer) => !asked.has(peer) || silent.includes(peer));
    if (left.length === unconfirmed.length) return false;
    facts.setUnconfirmed(stores, left);
    changes.notify();
    return true;
  }
}
