/**
 * One connection to the catalogue: prepared statements at hand, transactions, and SQLite's errors turned into the two that the ports know.
 *
 * SQLite may end a transaction by itself when the disk is full or fails. The connection remembers that a statement of the running transaction failed, and
 * refuses the rest of it, so that no later statement is ever made durable alone.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { assert } from '../../base/assert.ts';
import { StorageBroken, StorageDamaged, StorageFull } from '../../ports/stores.ts';
import type { Row } from './values.ts';

/** Primary result codes of SQLite (https://www.sqlite.org/rescode.html). */
export const resultCodes = {
  ioError: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
} as const;

/** How long a statement waits for another process before it fails. */
const busyTimeoutMs = 10_000;
/** Page cache: enough for the hot part of a large catalogue. */
const cacheKibibytes = 16_384;

/** The primary result code of an error that SQLite gave, or undefined for any other error. */
export function resultCodeOf(problem: unknown): number | undefined {
  if (!(problem instanceof Error) || !('errcode' in problem)) return undefined;
  return typeof problem.errcode === 'number' ? problem.errcode & 0xff : undefined;
}

function asStorageProblem(problem: unknown): unknown {
  const code = resultCodeOf(problem);
  if (code === undefined || !(problem instanceof Error)) return problem;
  if (code === resultCodes.full) return new StorageFull(problem.message, { cause: problem });
  const damaged = code === resultCodes.corrupt || code === resultCodes.notADatabase;
  const Problem = damaged ? StorageDamaged : StorageBroken;
  return new Problem(problem.message, { cause: problem });
}

export class Connection {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #undone: (() => void)[] = [];
  #inTransaction = false;
  #spoilt: unknown;

  /** Throws what SQLite throws when the file is no database or cannot be opened. */
  constructor(path: string) {
    this.#database = new DatabaseSync(path, { timeout: busyTimeoutMs });
    try {
      this.#database.exec(`
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = FULL;
        PRAGMA foreign_keys = ON;
        PRAGMA cache_size = -${cacheKibibytes};
        PRAGMA journal_size_limit = 67108864;
      `);
    } catch (problem) {
      this.#database.close();
      throw problem;
    }
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  /** Calls `listener` whenever changes that it may have seen were taken back. */
  onUndone(listener: () => void): void {
    this.#undone.push(listener);
  }

  /** Runs statements without parameters. */
  execute(sql: string): void {
    this.#guarded(() => this.#database.exec(sql));
  }

  run(sql: string, ...values: SQLInputValue[]): void {
    this.#guarded(() => this.#statement(sql).run(...values));
  }

  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#guarded(() => this.#statement(sql).get(...values));
  }

  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#guarded(() => this.#statement(sql).all(...values));
  }

  /** Every row in turn, without holding all of them; no other statement of the same text may run meanwhile. */
  each(sql: string, take: (row: Row) => void): void {
    this.#guarded(() => {
      for (const row of this.#statement(sql).iterate()) take(row);
    });
  }

  /** All changes of `work` become durable together, or none does. Not nested. */
  transact<T>(work: () => T): T {
    assert(!this.#inTransaction, 'transactions are not nested');
    this.execute('BEGIN IMMEDIATE');
    this.#inTransaction = true;
    this.#spoilt = undefined;
    try {
      const result = work();
      assert(!isThenable(result), 'a transaction does its work at once');
      if (this.#spoilt !== undefined) throw this.#spoilt;
      this.execute('COMMIT');
      return result;
    } catch (problem) {
      this.#rollBack();
      throw problem;
    } finally {
      this.#inTransaction = false;
      this.#spoilt = undefined;
    }
  }

  /** Several statements as one: inside a transaction part of it, else a transaction of their own. */
  together(work: () => void): void {
    if (this.#inTransaction) work();
    else this.transact(work);
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #guarded<T>(call: () => T): T {
    if (this.#spoilt !== undefined) throw this.#spoilt;
    try {
      return call();
    } catch (problem) {
      const known = asStorageProblem(problem);
      if (this.#inTransaction && known !== problem) this.#spoilt = known;
      throw known;
    }
  }

  #rollBack(): void {
    try {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
    } finally {
      for (const listener of this.#undone) listener();
    }
  }
}

function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value;
}
