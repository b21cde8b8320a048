/** How much this computer passes on for each peer and day (UTC): a relay is a favour, and a favour has an end, whatever is restarted meanwhile. */
import type { Bytes } from '../../base/bytes.ts';
import { decodeCbor, encodeCbor } from '../../base/codec.ts';
import { dayMs, mebi } from '../../base/units.ts';
import { bytesOf, idBytes, idOf, type PeerId } from '../../core/vocabulary/ids.ts';
import { StorageFull } from '../../ports/stores.ts';

/** Where what was spent today outlives this process. */
export interface SpentMemory {
  read(): Bytes | undefined;
  write(spent: Bytes): void;
}

/** Written down after so much more was passed on: what a crash forgives. */
const savedEveryBytes: number = 8 * mebi;
const peersMaximum = 1_024;
const memoryMaximumBytes = 65_536;

export class RelayBudget {
  readonly #bytesPerDay: number;
  readonly #nowMs: () => number;
  readonly #memory: SpentMemory | undefined;
  readonly #spent = new Map<PeerId, number>();
  #unsavedBytes = 0;
  #day = -1;

  constructor(bytesPerDay: number, nowMs: () => number, memory?: SpentMemory) {
    this.#bytesPerDay = bytesPerDay;
    this.#nowMs = nowMs;
    this.#memory = memory;
    this.#remember(memory?.read());
  }

  /** Bytes of today that are left for the peer; 0 when it has had more than its share. */
  left(peer: PeerId): number {
    this.#turn();
    return Math.max(0, this.#bytesPerDay - (this.#spent.get(peer) ?? 0));
  }

  /** Whether the peer is still within its share after these bytes, which were passed on already. */
  spend(peer: PeerId, bytes: number): boolean {
    this.#turn();
    this.#spent.set(peer, (this.#spent.get(peer) ?? 0) + bytes);
    this.#unsavedBytes += bytes;
    const isWithin = this.left(peer) > 0;
    if (this.#unsavedBytes >= savedEveryBytes || !isWithin) this.save();
    return isWithin;
  }

  /** A catalogue without room is no reason to end a favour. */
  save(): void {
    if (this.#unsavedBytes === 0) return;
    const spent = [...this.#spent].map(([peer, bytes]) => [bytesOf(peer), bytes]);
    try {
      this.#memory?.write(encodeCbor([this.#day, spent.slice(0, peersMaximum)]));
      this.#unsavedBytes = 0;
    } catch (reason) {
      if (!(reason instanceof StorageFull)) throw reason;
    }
  }

  #remember(memory: Bytes | undefined): void {
    const decoded = memory === undefined ? undefined : decodeCbor(memory, memoryMaximumBytes);
    if (decoded?.ok !== true || !Array.isArray(decoded.value)) return;
    const [day, spent] = decoded.value;
    if (typeof day !== 'number' || !Array.isArray(spent)) return;
    this.#day = day;
    for (const entry of spent) {
      if (!Array.isArray(entry)) continue;
      const [peer, bytes] = entry;
      if (!(peer instanceof Uint8Array) || peer.length !== idBytes) continue;
      if (typeof bytes === 'number') this.#spent.set(idOf<PeerId>(peer), bytes);
    }
  }

  #turn(): void {
    const today = Math.floor(this.#nowMs() / dayMs);
    if (today === this.#day) return;
    this.#day = today;
    this.#spent.clear();
  }
}
