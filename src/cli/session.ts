/**
 * One command at work: calls operations of the daemon when one runs on the home, and of a computer opened in this process otherwise.
 *
 * Nothing heavy is loaded before it is needed, so that a command which the daemon answers starts at once.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Outcome, succeeded } from '../base/outcome.ts';
import { socketStands } from '../daemon/api-socket.ts';
import type { DaemonAnswer, DaemonCall } from '../daemon/local-api-client.ts';
import type { OperationFailure } from '../daemon/operation-failure.ts';
import type {
  DataOf,
  InputOf,
  OperationName,
  ProgressOf,
  ResultOf,
} from '../daemon/operations/registry.ts';
import type { RunningComputer } from '../daemon/running-computer.ts';
import { isConfirmed } from './confirmation.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { messages } from './messages.ts';
import type { Output } from './output.ts';
import { type PassphraseOptions, readPassphrase } from './passphrase.ts';
import { printableText } from './text-escape.ts';

export interface GlobalOptions extends PassphraseOptions {
  /** Absolute path. */
  readonly home: string;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly yes: boolean;
}

export interface CallHandlers<Name extends OperationName> {
  readonly progress?: (progress: ProgressOf<Name>) => void;
  readonly data?: (data: DataOf<Name>) => Promise<void> | void;
}

export interface OpenChoices {
  /** Bytes a second; for this command alone. */
  readonly uploadLimit?: number | undefined;
}

const startingMs = 3_000;
const askAgainMs = 200;

export class Session {
  readonly options: GlobalOptions;
  readonly output: Output;
  readonly signal: AbortSignal;
  #running: RunningComputer | undefined;
  #byDaemon = false;

  constructor(options: GlobalOptions, output: Output, signal: AbortSignal) {
    this.options = options;
    this.output = output;
    this.signal = signal;
  }

  /** Whether the last call was answered by a daemon. */
  get byDaemon(): boolean {
    return this.#byDaemon;
  }

  async call<Name extends OperationName>(
    name: Name,
    input: InputOf<Name>,
    handlers: CallHandlers<Name> = {},
  ): Promise<Outcome<ResultOf<Name>, OperationFailure>> {
    const listener = {
      signal: this.signal,
      progress: (value: unknown) => handlers.progress?.(value as ProgressOf<Name>),
      send: async (value: unknown) => handlers.data?.(value as DataOf<Name>),
    };
    const ask = async (): Promise<Outcome<ResultOf<Name>, OperationFailure> | undefined> => {
      const { home } = this.options;
      const answer = await askDaemon({ home, name, input, ...listener });
      if (answer.daemon !== 'answered') return undefined;
      this.#byDaemon = true;
      return answer.outcome as Outcome<ResultOf<Name>, OperationFailure>;
    };
    const told = this.#running === undefined ? await ask() : undefined;
    if (told !== undefined) return told;
    let running = await this.open({});
    // A daemon that is starting has the home before it answers.
    const untilMs = performance.now() + startingMs;
    while (!running.ok && running.error.code === 'home.in-use' && performance.now() < untilMs) {
      await sleep(askAgainMs, undefined, { signal: this.signal }).catch(() => undefined);
      if (this.signal.aborted) break;
      const later = await ask();
      if (later !== undefined) return later;
      running = await this.open({});
    }
    if (!running.ok) return running;
    const { runOperation } = await import('../daemon/operation-run.ts');
    const outcome = await runOperation(running.value, { name, input }, listener);
    return outcome as Outcome<ResultOf<Name>, OperationFailure>;
  }

  /** Whether a daemon answers on the home. */
  async daemonRuns(): Promise<boolean> {
    const answer = await askDaemon({
      home: this.options.home,
      name: 'hello',
      input: {},
      signal: this.signal,
      progress: () => undefined,
      send: async () => undefined,
    });
    return answer.daemon === 'answered';
  }

  /** Opens the home in this process; calls go to it from then on. */
  async open(choices: OpenChoices): Promise<Outcome<RunningComputer, OperationFailure>> {
    if (this.#running !== undefined) return succeeded(this.#running);
    const { openComputer } = await import('../daemon/composition.ts');
    const opened = await openComputer({
      home: this.options.home,
      passphrase: () => readPassphrase(this.options),
      daemon: false,
      uploadLimit: choices.uploadLimit,
    });
    if (opened.ok) this.#running = opened.value;
    return opened;
  }

  async close(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.close();
  }

  /** Tells a person or a script what failed, and gives the exit code. */
  fail(problem: OperationFailure): ExitCode {
    const { exit, happened, meaning, advice } = messages[problem.code] ?? unknownMessage;
    this.output.clearBar();
    this.output.value({
      error: { code: problem.code, message: happened, meaning, advice, detail: problem.detail },
    });
    const detail = problem.detail === '' ? '' : `\n  (${printableText(problem.detail)})`;
    this.output.warn(`${happened}${detail}\n${meaning}\n${advice}`);
    return exit;
  }

  /** Whether whoever sits at the terminal says yes. */
  confirmed(question: string): Promise<boolean> {
    this.output.clearBar();
    const { stdin: input, stderr: output } = process;
    return isConfirmed(question, { input, output, signal: this.signal });
  }

  /** Somebody thought better of it. */
  declined(): ExitCode {
    this.output.warn('Nothing was changed.');
    return exitCodes.failed;
  }

  /** A mistake in what was typed. */
  misused(explanation: string): ExitCode {
    this.output.value({ error: { code: 'usage', message: explanation } });
    this.output.warn(explanation);
    return exitCodes.usage;
  }
}

/** A daemon of a newer version may fail in ways that this one has no words for. */
const unknownMessage = messages['operation.internal'];

/** Where no socket is, there is no daemon, and nothing needs to be loaded to find that out. */
async function askDaemon(call: DaemonCall): Promise<DaemonAnswer> {
  if (!socketStands(call.home)) return { daemon: 'none' };
  const { callDaemon } = await import('../daemon/local-api-client.ts');
  return callDaemon(call);
}
