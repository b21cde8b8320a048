/** An expected failure is a value, not an exception; `E` is a closed union with a stable `code`. */

export type Outcome<T, E> = Succeeded<T> | Failed<E>;

export interface Succeeded<T> {
  readonly ok: true;
  readonly value: T;
}

export interface Failed<E> {
  readonly ok: false;
  readonly error: E;
}

export function succeeded<T>(value: T): Succeeded<T> {
  return { ok: true, value };
}

export function failed<E>(error: E): Failed<E> {
  return { ok: false, error };
}
