/**
 * Where computers of a world find each other: the twin of `Discovery`.
 *
 * It knows what was announced to it, and answers after a while; who announced and crashed stays announced, as in a table of which nobody told it.
 */
import type { Bytes } from '../base/bytes.ts';
import { hexText } from '../base/bytes.ts';
import type { Prng } from '../base/prng.ts';
import type { PeerId } from '../core/vocabulary/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Discovery, PeerAddress } from '../ports/transport.ts';

/** An answer takes up to so long. */
const slowestMs = 500;

export class SimMeeting {
  readonly #clock: Clock;
  readonly #draws: Prng;
  readonly #topics = new Map<string, Map<PeerId, PeerAddress>>();
  #lookups = 0;
  readonly #advertised = new Map<PeerId, PeerAddress>();

  constructor(clock: Clock, draws: Prng) {
    this.#clock = clock;
    this.#draws = draws;
  }

  /** Lookups of all computers so far. */
  get lookups(): number {
    return this.#lookups;
  }

  /** One computer's way to the others. */
  discovery(): Discovery {
    return {
      advertise: async (self) => {
        this.#advertised.set(self.peer, self);
        return async () => {
          this.#advertised.delete(self.peer);
        };
      },
      locate: async (peer, signal) => {
        await this.#clock.sleep(this.#draws.between(1, slowestMs), signal);
        return this.#advertised.get(peer)?.addresses ?? [];
      },
      announce: async (topic, self) => {
        const present = this.#present(topic);
        present.set(self.peer, self);
        return async () => {
          present.delete(self.peer);
        };
      },
      lookup: async (topic, { limit, signal }) => {
        this.#lookups += 1;
        await this.#clock.sleep(this.#draws.between(1, slowestMs), signal);
        const present = [...this.#present(topic).values()];
        // Another one comes first each time, as with tables that are spread over many computers.
        const first = this.#draws.below(Math.max(1, present.length));
        return [...present.slice(first), ...present.slice(0, first)].slice(0, limit);
      },
    };
  }

  #present(topic: Bytes): Map<PeerId, PeerAddress> {
    const key = hexText(topic);
    const known = this.#topics.get(key);
    if (known !== undefined) return known;
    const fresh = new Map<PeerId, PeerAddress>();
    this.#topics.set(key, fresh);
    return fresh;
  }
}
