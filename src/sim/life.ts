/**
 * The life of one computer between a start and a crash.
 *
 * A crash cannot stop JavaScript that is under way, but it can take the world away from it: once the life is over no port does anything, no
 * promise of a port settles, and synchronous calls throw `Crashed`. What was made durable before stays.
 */

/** Unwinds the synchronous code of a computer that has crashed. Nothing outside the simulator throws it. */
export class Crashed extends Error {
  override readonly name = 'Crashed';
}

/** How calls end after the crash: `silent` ports never answer, `throwing` ones (synchronous) throw. */
export type DeadCall = 'silent' | 'throwing';

export class Life {
  #alive = true;
  readonly #ends: (() => void)[] = [];

  get alive(): boolean {
    return this.#alive;
  }

  end(): void {
    if (!this.#alive) return;
    this.#alive = false;
    for (const end of this.#ends) end();
  }

  /** Calls `work` when this life ends. */
  onEnd(work: () => void): void {
    this.#ends.push(work);
  }

  /** Throws `Crashed` when this life is over. */
  check(): void {
    if (!this.#alive) throw new Crashed('this computer has crashed');
  }

  /** Settles as `promise` does, unless the life ends first: then never. */
  guard<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      promise.then(
        (value) => {
          if (this.#alive) resolve(value);
        },
        (reason: unknown) => {
          if (this.#alive) reject(reason);
        },
      );
    });
  }

  /** `port` as this life sees it. */
  port<T extends object>(port: T, deadCall: DeadCall): T {
    return new Proxy(port, new PortGuard(this, deadCall));
  }
}

/** Stands between a program and a port, and between it and the objects that the port hands out. */
class PortGuard<T extends object> implements ProxyHandler<T> {
  readonly #life: Life;
  readonly #deadCall: DeadCall;
  readonly #roles = new Map<PropertyKey, object>();
  /** Methods of the port, as this life sees them. */
  readonly #methods = new Map<PropertyKey, { readonly of: Callable; readonly seen: Callable }>();

  constructor(life: Life, deadCall: DeadCall) {
    this.#life = life;
    this.#deadCall = deadCall;
  }

  get(target: T, name: string | symbol): unknown {
    const value: unknown = Reflect.get(target, name, target);
    if (isCallable(value)) return this.#method(target, name, value);
    if (isRole(value)) return this.#role(name, value);
    return value;
  }

  #method(target: T, name: PropertyKey, method: Callable): Callable {
    const known = this.#methods.get(name);
    if (known?.of === method) return known.seen;
    const seen = (...words: readonly unknown[]): unknown => this.#call(target, method, words);
    this.#methods.set(name, { of: method, seen });
    return seen;
  }

  #call(target: T, method: Callable, words: readonly unknown[]): unknown {
    if (!this.#life.alive) return this.#afterwards();
    return this.#result(Reflect.apply(method, target, words));
  }

  #afterwards(): unknown {
    if (this.#deadCall === 'throwing') this.#life.check();
    return new Promise(() => {});
  }

  #result(value: unknown): unknown {
    if (value instanceof Promise)
      return this.#life.guard(value).then((inner) => this.#inner(inner));
    return this.#inner(value);
  }

  #inner(value: unknown): unknown {
    return isAsyncIterable(value) ? guardedItems(this.#life, value) : value;
  }

  #role(name: PropertyKey, value: object): object {
    const known = this.#roles.get(name);
    if (known !== undefined) return known;
    const role = this.#life.port(value, this.#deadCall);
    this.#roles.set(name, role);
    return role;
  }
}

type Callable = (...words: readonly unknown[]) => unknown;

function isCallable(value: unknown): value is Callable {
  return typeof value === 'function';
}

/** A part of a port that has methods of its own, such as `stores.packs`; not data. */
function isRole(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return false;
  return !(value instanceof Map || value instanceof Set);
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

/** The same items; none once the life is over. */
function guardedItems(life: Life, items: AsyncIterable<unknown>): AsyncIterable<unknown> {
  return {
    [Symbol.asyncIterator]: (): AsyncIterator<unknown> => {
      const inner = items[Symbol.asyncIterator]();
      const guarded: AsyncIterator<unknown> = { next: () => life.guard(inner.next()) };
      if (inner.return !== undefined)
        guarded.return = (value) => life.guard(inner.return?.(value) ?? Promise.resolve(ended));
      return guarded;
    },
  };
}

const ended: IteratorResult<unknown> = { done: true, value: undefined };
