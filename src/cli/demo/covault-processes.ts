/**
 * Runs covault's own command line as processes, as a person would type it, and ends every one of them again.
 *
 * Each process is known by its child handle; nothing is ever ended by name.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../../bin/covault.mjs', import.meta.url));
const loopback = '/ip4/127.0.0.1/tcp/0';
/** Of what a process says on standard error, this much is kept for a message. */
const errorCharacters = 4_000;

export type Answer = Readonly<Record<string, unknown>>;

export interface Command {
  readonly home: string;
  readonly argv: readonly string[];
  /** Exit codes that are no failure. */
  readonly expected?: readonly number[];
  readonly progress?: (progress: unknown) => void;
}

export interface Ran {
  readonly exit: number;
  readonly answer: Answer;
  readonly durationMs: number;
}

/** A computer that is up. */
export interface Daemon {
  readonly home: string;
  readonly peer: string;
  readonly processId: number;
  /** Ends it at once, as a power cut would. */
  kill(): Promise<void>;
}

/** Ends the demo: something did not go as it must. */
export class DemoFailed extends Error {
  override readonly name = 'DemoFailed';
}

export class CovaultProcesses {
  readonly #folder: string;
  readonly #signal: AbortSignal;
  readonly #running = new Set<ChildProcess>();
  readonly #endedByThemselves: string[] = [];
  #ending = false;

  /** Processes run in `folder`. */
  constructor(folder: string, signal: AbortSignal) {
    this.#folder = folder;
    this.#signal = signal;
  }

  /** Daemons that ended though nobody ended them. */
  get endedByThemselves(): readonly string[] {
    return this.#endedByThemselves;
  }

  /** Runs a command to its end. Throws `DemoFailed` when it does not end as expected. */
  async run({ home, argv, expected = [0], progress }: Command): Promise<Ran> {
    const startedAtMs = performance.now();
    const child = this.#start(['--home', home, '--json', ...argv]);
    const errors = errorsOf(child);
    const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
    let answer: Answer = {};
    for await (const line of linesOf(child)) {
      const value = parsed(line);
      if ('progress' in value) progress?.(value['progress']);
      else answer = value;
    }
    const [exit, signal] = await closed;
    this.#signal.throwIfAborted();
    if (exit === null || !expected.includes(exit))
      throw new DemoFailed(`\`covault ${argv[0]}\` ${endOf(exit, signal)}: ${why(answer, errors)}`);
    return { exit, answer, durationMs: performance.now() - startedAtMs };
  }

  /** Starts `covault up` on a free port of loopback, and waits until it is reachable. */
  async up(home: string): Promise<Daemon> {
    const child = this.#start(['--home', home, '--json', 'up', '--listen', loopback]);
    const errors = errorsOf(child);
    const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
    const lines = linesOf(child);
    const first = await lines[Symbol.asyncIterator]().next();
    this.#signal.throwIfAborted();
    const answer = first.done === true ? {} : parsed(first.value);
    const { peer } = answer;
    const processId = child.pid;
    if (typeof peer !== 'string' || processId === undefined)
      throw new DemoFailed(`\`covault up\` did not start: ${why(answer, errors)}`);
    let killed = false;
    const noteEnd = ([exit, signal]: [number | null, NodeJS.Signals | null]): void => {
      if (!killed && !this.#ending)
        this.#endedByThemselves.push(`${home} ${endOf(exit, signal)}: ${errors()}`);
    };
    closed.then(noteEnd, (problem) => this.#endedByThemselves.push(`${home}: ${problem}`));
    const kill = async (): Promise<void> => {
      killed = true;
      child.kill('SIGKILL');
      await closed;
    };
    return { home, peer, processId, kill };
  }

  /** Ends everything that still runs, and waits until it is gone. */
  async end(): Promise<void> {
    const gone = [...this.#running].map((child) => once(child, 'close'));
    this.endAtOnce();
    await Promise.all(gone);
  }

  /** The same without waiting, for the last moment of this process. */
  endAtOnce(): void {
    this.#ending = true;
    for (const child of this.#running) child.kill('SIGKILL');
  }

  #start(argv: readonly string[]): ChildProcess {
    this.#signal.throwIfAborted();
    if (this.#ending) throw new DemoFailed('the demo is over');
    const child = spawn(process.execPath, [program, ...argv], {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: this.#folder,
      env: ownEnvironment(),
    });
    this.#running.add(child);
    child.once('close', () => this.#running.delete(child));
    child.once('error', () => this.#running.delete(child));
    return child;
  }
}

/** The person's home and passphrase are no business of the demo's computers. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const { COVAULT_HOME: _home, COVAULT_PASSPHRASE: _passphrase, ...rest } = process.env;
  return rest;
}

function linesOf(child: ChildProcess): AsyncIterable<string> {
  if (child.stdout === null) throw new DemoFailed('a process without output');
  return createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY });
}

function errorsOf(child: ChildProcess): () => string {
  let text = '';
  child.stderr?.setEncoding('utf8').on('data', (part: string) => {
    text = (text + part).slice(-errorCharacters);
  });
  return () => text.trim();
}

function parsed(line: string): Answer {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Answer) : {};
  } catch {
    throw new DemoFailed(`a process answered what is not JSON: ${line.slice(0, 200)}`);
  }
}

function endOf(exit: number | null, signal: NodeJS.Signals | null): string {
  return exit === null ? `was ended by ${signal}` : `ended with ${exit}`;
}

function why(answer: Answer, errors: () => string): string {
  const { error } = answer as { readonly error?: { readonly [key: string]: unknown } };
  if (error === undefined) return errors();
  return [error['code'], error['message'], error['detail']].filter(Boolean).join(' ');
}
