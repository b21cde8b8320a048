/** Tables of the store twin: maps whose changes can be taken back, so that a transaction that throws leaves no trace. */
import { assert } from '../base/assert.ts';

/** `before`: throwing takes the change back, as a crash just before it became durable. `after`: the change stays whatever happens. */
export type CommitMoment = 'before' | 'after';

/** Called around every durable step; `label` names it (`packs.add`, `transact`). */
export type CommitHook = (label: string, moment: CommitMoment) => void;

/** What was changed since the last durable step, in reverse. */
export class Journal {
  readonly #onCommit: CommitHook | undefined;
  #undo: (() => void)[] = [];
  #inTransaction = false;

  constructor(onCommit: CommitHook | undefined) {
    this.#onCommit = onCommit;
  }

  get inTransaction(): boolean {
    return this.#inTransaction;
  }

  note(undo: () => void): void {
    this.#undo.push(undo);
  }

  /** One call of a store: durable by itself, or part of the transaction around it. */
  change(label: string, work: () => void): void {
    if (this.#inTransaction) work();
    else this.transact(label, work);
  }

  transact<T>(label: string, work: () => T): T {
    assert(!this.#inTransaction, 'transactions are not nested');
    this.#inTransaction = true;
    let result: T;
    try {
      result = work();
      assert(!isThenable(result), 'a transaction does its work at once');
      this.#onCommit?.(label, 'before');
    } catch (problem) {
      for (const undo of this.#undo.reverse()) undo();
      throw problem;
    } finally {
      this.#undo = [];
      this.#inTransaction = false;
    }
    this.#onCommit?.(label, 'after');
    return result;
  }
}

/** A map with string keys. Values are never changed in place, so that a copy of the map is an image of the table. */
export class TwinTable<V> {
  readonly #journal: Journal;
  readonly #rows: Map<string, V>;

  constructor(journal: Journal, image: ReadonlyMap<string, V> | undefined) {
    this.#journal = journal;
    this.#rows = new Map(image);
  }

  get(key: string): V | undefined {
    return this.#rows.get(key);
  }

  has(key: string): boolean {
    return this.#rows.has(key);
  }

  get size(): number {
    return this.#rows.size;
  }

  values(): V[] {
    return [...this.#rows.values()];
  }

  keys(): string[] {
    return [...this.#rows.keys()];
  }

  set(key: string, value: V): void {
    const before = this.#rows.get(key);
    this.#journal.note(() => this.#restore(key, before));
    this.#rows.set(key, value);
  }

  delete(key: string): void {
    const before = this.#rows.get(key);
    if (before === undefined) return;
    this.#journal.note(() => this.#restore(key, before));
    this.#rows.delete(key);
  }

  image(): ReadonlyMap<string, V> {
    return new Map(this.#rows);
  }

  #restore(key: string, before: V | undefined): void {
    if (before === undefined) this.#rows.delete(key);
    else this.#rows.set(key, before);
  }
}

/** A row whose byte arrays are its own, so that neither side of a store sees the other's later changes. */
export function ownRow<T extends object>(row: T): T {
  const copy = { ...row };
  for (const key of Object.keys(copy)) {
    const value: unknown = Reflect.get(copy, key);
    if (typeof value === 'object' && value !== null) Reflect.set(copy, key, ownValue(value));
  }
  return copy;
}

/** A row that was stored by `ownRow`, for those who only read. Its byte arrays are the store's: copying what is read a thousand times takes most of a large run. */
export function shownRow<T extends object>(row: T | undefined): T | undefined {
  return row === undefined ? undefined : { ...row };
}

function ownValue(value: unknown): unknown {
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (value instanceof Uint32Array) return new Uint32Array(value);
  if (Array.isArray(value)) return [...value];
  return value;
}

function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value;
}

/** Sorts as SQLite does: by each key in turn, numbers by value, hexadecimal text as the bytes it stands for. */
export function sortedBy<T>(
  rows: readonly T[],
  keysOf: (row: T) => readonly (string | number)[],
): T[] {
  return [...rows].sort((left, right) => {
    const leftKeys = keysOf(left);
    const rightKeys = keysOf(right);
    for (const [position, leftKey] of leftKeys.entries()) {
      const rightKey = rightKeys[position] ?? leftKey;
      if (leftKey !== rightKey) return leftKey < rightKey ? -1 : 1;
    }
    return 0;
  });
}
