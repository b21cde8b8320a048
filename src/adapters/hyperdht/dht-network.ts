/**
 * This computer's place in the DHT: joined when there is somebody to join through, or when others can join through this one.
 *
 * Private by default: it knows only the nodes of peers. hyperdht's own bootstrap nodes are given to it in one case, that a person chose the public
 * network. Nothing here is waited for by start-up; whoever needs the node asks whether it is there.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import HyperDHT from 'hyperdht';
import { minuteMs, secondMs } from '../../base/units.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { HyperDht, KeyPair, NodeOptions, UdpAddress } from './hyperdht-shapes.ts';
import { certainAddress, isLoopback, isNumeric, isSame, udpAddresses } from './udp-addresses.ts';

export type DhtMode = 'private' | 'public';

export interface DhtOptions {
  /** 32 bytes; the Ed25519 private key of the peer, which is its key here too. */
  readonly identitySeed: Uint8Array;
  readonly mode: DhtMode;
  /** Multiaddrs of peers to join through, besides those that this computer hears of. */
  readonly bootstrap: readonly string[];
  /** Multiaddrs at which a person says this computer is reached. */
  readonly announced: readonly string[];
  /** This process stays: others may join through it. A command that is soon gone would leave them with a dead node. */
  readonly staying: boolean;
  readonly log: EventLog;
}

export interface DhtState {
  /** `inert`: nobody to join through is known; `translated`: behind a NAT; `reachable`: others join through this computer. */
  readonly phase: 'inert' | 'translated' | 'reachable';
  readonly nodeCount: number;
}

/** What is kept for others: entries of each kind, and how long. */
const keptEntries = 4_096;
const keptMs: number = 20 * minuteMs;
/** So many further ports let a peer tell what kind of NAT it is behind when this computer is the only one it knows (RFC 4787 §4.1: the mapping of four endpoints). */
const witnessCount = 3;
const bootstrapMaximum = 16;
const askAgainMs: number = 1 * minuteMs;
const closeMs: number = 2 * secondMs;
const askedMaximum = 1_024;
/** hyperdht holds back for 20 s between its birthday attacks on symmetric NATs; a private network has few peers and more patience with them. */
const randomPunchIntervalMs = 5_000;

export class DhtNetwork {
  readonly keyPair: KeyPair;
  readonly #options: DhtOptions;
  readonly #usesLoopback: boolean;
  #bootstrap: readonly UdpAddress[];
  #listening: readonly string[] | undefined;
  #node: HyperDht | undefined;
  #witnesses: readonly HyperDht[] = [];
  /** Asks for ways into the network, before there is a node. */
  #scout: HyperDht | undefined;
  readonly #asked = new Map<string, number>();
  #isWanted = false;
  #isClosed = false;
  readonly #onJoined = new Set<(node: HyperDht) => void>();

  constructor(options: DhtOptions) {
    this.#options = options;
    this.keyPair = HyperDHT.keyPair(options.identitySeed);
    // On loopback everybody reaches everybody: only tests of this network want it there.
    this.#usesLoopback = udpAddresses(options.bootstrap).some(isLoopback);
    this.#bootstrap = udpAddresses(options.bootstrap).slice(0, bootstrapMaximum);
  }

  get state(): DhtState {
    const node = this.#node;
    if (node === undefined) return { phase: 'inert', nodeCount: 0 };
    const phase = node.firewalled ? 'translated' : 'reachable';
    return { phase, nodeCount: node.toArray().length };
  }

