/**
 * Whom a drill asks: others each time, drawn by chance, so that partners that hold the shards which restores hardly ever need are tried as well, and decoding is.
 */
import type { PeerId } from '../../core/vocabulary/ids.ts';
import type { Random } from '../../ports/random.ts';
import { PartnerPace } from '../partners/partner-pace.ts';
import { drawnUnit } from '../work/jitter.ts';

export class DrillPace extends PartnerPace {
  readonly #random: Random;
  readonly #lots = new Map<PeerId, number>();

  constructor(random: Random) {
    super();
    this.#random = random;
  }

  /** Draws anew; about half of these are asked only where the others are not enough. */
  preferOthers(partners: readonly PeerId[]): void {
    this.#lots.clear();
    for (const partner of partners) this.#lots.set(partner, drawnUnit(this.#random));
  }

  override rank(partner: PeerId): number {
    return super.rank(partner) + 1e5 * this.#lot(partner);
  }

  override doubtful(partner: PeerId): boolean {
    return this.#lot(partner) >= 0.5 || super.doubtful(partner);
  }

  #lot(partner: PeerId): number {
    return this.#lots.get(partner) ?? 0;
  }
}
