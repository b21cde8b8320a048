/**
 * A whole process, measured: wall time, processor time of itself and its children, and the most memory it had.
 *
 * GNU time accounts exactly; where it is not installed, /proc is asked every few milliseconds, which misses the last of them.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Usage {
  readonly wallMs: number;
  /** User and system time together. */
  readonly cpuMs: number;
  readonly peakBytes: number;
}

export interface MeasuredRun extends Usage {
  readonly out: string;
}

export interface Command {
  readonly file: string;
  readonly argv: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly folder?: string;
}

const timePath = '/usr/bin/time';
const pollMs = 20;
const ticksPerSecond = 100;
const longestMs = 300_000;
let runCount = 0;

/** Runs the command to its end; throws what it said when it does not end well. */
export async function measureProcess(command: Command): Promise<MeasuredRun> {
  return existsSync(timePath) ? byGnuTime(command) : byPolling(command);
}

async function byGnuTime(command: Command): Promise<MeasuredRun> {
  runCount += 1;
  const file = join(tmpdir(), `covault-bench-time-${process.pid}-${runCount}`);
  const argv = ['-o', file, '-f', '%U %S %M', command.file, ...command.argv];
  try {
    const { wallMs, out } = await run({ ...command, file: timePath, argv });
    const [user = 0, system = 0, peak = 0] = readFileSync(file, 'utf8')
      .trim()
      .split(' ')
      .map(Number);
    return { wallMs, cpuMs: (user + system) * 1_000, peakBytes: peak * 1_024, out };
  } finally {
    rmSync(file, { force: true });
  }
}

async function byPolling(command: Command): Promise<MeasuredRun> {
  let usage: Omit<Usage, 'wallMs'> = { cpuMs: Number.NaN, peakBytes: Number.NaN };
  const { wallMs, out } = await run(command, (pid) => {
    usage = usageOf(pid) ?? usage;
  });
  return { wallMs, ...usage, out };
}

/** Of a running process, by /proc; undefined where there is none. */
export function usageOf(pid: number): Omit<Usage, 'wallMs'> | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + field, 0);
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const peak = Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? Number.NaN);
    return { cpuMs: (ticks / ticksPerSecond) * 1_000, peakBytes: peak * 1_024 };
  } catch {
    return undefined;
  }
}

async function run(
  { file, argv, environment, folder }: Command,
  poll?: (pid: number) => void,
): Promise<{ readonly wallMs: number; readonly out: string }> {
  const startedMs = performance.now();
  const child = spawn(file, [...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] ?? '', HOME: tmpdir(), ...environment },
    cwd: folder ?? tmpdir(),
    // A group of its own, so that nothing of it is left behind, whoever ends first.
    detached: true,
  });
  const end = (): void => endGroup(child);
  process.once('exit', end);
  const late = setTimeout(end, longestMs);
  const polling = poll === undefined ? undefined : setInterval(() => poll(child.pid ?? 0), pollMs);
  try {
    const { exit, out, said } = await gather(child);
    const wallMs = performance.now() - startedMs;
    if (exit !== 0)
      throw new Error(`${file} ${argv.join(' ')} ended with ${exit}:\n${said.slice(-2_000)}`);
    return { wallMs, out };
  } finally {
    clearInterval(polling);
    clearTimeout(late);
    process.off('exit', end);
  }
}

/** Ends a process and its children that still run. */
function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

async function gather(
  child: ChildProcess,
): Promise<{ readonly exit: number | null; readonly out: string; readonly said: string }> {
  let out = '';
  let said = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    said += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const [exit] = (await once(child, 'close')) as [number | null];
  return { exit, out, said };
}
