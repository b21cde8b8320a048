/**
 * Measures covault beside its yardsticks, in one run: kernels against ISA-L, the transport against `node:tls`, backup and restore against restic and
 * borg. Prints what it finds; `--write` puts it into docs/benchmarks.md.
 *
 *   npm run bench                                  everything, at most ten minutes
 *   npm run bench -- --quick                       a small tree, at most two minutes
 *   npm run bench -- --only kernels,backup         parts: kernels, transport, audits, backup, circle, many
 *   npm run bench -- --rounds 5 --write
 *   npm run bench -- --large                       also a million files (`many`)
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type GeneratedTreeShape, growTree, largeShape } from '../src/cli/demo/generated-tree.ts';
import { benchAudits } from './bench/audit-bench.ts';
import { benchBackup } from './bench/backup-bench.ts';
import { benchCircle } from './bench/circle-bench.ts';
import { barsMarkdown, type Findings, markdownOf, skipped } from './bench/findings.ts';
import { benchKernels } from './bench/kernel-bench.ts';
import { benchManyFiles } from './bench/many-files-bench.ts';
import { machineText, writePage } from './bench/results-page.ts';
import { benchTransport } from './bench/transport-bench.ts';
import { withUsage } from './script-options.ts';

const quickShape: GeneratedTreeShape = { seed: 1, fileCount: 6_400, totalBytes: 100_000_000 };
const partNames = ['kernels', 'transport', 'audits', 'backup', 'circle', 'many'] as const;
type Part = (typeof partNames)[number];

const { values } = withUsage(import.meta.filename, () =>
  parseArgs({
    options: {
      only: { type: 'string' },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      large: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
    },
  }),
);
const { quick } = values;
const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
/** After this much of the run no further round of backups begins. */
const roundsUntilMs = (quick ? 40 : 270) * 1_000;

function say(line: string): void {
  console.log(line);
}

function chosenParts(): readonly Part[] {
  if (values.only !== undefined) {
    const asked = values.only.split(',');
    const unknown = asked.filter((name) => !partNames.some((part) => part === name));
    if (unknown.length > 0) throw new Error(`no such part: ${unknown.join(', ')}`);
    return partNames.filter((part) => asked.includes(part));
  }
  return partNames.filter((part) => part !== 'many' || values.large);
}

interface Surroundings {
  readonly folder: string;
  /** The tree, grown when it is first asked for. */
  readonly tree: () => { readonly tree: string; readonly treeText: string };
}

const parts: Readonly<Record<Part, (surroundings: Surroundings) => Findings | Promise<Findings>>> =
  {
    kernels: ({ folder }) =>
      benchKernels({ rounds: rounds ?? (quick ? 3 : 7), milliseconds: quick ? 50 : 150, folder }),
    transport: () => benchTransport(quick ? 128 : 512, rounds ?? (quick ? 3 : 7)),
    audits: ({ folder }) => benchAudits({ folder, quick, say }),
    backup: ({ folder, tree }) =>
      benchBackup({
        rounds: rounds ?? (quick ? 2 : 5),
        deadlineMs: roundsUntilMs,
        folder,
        ...tree(),
        say,
      }),
    circle: ({ folder, tree }) => benchCircle({ folder, ...tree(), say }),
    many: ({ folder }) => benchManyFiles({ folder, fileCount: quick ? 50_000 : 1_000_000, say }),
  };

function treeGrownIn(folder: string): Surroundings['tree'] {
  let grown: ReturnType<Surroundings['tree']> | undefined;
  return () => {
    if (grown !== undefined) return grown;
    const tree = join(folder, 'tree');
    say('growing the tree …');
    const { fileCount, totalBytes } = growTree(tree, quick ? quickShape : largeShape);
    // Its pages are not to be written out while something is measured.
    execFileSync('sync');
    const treeText = `A generated tree of ${fileCount.toLocaleString('en')} files, ${(totalBytes / 1e9).toFixed(2)} GB`;
    grown = { tree, treeText };
    return grown;
  };
}

async function measured(part: Part, surroundings: Surroundings): Promise<Findings> {
  return parts[part](surroundings);
}

async function measureAll(folder: string): Promise<readonly Findings[]> {
  const surroundings = { folder, tree: treeGrownIn(folder) };
  const all: Findings[] = [];
  for (const part of chosenParts()) {
    say(`\n${part} …`);
    const findings = await measured(part, surroundings).catch((problem: unknown) => {
      // What it said names folders of this machine: it is printed, and not written down.
      say(problem instanceof Error ? (problem.stack ?? problem.message) : String(problem));
      return skipped(part, 'it failed');
    });
    say(`\n${markdownOf(findings)}`);
    all.push(findings);
  }
  return all;
}

const folder = mkdtempSync(join(tmpdir(), 'covault-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

say(machineText());
const load = loadavg()[0] ?? 0;
const remark =
  load > 1
    ? `The machine was not quiet (load ${load.toFixed(1)}): compare ratios and processor times.`
    : '';
if (remark !== '') say(remark);
const findings = await measureAll(folder);
say(`\n${barsMarkdown(findings.flatMap(({ bars }) => bars))}`);
if (values.write) writePage(findings, remark);
process.exit(0);
