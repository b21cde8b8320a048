/**
 * A computer at work from its start to its stop: what listens, the loops that go on meanwhile, and the runs that a stop waits for.
 *
 * A home whose identity lives on elsewhere does not begin, and ends by itself as soon as it is known: then nothing is served any more, and no loop goes on.
 */
import type { PeerId } from '../core/vocabulary/ids.ts';
import type { PeerStanding } from '../ports/transport.ts';
import type { ComputerParts } from './computer-parts.ts';
import { facts } from './facts.ts';

export class Serving {
  readonly #parts: ComputerParts;
  readonly #stopping = new AbortController();
  #loops: readonly Promise<void>[] = [];
  readonly #runs = new Set<Promise<unknown>>();
  #swept: Promise<void> = Promise.resolve();

  constructor(parts: ComputerParts) {
    this.#parts = parts;
  }

  /** Aborted by `stop`. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Resolves when the spool was swept of what an earlier process left half done. */
  get swept(): Promise<void> {
    return this.#swept;
  }

  /** `sweeps`: nobody writes to the spool yet. */
  async start({ sweeps }: { readonly sweeps: boolean }): Promise<void> {
    const { ports, spool, service, superseded, loops } = this.#parts;
    if (sweeps) this.#swept = spool.sweep();
    await this.#swept;
    if (facts.successor(ports.stores) !== undefined) return;
    this.#parts.listening = await ports.transport.serve(
      (request) => service.answer(request),
      (peer) => this.#standingOf(peer),
    );
    const working = AbortSignal.any([this.#stopping.signal, superseded.signal]);
    superseded.signal.addEventListener('abort', () => this.#retire(), { once: true });
    this.#loops = loops.map((loop) => loop.run(working));
    const { broke } = ports;
    if (broke !== undefined) for (const loop of this.#loops) loop.catch(broke);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#parts.changes.notify();
    await Promise.allSettled([...this.#loops, ...this.#runs]);
    await this.#parts.listening?.close();
    await this.#parts.ports.transport.close();
  }

  /** A run that `stop` waits for, under a signal that it aborts. */
  async tracked<T>(caller: AbortSignal, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const running = run(AbortSignal.any([caller, this.#stopping.signal]));
    this.#runs.add(running);
    try {
      return await running;
    } finally {
      this.#runs.delete(running);
    }
  }

  /** Nobody is served any more in the name of an identity that lives on elsewhere. */
  #retire(): void {
    const { listening } = this.#parts;
    this.#parts.listening = undefined;
    if (listening !== undefined) this.#runs.add(listening.close());
  }

  /** A former partner that takes back what it stored here is no stranger yet. */
  #standingOf(peer: PeerId): PeerStanding {
    const { book, partners } = this.#parts;
    return partners.keeper.kept(peer) === undefined ? book.standingOf(peer) : 'partner';
  }
}
