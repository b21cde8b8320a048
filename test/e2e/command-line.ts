/** Runs the command line as a process, as a person would, and gathers what it says. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const main = new URL('../../bin/covault.mjs', import.meta.url).pathname;

export interface Said {
  readonly exit: number | null;
  readonly out: string;
  readonly err: string;
  /** Last line of standard output, as JSON. */
  json(): Readonly<Record<string, unknown>>;
}

export interface Surroundings {
  readonly input?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly folder?: string;
  /** Runs as this user and group, which only root may ask for. */
  readonly user?: number | undefined;
  /** A command, with its arguments, that runs what follows in its own place. */
  readonly under?: readonly string[];
}

export function temporaryFolder(name: string): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), `covault-${name}-`));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export function start(
  argv: readonly string[],
  surroundings: Surroundings = {},
): ChildProcess & { readonly stdout: NodeJS.ReadableStream } {
  const [program = process.execPath, ...words] = [
    ...(surroundings.under ?? []),
    process.execPath,
    main,
    ...argv,
  ];
  const child = spawn(program, words, {
    stdio: ['pipe', 'pipe', 'pipe'],
    cwd: surroundings.folder ?? tmpdir(),
    env: { PATH: process.env['PATH'] ?? '', HOME: tmpdir(), ...surroundings.environment },
    ...(surroundings.user === undefined ? {} : { uid: surroundings.user, gid: surroundings.user }),
  });
  child.stdin.end(surroundings.input ?? '');
  return child;
}

export async function covault(
  argv: readonly string[],
  surroundings: Surroundings = {},
): Promise<Said> {
  const child = start(argv, surroundings);
  return gathered(child);
}

export async function gathered(child: ChildProcess): Promise<Said> {
  let out = '';
  let err = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const [exit] = (await once(child, 'close')) as [number | null];
  return { exit, out, err, json: () => JSON.parse(out.trim().split('\n').at(-1) ?? '') };
}

export interface Daemon {
  readonly started: Readonly<Record<string, unknown>>;
  readonly child: ChildProcess;
  /** Ends it and gives its exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** `covault up` on loopback, ready to be asked. */
export async function startDaemon(
  home: string,
  argv: readonly string[] = ['--listen', '/ip4/127.0.0.1/tcp/0'],
  surroundings: Surroundings = {},
): Promise<Daemon> {
  const child = start(['--home', home, '--json', 'up', ...argv], surroundings);
  const lines = createInterface({ input: child.stdout });
  const [line] = (await Promise.race([
    once(lines, 'line'),
    once(child, 'exit').then(() => ['{"error":"ended"}']),
  ])) as [string];
  return {
    started: JSON.parse(line),
    child,
    stop: async (signal = 'SIGTERM') => {
      const ended = once(child, 'exit');
      child.kill(signal);
      const [exit] = (await ended) as [number | null];
      return exit;
    },
  };
}
