/**
 * Asks partners whether this identity lives on elsewhere, also while there is nothing to send: a home that sits idle would not be told otherwise, for partners speak of
 * manifests only to whoever leaves one or asks for one.
 *
 * Each partner is asked once after the start, as soon as it can be reached; from then on one of them every period, in turn. A later life leaves its manifest with every
 * partner, so any of them will do; a manifest can be large, so not all of them are asked each time.
 */
import type { Instant } from '../../base/units.ts';
import type { OwnerKeys } from '../../core/sealing/keys.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { Stores } from '../../ports/stores.ts';
import { facts } from '../facts.ts';
import type { PartnerBook } from '../partners/partner-book.ts';
import { Backoff } from '../work/backoff.ts';
import type { Notifier } from '../work/notifier.ts';
import { settled } from '../work/settled.ts';
import { WorkLoop } from '../work/work-loop.ts';
import type { OwnSuccessor } from './own-successor.ts';

export interface SuccessorWatchParts {
  readonly keys: Pick<OwnerKeys, 'peerId'>;
  readonly stores: Stores;
  readonly clock: Clock;
  readonly log: EventLog;
  readonly book: Pick<PartnerBook, 'all' | 'reachable'>;
  readonly changes: Notifier;
  readonly successor: Pick<OwnSuccessor, 'look'>;
  /** Between two questions, once everybody was asked. */
  readonly periodMs: number;
}

const askedAtOnce = 4;

export class SuccessorWatch {
  readonly #parts: SuccessorWatchParts;
  readonly #backoff: Backoff;
  /** When partners answered last, since the start. */
  readonly #answeredAt = new Map<PeerId, Instant>();

  constructor(parts: SuccessorWatchParts) {
    this.#parts = parts;
    this.#backoff = new Backoff(parts.clock);
  }

  /** Works until `signal` aborts, as `WorkLoop.run` does. */
  run(signal: AbortSignal): Promise<void> {
    const loop = { ...this.#parts, backoff: this.#backoff };
    return new WorkLoop(loop, (until) => this.round(until)).run(signal);
  }

  /** Asks those whose turn it is; whether more are left to be asked now. */
  async round(signal: AbortSignal): Promise<boolean> {
    const { stores, keys, clock, successor } = this.#parts;
    // Nobody recovers what was never published; and while this home is being recovered it is the latest life itself.
    const isPublished = stores.manifests.newest(keys.peerId) !== undefined;
    if (!isPublished || facts.recovering(stores) || facts.successor(stores) !== undefined)
      return false;
    const due = this.#due().slice(0, askedAtOnce);
    const answers = await settled(
      due.map(async (partner) => {
        const answered = await successor.look(partner, signal);
        if (signal.aborted) return false;
        if (answered) this.#answeredAt.set(partner, clock.now());
        else this.#backoff.failed(partner);
        return answered;
      }),
    );
    return answers.some((answered) => answered);
  }

  /** Whoever was not asked since the start; else, when the period is over, the one that was asked first. */
  #due(): readonly PeerId[] {
    const { book, clock, periodMs } = this.#parts;
    const partners = book
      .all()
      .map(({ partner }) => partner)
      .filter((partner) => book.reachable(partner) !== false && !this.#backoff.waits(partner));
    const unasked = partners.filter((partner) => !this.#answeredAt.has(partner));
    if (unasked.length > 0) return unasked;
    const now = clock.now();
    const last = Math.max(...this.#answeredAt.values());
    // A clock that was set back makes nobody wait for days.
    if (Math.abs(now - last) < periodMs) return [];
    const at = (partner: PeerId): number => this.#answeredAt.get(partner) ?? 0;
    return partners.toSorted((left, right) => at(left) - at(right)).slice(0, 1);
  }
}
