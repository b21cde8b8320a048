/** A backup out to eight partners on this machine, each a process of its own, and back from them: time to complete, and restore over the network. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { megabytes, usageText } from './backup-bench.ts';
import { covaultCommand, covaultMain } from './backup-programs.ts';
import type { Findings } from './findings.ts';
import { measureProcess, usageOf } from './measured-process.ts';

export interface CircleBenchOptions {
  readonly tree: string;
  readonly treeText: string;
  readonly folder: string;
  readonly say: (line: string) => void;
}

const partnerCount = 8;
const lent = '8GB';
const startWithinMs = 20_000;

export async function benchCircle(options: CircleBenchOptions): Promise<Findings> {
  const folder = join(options.folder, 'circle');
  mkdirSync(folder, { recursive: true });
  const daemons: ChildProcess[] = [];
  try {
    return await measureCircle({ ...options, folder }, daemons);
  } finally {
    await Promise.all(daemons.map(ended));
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureCircle(
  { folder, tree, treeText, say }: CircleBenchOptions,
  daemons: ChildProcess[],
): Promise<Findings> {
  const owner = join(folder, 'owner');
  await makeHome(owner);
  // Nothing stays in the cache, so that a restore has to come from partners.
  await covaultSays(owner, ['config', 'set', 'cache.capBytes', '0']);
  const ownerDaemon = await startDaemon(owner, daemons);
  for (let number = 1; number <= partnerCount; number += 1) {
    const home = join(folder, `partner-${number}`);
    await makeHome(home);
    await startDaemon(home, daemons);
    const invited = await covaultSays(owner, ['invite', '--lend', lent]);
    await covaultSays(home, ['join', String(invited['code']), '--lend', lent]);
  }
  const before = daemons.map(({ pid }) => cpuOf(pid));
  const backup = ['backup', tree, '--wait', 'complete'];
  const { wallMs } = await measureProcess(covaultCommand(owner, backup));
  const spent = daemons.map(({ pid }, index) => cpuOf(pid) - (before[index] ?? 0));
  const peakBytes = usageOf(ownerDaemon.pid ?? 0)?.peakBytes ?? Number.NaN;
  const completed = { wallMs, cpuMs: spent[0] ?? Number.NaN, peakBytes };
  const partnersMs = spent.slice(1).reduce((sum, one) => sum + one, 0);
  say(`  complete at ${partnerCount} partners: ${usageText(completed)}`);
  await ended(ownerDaemon);
  const target = join(folder, 'restored');
  const restored = await measureProcess(
    covaultCommand(owner, ['restore', 'latest', '--target', target]),
  );
  say(`  restore from ${partnerCount} partners: ${usageText(restored)}`);
  const seconds = (ms: number): string => (ms / 1_000).toFixed(2);
  return {
    title: 'Eight partners',
    table: [
      ['what', 'wall, s', 'owner’s CPU, s', 'owner’s peak memory, MB'],
      ...(
        [
          ['first backup, complete at eight partners', completed],
          ['restore from them, nothing cached', restored],
        ] as const
      ).map(([what, usage]) => [
        what,
        seconds(usage.wallMs),
        seconds(usage.cpuMs),
        megabytes(usage.peakBytes),
      ]),
    ],
    notes: [
      `${treeText}; code 4+4; nine daemons share this machine’s processors and its disk, so this is an upper bound: the eight partners took ${seconds(partnersMs)} s of processor time for the backup.`,
    ],
    bars: [],
  };
}

async function makeHome(home: string): Promise<void> {
  await covaultSays(home, ['init', '--no-passphrase', '--lend', lent]);
}

/** The command's last line, as JSON. */
async function covaultSays(
  home: string,
  argv: readonly string[],
): Promise<Record<string, unknown>> {
  const { out } = await measureProcess(covaultCommand(home, argv));
  return JSON.parse(out.trim().split('\n').at(-1) ?? '{}');
}

async function startDaemon(home: string, daemons: ChildProcess[]): Promise<ChildProcess> {
  const argv = ['--home', home, '--json', 'up', '--listen', '/ip4/127.0.0.1/tcp/0'];
  const child = spawn(process.execPath, [covaultMain, ...argv], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'] ?? '', HOME: tmpdir() },
  });
  daemons.push(child);
  process.once('exit', () => child.kill('SIGKILL'));
  const signal = AbortSignal.timeout(startWithinMs);
  await once(createInterface({ input: child.stdout }), 'line', { signal });
  return child;
}

function cpuOf(pid: number | undefined): number {
  return pid === undefined ? Number.NaN : (usageOf(pid)?.cpuMs ?? Number.NaN);
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), startWithinMs);
  await exit;
  clearTimeout(late);
}