  /** The node, started now when that is possible; undefined when this computer knows no way into the network. */
  node(): HyperDht | undefined {
    this.#isWanted = true;
    if (this.#node === undefined && !this.#isClosed) this.#node = this.#start();
    return this.#node;
  }

  /** Calls back once, now or when there is a node. */
  whenJoined(listener: (node: HyperDht) => void): void {
    const node = this.node();
    if (node === undefined) this.#onJoined.add(listener);
    else listener(node);
  }

  /** From here on others may join through this computer, where they reach it. */
  open(listening: readonly string[]): void {
    this.#listening = listening;
    this.node();
  }

  /**
   * Addresses of a peer, which may be a way into the network. They are asked first: many are out of date or lie in other private networks, and every silent node
   * holds the first questions up for seconds.
   */
  hearOf(addresses: readonly string[]): void {
    if (this.#isClosed || this.#bootstrap.length >= bootstrapMaximum) return;
    const nowMs = performance.now();
    for (const one of udpAddresses(addresses)) {
      const key = `${one.host}:${one.port}`;
      if (!isNumeric(one) || (isLoopback(one) && !this.#usesLoopback)) continue;
      if (nowMs - (this.#asked.get(key) ?? Number.NEGATIVE_INFINITY) < askAgainMs) continue;
      if (this.#bootstrap.some((known) => isSame(known, one))) continue;
      if (this.#asked.size >= askedMaximum) this.#asked.clear();
      this.#asked.set(key, nowMs);
      void this.#ask(one);
    }
  }

  async #ask(one: UdpAddress): Promise<void> {
    this.#scout ??= this.#openScout();
    try {
      await (this.#node ?? this.#scout).ping(one);
    } catch {
      return;
    }
    if (this.#isClosed || this.#bootstrap.some((known) => isSame(known, one))) return;
    this.#bootstrap = [...this.#bootstrap, one];
    if (this.#node !== undefined) {
      this.#node.bootstrapNodes.push(one);
      this.#node.refresh();
    } else if (this.#isWanted) this.node();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#onJoined.clear();
    const all = [this.#node, this.#scout, ...this.#witnesses];
    const closed = Promise.allSettled(all.map((node) => node?.destroy({ force: true })));
    // A stream that does not end is no reason to stay.
    await Promise.race([closed, sleep(closeMs, undefined, { ref: false })]);
  }

  #start(): HyperDht | undefined {
    const { mode, announced, log } = this.#options;
    const own = this.#ownAddress(announced);
    const others = this.#bootstrap.filter((one) => own === undefined || !isSame(one, own));
    if (mode === 'private' && others.length === 0 && own === undefined) return undefined;
    const node = own === undefined ? this.#follower(others) : this.#opener(own, others);
    const isOpener = own !== undefined;
    log.write('debug', 'dht.started', { mode, reachable: isOpener, bootstrap: others.length });
    for (const listener of this.#onJoined) queueMicrotask(() => listener(node));
    this.#onJoined.clear();
    return node;
  }

  #ownAddress(announced: readonly string[]): UdpAddress | undefined {
    if (this.#listening === undefined || !this.#options.staying) return undefined;
    const loopback = this.#usesLoopback
      ? udpAddresses(this.#listening).find(isLoopback)
      : undefined;
    return loopback ?? certainAddress(this.#listening, announced);
  }

  #commonOptions(others: readonly UdpAddress[]): NodeOptions {
    const isPublic = this.#options.mode === 'public';
    return {
      // Left out, hyperdht takes its own; given, even empty, it takes no other.
      bootstrap: isPublic ? undefined : others,
      keyPair: this.keyPair,
      host: this.#usesLoopback ? '127.0.0.1' : '0.0.0.0',
      maxSize: keptEntries,
      maxAge: keptMs,
      randomPunchInterval: randomPunchIntervalMs,
    };
  }

  /** Finds out by itself whether others reach it, and serves them if so. */
  #follower(others: readonly UdpAddress[]): HyperDht {
    const [tcp] = udpAddresses(this.#listening ?? []);
    const isPlaced = tcp !== undefined && this.#options.staying;
    const place = isPlaced ? { port: tcp.port, ephemeral: false } : {};
    return this.#watched(new HyperDHT({ ...this.#commonOptions(others), ...place }));
  }

  #openScout(): HyperDht {
    return this.#watched(
      new HyperDHT({ ...this.#commonOptions([]), bootstrap: [], ephemeral: true }),
    );
  }

  #opener(own: UdpAddress, others: readonly UdpAddress[]): HyperDht {
    const options = { ...this.#commonOptions(others), ephemeral: false, firewalled: false };
    const node = HyperDHT.bootstrapper(own.port, own.host, { ...options, port: own.port });
    if (!isLoopback(own)) this.#witnesses = this.#openWitnesses(own);
    return this.#watched(node);
  }

  #openWitnesses(own: UdpAddress): readonly HyperDht[] {
    return Array.from({ length: witnessCount }, (_, index) => {
      const port = own.port + 1 + index;
      const keyPair = HyperDHT.keyPair(randomBytes(32));
      const options = { ...this.#commonOptions([own]), keyPair, bootstrap: [own] };
      const rights = { ephemeral: false, firewalled: false, port };
      return this.#watched(HyperDHT.bootstrapper(port, own.host, { ...options, ...rights }));
    });
  }

  /** A port that is taken, or a network that is down, must not end the process. */
  #watched(node: HyperDht): HyperDht {
    const { log } = this.#options;
    const onTrouble = (problem: Error): void =>
      log.write('warn', 'dht.failed', { detail: problem.message });
    node.on('error', onTrouble);
    node.fullyBootstrapped().catch(onTrouble);
    return node;
  }
}
