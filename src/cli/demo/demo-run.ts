/** The demo from beginning to end: a circle of nine computers, a backup, a disaster, and everything back. */
import { mkdirSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BackupResult } from '../../daemon/operations/backup.ts';
import type { RestoreResult } from '../../daemon/operations/restore.ts';
import { pathBytesOf } from '../../daemon/path-text.ts';
import { barOf } from '../commands/backup.ts';
import { restoreBar } from '../commands/restore.ts';
import { countedText, countText, durationText, sizeText } from '../quantities.ts';
import { addressesInKit, type Circle, formCircle, holdingOf } from './circle.ts';
import { type CovaultProcesses, type Daemon, DemoFailed } from './covault-processes.ts';
import { type DemoReport, type PartnerRecord, partnersText } from './demo-report.ts';
import { growDemoTree } from './demo-tree.ts';
import { type Disaster, strike } from './disaster.ts';
import type { Narration } from './narration.ts';
import { compareTrees, type TreeComparison } from './tree-comparison.ts';
import { findTree } from './tree-walk.ts';

export interface DemoParts {
  /** Everything of the demo lies here. */
  readonly folder: string;
  /** What is backed up; undefined: a tree of the demo's own. */
  readonly tree: string | undefined;
  readonly processes: CovaultProcesses;
  readonly narration: Narration;
  readonly signal: AbortSignal;
}

type Done = Extract<BackupResult, { readonly dryRun: false }>;

interface BackedUp {
  readonly result: Done;
  readonly startedAt: number;
  readonly captureMs: number;
  readonly protectMs: number;
  readonly completeMs: number;
}

const generatedBytes = 300_000_000;
const leastLentBytes = 1_000_000_000;
/** A copy in the spool, two at the partners, one restored, and some more. */
const roomFactor = 4.5;
const rereadsMaximum = 2;

export async function runDemoIn(parts: DemoParts): Promise<DemoReport> {
  const { narration, processes, folder } = parts;
  narration.outcome('All of it happens on this computer, in processes that talk over loopback.');
  const { tree, bytes } = prepareTree(parts);
  narration.step(`Starting nine computers: nine processes, each with a home of its own`);
  const introducedAtMs = performance.now();
  const circle = await formCircle(processes, {
    folder,
    lendBytes: Math.max(leastLentBytes, bytes),
  });
  const introduce = performance.now() - introducedAtMs;
  narration.outcome('eight took up an invitation of the ninth, the owner: they are partners now');
  const backedUp = await backUp(parts, circle, tree);
  const records = showHoldings(parts, circle);
  const peers = await addressesInKit(processes, circle.owner.home);
  const disaster = await strikeAndTell(parts, circle);
  const recovered = await recover(parts, circle, peers);
  const restored = await restore(parts, recovered.daemon, { tree, target: 'restored' });
  const wrongBlocks = await noticed(parts, { owner: recovered.daemon, tree, restored, circle });
  const compared = await compare(parts, { tree, restored: restored.folder, backedUp });
  return {
    tree: parts.tree ?? null,
    code: disaster.code,
    bearableLosses: disaster.bearable,
    partners: records.map((record) => ({ ...record, fate: fateOf(record.name, disaster) })),
    corrupted: {
      partner: disaster.corrupted.partner.name,
      shard: disaster.corrupted.shard,
      block: disaster.corrupted.block,
    },
    timesMs: {
      introduce,
      capture: backedUp.captureMs,
      protect: backedUp.protectMs,
      complete: backedUp.completeMs,
      recover: recovered.durationMs,
      restore: restored.durationMs,
      compare: compared.durationMs,
      total: narration.elapsedMs,
    },
    bytes: {
      source: backedUp.result.report.bytes,
      stored: backedUp.result.report.storedBytes,
      held: records.reduce((sum, record) => sum + record.bytes, 0),
      fetched: restored.result.fetchedBytes,
    },
    decodedCodewords: restored.result.decodedCodewords,
    wrongBlocks,
    problems: backedUp.result.report.problems.length,
    comparison: compared.comparison,
  };
}

