/**
 * An abort of our own that also follows others, for as long as it is needed.
 *
 * `AbortSignal.any` stays registered at its sources until those are collected, which a signal that lives as long as the process never is: every
 * call would leave something behind. This one is let go of.
 */
export interface LinkedAbort {
  readonly signal: AbortSignal;
  abort(): void;
  /** Follows nobody from here on. */
  release(): void;
}

/** The reason of all of them: the platform would make one for each, with a trace of the stack, and that takes long. */
const over = new Error('aborted');

export function linkedAbort(...followed: readonly AbortSignal[]): LinkedAbort {
  const own = new AbortController();
  const release = (): void => {
    for (const each of followed) each.removeEventListener('abort', abort);
  };
  const abort = (): void => {
    release();
    own.abort(over);
  };
  if (followed.some(({ aborted }) => aborted)) own.abort(over);
  else for (const each of followed) each.addEventListener('abort', abort);
  return { signal: own.signal, abort, release };
}
