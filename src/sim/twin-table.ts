/** Tables of the store twin: maps whose changes can be taken back, so that a transaction that throws leaves no trace. */
import { assert, present } from '../base/assert.ts';

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

/** What stands for an index of the catalogue: rows are asked for by group, in an order. */
export interface TwinIndex<V> {
  /** All rows are one group when left out. */
  readonly groupOf?: (row: V) => string;
  /** As in `sortedBy`; no two rows of a group have the same keys. */
  readonly orderOf: (row: V) => readonly (string | number)[];
}

type SortKeys = readonly (string | number)[];

interface Group<V> {
  readonly rows: Map<string, V>;
  /** In order, kept so from the first time that somebody asks. Whoever has one sees nothing of later changes. */
  ordered: { readonly rows: readonly V[]; readonly keys: readonly SortKeys[] } | undefined;
}

/** A map with string keys. Values are never changed in place, so that a copy of the map is an image of the table. */
export class TwinTable<V> {
  readonly #journal: Journal;
  readonly #rows: Map<string, V>;
  readonly #index: TwinIndex<V> | undefined;
  readonly #groups = new Map<string, Group<V>>();

  constructor(
    journal: Journal,
    image: ReadonlyMap<string, V> | undefined,
    index: TwinIndex<V> | undefined = undefined,
  ) {
    this.#journal = journal;
    this.#rows = new Map(image);
    this.#index = index;
    for (const [key, row] of this.#rows) this.#enter(key, row);
  }

  /** The rows of a group in the order of the table's index. */
  inOrder(group = ''): readonly V[] {
    const found = this.#groups.get(group);
    if (found === undefined) return [];
    const { orderOf } = present(this.#index, 'a table whose rows are asked for in order');
    if (found.ordered === undefined) {
      const rows = sortedBy([...found.rows.values()], orderOf);
      found.ordered = { rows, keys: rows.map(orderOf) };
    }
    return found.ordered.rows;
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
    this.#put(key, value);
  }

  delete(key: string): void {
    const before = this.#rows.get(key);
    if (before === undefined) return;
    this.#journal.note(() => this.#restore(key, before));
    this.#remove(key);
  }

  image(): ReadonlyMap<string, V> {
    return new Map(this.#rows);
  }

  #restore(key: string, before: V | undefined): void {
    if (before === undefined) this.#remove(key);
    else this.#put(key, before);
  }

  #put(key: string, value: V): void {
    this.#leave(key);
    this.#rows.set(key, value);
    this.#enter(key, value);
  }

  #remove(key: string): void {
    this.#leave(key);
    this.#rows.delete(key);
  }

  #enter(key: string, row: V): void {
    if (this.#index === undefined) return;
    const name = this.#index.groupOf?.(row) ?? '';
    const group = this.#groups.get(name);
    if (group === undefined) {
      this.#groups.set(name, { rows: new Map([[key, row]]), ordered: undefined });
      return;
    }
    group.rows.set(key, row);
    if (group.ordered === undefined) return;
    const { rows, keys } = group.ordered;
    const own = this.#index.orderOf(row);
    const at = placeOf(own, keys);
    group.ordered = { rows: rows.toSpliced(at, 0, row), keys: keys.toSpliced(at, 0, own) };
  }

  #leave(key: string): void {
    const row = this.#rows.get(key);
    if (this.#index === undefined || row === undefined) return;
    const name = this.#index.groupOf?.(row) ?? '';
    const group = present(this.#groups.get(name), 'the group of a row');
    group.rows.delete(key);
    if (group.rows.size === 0) this.#groups.delete(name);
    if (group.ordered === undefined) return;
    const { rows, keys } = group.ordered;
    const at = rows.indexOf(row);
    group.ordered = { rows: rows.toSpliced(at, 1), keys: keys.toSpliced(at, 1) };
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
  if (rows.length < 2) return [...rows];
  const keyed = rows.map((row) => ({ row, keys: keysOf(row) }));
  keyed.sort((left, right) => compareKeys(left.keys, right.keys));
  return keyed.map(({ row }) => row);
}

/** Where something with these keys comes among those in order. */
function placeOf(own: SortKeys, keys: readonly SortKeys[]): number {
  let [from, to] = [0, keys.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (compareKeys(present(keys[middle], 'inside'), own) < 0) from = middle + 1;
    else to = middle;
  }
  return from;
}

function compareKeys(left: SortKeys, right: SortKeys): number {
  for (let position = 0; position < left.length; position += 1) {
    const leftKey = left[position] ?? 0;
    const rightKey = right[position] ?? leftKey;
    if (leftKey !== rightKey) return leftKey < rightKey ? -1 : 1;
  }
  return 0;
}