function prepareTree({ folder, tree: given, narration }: DemoParts): {
  readonly tree: string;
  readonly bytes: number;
} {
  const tree = given ?? join(folder, 'files');
  if (given === undefined) {
    narration.step('Growing a tree of files');
    growDemoTree(tree, generatedBytes);
  } else narration.step(`Looking at ${given}, which is only read`);
  const { entries, unreadable } = findTree(tree);
  const files = entries.filter(({ stat }) => stat.isFile());
  const bytes = files.reduce((sum, { stat }) => sum + Number(stat.size), 0);
  const onDisk = files.reduce((sum, { stat }) => sum + Number(stat.blocks) * 512, 0);
  const folders = entries.filter(({ stat }) => stat.isDirectory()).length;
  const oddities =
    given === undefined ? ', symbolic and hard links, a sparse file, names that are no text' : '';
  narration.outcome(
    `${countedText(files.length, 'file')} in ${countedText(folders, 'folder')}, ${sizeText(bytes)}${oddities}`,
  );
  if (unreadable.length > 0)
    narration.outcome(`${countedText(unreadable.length, 'entry', 'entries')} cannot be read`);
  if (bytes === 0) throw new DemoFailed(`${tree} has no file with anything in it`);
  checkRoom(folder, Math.min(bytes, onDisk) * roomFactor);
  return { tree, bytes };
}

function checkRoom(folder: string, wanted: number): void {
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize < wanted)
    throw new DemoFailed(
      `the demo needs about ${sizeText(wanted)} in ${folder}, and there are ${sizeText(bavail * bsize)}; TMPDIR names another place`,
    );
}

async function backUp(parts: DemoParts, { owner }: Circle, tree: string): Promise<BackedUp> {
  const { narration, processes } = parts;
  narration.step('Backing up: cut, compress, encrypt, code, encrypt for each partner, send');
  const startedAt = Date.now();
  const startedAtMs = performance.now();
  let captureMs: number | undefined;
  let protectMs: number | undefined;
  const ran = await processes.run({
    home: owner.home,
    argv: ['backup', tree, '--wait', 'complete'],
    expected: [0, 3],
    progress: (progress) => {
      const stage = progress as Parameters<typeof barOf>[0];
      narration.progress(barOf(stage, startedAtMs));
      if (stage.stage !== 'protecting') return;
      captureMs ??= performance.now() - startedAtMs;
      if (stage.counts.phase !== 'captured') protectMs ??= performance.now() - startedAtMs;
    },
  });
  const result = ran.answer as unknown as Done;
  if (result.phase !== 'complete') throw new DemoFailed(`the backup is only ${result.phase}`);
  const { report } = result;
  narration.outcome(
    `complete at all eight partners: ${sizeText(report.bytes)} of files, ${sizeText(report.storedBytes)} compressed and encrypted`,
  );
  for (const { path, problem, detail } of report.problems.slice(0, 5))
    narration.outcome(
      `not kept as it is: ${Buffer.from(pathBytesOf(path)).toString()}, ${problem.replaceAll('-', ' ')} ${detail}`,
    );
  const { durationMs } = ran;
  return {
    result,
    startedAt,
    captureMs: captureMs ?? durationMs,
    protectMs: protectMs ?? durationMs,
    completeMs: durationMs,
  };
}

/** Who holds what, from the partners' own disks. */
function showHoldings(
  { narration }: DemoParts,
  { owner, partners }: Circle,
): readonly Omit<PartnerRecord, 'fate'>[] {
  const records = partners.map((partner) => {
    const { name, daemon } = partner;
    const { peer: id, processId } = daemon;
    return { name, id, processId, ...holdingOf(partner, owner.peer) };
  });
  narration.blank();
  narration.outcome(partnersText(records));
  narration.blank();
  return records;
}

async function strikeAndTell({ narration }: DemoParts, circle: Circle): Promise<Disaster> {
  narration.step('Disaster');
  const disaster = await strike(circle);
  const { killed, corrupted, bearable, code } = disaster;
  const { partner, block, blocks } = corrupted;
  narration.outcome('the owner is killed, and its home deleted: key, catalogue, everything');
  narration.outcome(`${killed.map(({ name }) => name).join(', ')} are killed for good`);
  narration.outcome(
    `${partner.name} lives on, but block ${countText(block + 1)} of ${countText(blocks)} of a data shard that it holds is overwritten`,
  );
  narration.outcome(
    `${code} bears the loss of any ${bearable}: ${killed.length} are gone, and the wrong block makes ${bearable}`,
  );
  return disaster;
}

