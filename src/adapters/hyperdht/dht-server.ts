/**
 * Where other peers' streams arrive: known by key before anything is allocated for them, strangers at a bounded rate, then told apart by their first
 * message, for a stream carries either HTTP/2 or the wish to be relayed.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { minuteMs, secondMs } from '../../base/units.ts';
import { idOf, type PeerId } from '../../core/vocabulary/ids.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { CarrierListening } from '../http2/carrier.ts';
import { isHttp2Preface } from '../http2/preface.ts';
import { TokenBucket } from '../http2/token-bucket.ts';
import { BlindRelay } from './blind-relay.ts';
import type { DhtNetwork } from './dht-network.ts';
import type { HyperDht, SecretStream, Server } from './hyperdht-shapes.ts';
import type { RelayBudget } from './relay-budget.ts';
import { relayTopic } from './relay-search.ts';
import { type Repetition, repeat } from './repetition.ts';
import { StreamDuplex } from './stream-duplex.ts';
import { streamRoute } from './stream-route.ts';

export interface DhtServerOptions extends CarrierListening {
  readonly network: DhtNetwork;
  readonly relayBudget: RelayBudget | undefined;
  readonly log: EventLog;
}

const firstMessageMs: number = 5 * secondMs;
/** Nodes forget: one that was started anew knows nobody's key until it is told again. */
const refreshEveryMs: number = 1 * minuteMs;
const farewellMs = 250;
const unopenedMaximum = 64;
const strangerBurst = 40;
const strangersPerSecond = 4;
const handshakesRemembered = 1_024;

export class DhtServer {
  /** Resolves when others find this computer by its key. */
  readonly announced: Promise<void>;
  readonly #node: HyperDht;
  readonly #options: DhtServerOptions;
  readonly #server: Server;
  readonly #relay: BlindRelay | undefined;
  readonly #strangers: TokenBucket;
  /** Peers whose newest handshake named a relay. */
  readonly #throughRelay = new Set<PeerId>();
  readonly #refreshing: Repetition;
  #unopenedCount = 0;
  #isClosed = false;

  constructor(node: HyperDht, options: DhtServerOptions) {
    this.#node = node;
    this.#options = options;
    this.#strangers = new TokenBucket(strangerBurst, strangersPerSecond, performance.now());
    this.#relay = this.#openRelay();
    const firewall = (key: Buffer, { relayThrough }: { readonly relayThrough: unknown }): boolean =>
      !this.#isWelcome(idOf(key), relayThrough !== null);
    this.#server = node.createServer({ firewall }, (stream) => this.#receive(stream));
    this.announced = this.#announce();
    this.#refreshing = repeat(() => this.#refresh(), refreshEveryMs);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#relay?.close();
    // Good-byes go to nodes that may be gone; nobody waits for their answer.
    const farewell = Promise.all([this.#refreshing.stop(), this.#server.close()]);
    await Promise.race([farewell, sleep(farewellMs, undefined, { ref: false })]);
  }

  async #announce(): Promise<void> {
    try {
      await this.#server.listen(this.#options.network.keyPair);
    } catch (problem) {
      this.#options.log.write('warn', 'dht.failed', { detail: String(problem) });
    }
  }

  async #refresh(): Promise<void> {
    await this.announced;
    this.#server.refresh();
    // Only who is reached by everybody can relay between those who are not.
    if (this.#relay === undefined || this.#node.firewalled || this.#isClosed) return;
    const { keyPair } = this.#options.network;
    await this.#node.announce(Buffer.from(relayTopic), keyPair).finished();
  }

  #openRelay(): BlindRelay | undefined {
    const { relayBudget, standingOf, log } = this.#options;
    if (relayBudget === undefined) return undefined;
    return new BlindRelay({
      createStream: (options) => this.#node.createRawStream(options),
      isPartner: (peer) => standingOf(peer) === 'partner',
      budget: relayBudget,
      log,
    });
  }

  #isWelcome(peer: PeerId, namesRelay: boolean): boolean {
    const isPartner = this.#options.standingOf(peer) === 'partner';
    if (this.#isClosed || (!isPartner && !this.#strangers.take(performance.now()))) return false;
    if (this.#throughRelay.size >= handshakesRemembered) this.#throughRelay.clear();
    if (namesRelay) this.#throughRelay.add(peer);
    else this.#throughRelay.delete(peer);
    return true;
  }

  #receive(stream: SecretStream): void {
    stream.on('error', () => undefined);
    if (this.#isClosed || this.#unopenedCount >= unopenedMaximum) {
      stream.destroy();
      return;
    }
    this.#unopenedCount += 1;
    const impatience = setTimeout(() => stream.destroy(), firstMessageMs);
    const opened = (): void => {
      clearTimeout(impatience);
      stream.off('close', opened);
      this.#unopenedCount -= 1;
    };
    stream.on('close', opened);
    stream.once('data', (first: Uint8Array) => {
      stream.pause();
      opened();
      this.#tellApart(stream, first);
    });
  }

  #tellApart(stream: SecretStream, first: Uint8Array): void {
    const peer = idOf<PeerId>(stream.remotePublicKey);
    const node = this.#node;
    if (isHttp2Preface(first)) {
      const namedRelay = this.#throughRelay.has(peer);
      this.#options.admit({
        peer,
        duplex: new StreamDuplex(stream, first),
        remoteAddress: stream.rawStream?.remoteHost ?? undefined,
        get route() {
          return streamRoute(node, stream, namedRelay);
        },
      });
      return;
    }
    if (this.#relay === undefined) {
      stream.destroy();
      return;
    }
    stream.unshift(first);
    this.#relay.accept(peer, stream);
  }
}
