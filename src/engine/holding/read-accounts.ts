/**
 * Where accounts of what owners read are kept: in the catalogue, or in memory until the disk has room for them.
 *
 * A full disk must not stand between an owner and its data: the account goes on counting in memory, and is written as soon as that is possible. A restart before then
 * gives the owner at most what it had read since the disk was full.
 */
import type { Bytes } from '../../base/bytes.ts';
import { type FactStore, StorageFull } from '../../ports/stores.ts';

export class ReadAccounts {
  readonly #facts: FactStore;
  /** The newest of each account that there was no room for: as many as there are agreements at most. */
  readonly #owed = new Map<string, Bytes>();

  constructor(facts: FactStore) {
    this.#facts = facts;
  }

  get(name: string): Bytes | undefined {
    return this.#owed.get(name) ?? this.#facts.get(name);
  }

  put(name: string, value: Bytes): void {
    this.#owed.set(name, value);
    this.settle();
  }

  /** Writes what there was no room for. */
  settle(): void {
    for (const [name, value] of this.#owed) {
      if (!this.#isWritten(name, value)) return;
      this.#owed.delete(name);
    }
  }

  #isWritten(name: string, value: Bytes): boolean {
    try {
      this.#facts.put(name, value);
      return true;
    } catch (reason) {
      if (!(reason instanceof StorageFull)) throw reason;
      return false;
    }
  }
}