async function recover(
  { narration, processes, folder }: DemoParts,
  { words }: Circle,
  peers: readonly string[],
): Promise<{ readonly daemon: Daemon; readonly durationMs: number }> {
  narration.step('A new computer, an empty home, 24 words and the partners’ addresses on paper');
  const wordsFile = join(folder, 'words');
  writeFileSync(wordsFile, `${words.join(' ')}\n`, { mode: 0o600 });
  const home = join(folder, 'new-owner');
  const listen = ['--listen', '/ip4/127.0.0.1/tcp/0'];
  const known = peers.flatMap((peer) => ['--peer', peer]);
  const ran = await processes.run({
    home,
    argv: ['recover', '--words-file', wordsFile, '--no-passphrase', ...listen, ...known],
  });
  const { answer, durationMs } = ran;
  narration.outcome(
    `it is the lost one again after ${durationText(durationMs)}: ${countedText(Number(answer['snapshots']), 'snapshot')}, confirmed by ${answer['confirmations']} of ${answer['partnersAsked']} partners`,
  );
  return { daemon: await processes.up(home), durationMs };
}

interface Restored {
  readonly result: RestoreResult;
  readonly folder: string;
  readonly durationMs: number;
}

async function restore(
  { narration, processes, folder }: DemoParts,
  owner: Daemon,
  names: { readonly tree: string; readonly target: string },
): Promise<Restored> {
  narration.step('Restoring');
  const target = join(folder, names.target);
  mkdirSync(target);
  const startedAtMs = performance.now();
  const { answer, durationMs } = await processes.run({
    home: owner.home,
    argv: ['restore', `latest:${names.tree}`, '--target', target],
    // What was not restored is found when the trees are compared.
    expected: [0, 3],
    progress: (progress) =>
      narration.progress(restoreBar(progress as Parameters<typeof restoreBar>[0], startedAtMs)),
  });
  const result = answer as unknown as RestoreResult;
  narration.outcome(
    `${countedText(result.files, 'file and link', 'files and links')}, ${countedText(result.decodedCodewords, 'codeword')} decoded from parity`,
  );
  return { result, folder: target, durationMs };
}

/** What the restore noticed. Partners are asked more widely when one is slow, so the wrong block may have come too late to count; then all is read again. */
async function noticed(
  parts: DemoParts,
  first: {
    readonly owner: Daemon;
    readonly tree: string;
    readonly restored: Restored;
    readonly circle: Circle;
  },
): Promise<DemoReport['wrongBlocks']> {
  let { result } = first.restored;
  for (let again = 1; again <= rereadsMaximum && result.wrongBlocks.length === 0; again += 1) {
    parts.narration.outcome('others were faster than the wrong block; so once more');
    const names = { tree: first.tree, target: `restored-again-${again}` };
    ({ result } = await restore(parts, first.owner, names));
  }
  return result.wrongBlocks.map(({ partner, count }) => ({
    partner: first.circle.partners.find(({ daemon }) => daemon.peer === partner)?.name ?? partner,
    count,
  }));
}

async function compare(
  { narration, signal }: DemoParts,
  trees: { readonly tree: string; readonly restored: string; readonly backedUp: BackedUp },
): Promise<{ readonly comparison: TreeComparison; readonly durationMs: number }> {
  narration.step('Comparing every byte and all metadata with the original');
  const startedAtMs = performance.now();
  const totalBytes = trees.backedUp.result.report.bytes;
  const comparison = await compareTrees({
    original: trees.tree,
    restored: trees.restored,
    capturedAtMs: trees.backedUp.startedAt,
    notKept: notKeptBelow(trees.tree, trees.backedUp.result),
    signal,
    progress: (doneBytes, doneCount) =>
      narration.progress({
        phase: 'comparing',
        startedAtMs,
        doneBytes,
        totalBytes,
        doneCount,
        totalCount: undefined,
        counted: 'entries',
      }),
  });
  return { comparison, durationMs: performance.now() - startedAtMs };
}

/** Paths from the tree on, one character for every byte. */
function notKeptBelow(tree: string, { report }: Done): ReadonlySet<string> {
  const top = Buffer.from(tree).toString('latin1');
  const paths = report.problems.map(({ path }) =>
    Buffer.from(pathBytesOf(path)).toString('latin1'),
  );
  return new Set(
    paths
      .filter((path) => path === top || path.startsWith(`${top}/`))
      .map((path) => path.slice(top.length + 1)),
  );
}

function fateOf(name: string, { killed, corrupted }: Disaster): PartnerRecord['fate'] {
  if (killed.some((partner) => partner.name === name)) return 'killed';
  return corrupted.partner.name === name ? 'corrupted' : 'well';
}
