/** What the demo found out, as numbers, and as a table for people. */
import { countedText, countText, durationText, rateText, sizeText } from '../quantities.ts';
import type { TreeComparison } from './tree-comparison.ts';

export interface PartnerRecord {
  readonly name: string;
  readonly id: string;
  readonly processId: number;
  readonly shards: number;
  readonly bytes: number;
  readonly fate: 'well' | 'killed' | 'corrupted';
}

/** Milliseconds. Captured, protected and complete count from the start of the backup. */
export interface DemoTimes {
  readonly introduce: number;
  readonly capture: number;
  readonly protect: number;
  readonly complete: number;
  readonly recover: number;
  readonly restore: number;
  readonly compare: number;
  readonly total: number;
}

export interface DemoSizes {
  /** Of all files of the tree. */
  readonly source: number;
  /** Compressed and encrypted, before redundancy. */
  readonly stored: number;
  /** At all partners together. */
  readonly held: number;
  /** What the restore read from partners. */
  readonly fetched: number;
}

export interface DemoReport {
  readonly tree: string | null;
  readonly code: string;
  readonly bearableLosses: number;
  readonly partners: readonly PartnerRecord[];
  readonly corrupted: {
    readonly partner: string;
    readonly shard: string;
    readonly block: number;
  };
  readonly timesMs: DemoTimes;
  readonly bytes: DemoSizes;
  readonly decodedCodewords: number;
  readonly wrongBlocks: readonly { readonly partner: string; readonly count: number }[];
  /** Of the backup: what it could not keep as it was. */
  readonly problems: number;
  readonly comparison: TreeComparison;
}

export function reportText(report: DemoReport): string {
  const { timesMs, bytes } = report;
  const rows: readonly (readonly string[])[] = [
    ['', 'time', 'bytes', 'rate'],
    row('captured on the owner’s disk', timesMs.capture, bytes.source),
    row('protected at partners', timesMs.protect, bytes.source),
    row('complete at partners', timesMs.complete, bytes.source),
    ['recovered from 24 words', durationText(timesMs.recover), '', ''],
    row('restored', timesMs.restore, bytes.source),
    row('compared', timesMs.compare, report.comparison.bytes),
    ['everything, start to end', durationText(timesMs.total), '', ''],
  ];
  return `${columns(rows, ['left', 'right', 'right', 'right'])}\n\n${sizesText(report)}`;
}

function row(what: string, timeMs: number, bytes: number): readonly string[] {
  const rate = timeMs > 0 ? rateText((bytes * 1_000) / timeMs) : '';
  return [what, durationText(timeMs), sizeText(bytes), rate];
}

function sizesText({ bytes, decodedCodewords, wrongBlocks, partners }: DemoReport): string {
  const redundancy = bytes.stored > 0 ? (bytes.held / bytes.stored).toFixed(2) : '–';
  const wrong = wrongBlocks.reduce((sum, { count }) => sum + count, 0);
  const liars = wrongBlocks.map(({ partner }) => partner).join(', ');
  const rows = [
    ['source', sizeText(bytes.source), 'all files of the tree'],
    ['stored', sizeText(bytes.stored), 'compressed and encrypted, each chunk once'],
    [
      'held',
      sizeText(bytes.held),
      `by ${partners.length} partners: ${redundancy} × what is stored`,
    ],
    ['fetched', sizeText(bytes.fetched), 'read from partners to restore'],
    ['decoded', countText(decodedCodewords), 'codewords rebuilt from parity'],
    [
      'wrong',
      countText(wrong),
      `${wrong === 1 ? 'block' : 'blocks'} from ${liars || 'nobody'}: refused by the tag, and worked around`,
    ],
  ];
  return columns(rows, ['left', 'right', 'left']);
}

export function partnersText(partners: readonly Omit<PartnerRecord, 'fate'>[]): string {
  const head = ['partner', 'id', 'process', 'shards', 'holds'];
  const rows = partners.map(({ name, id, processId, shards, bytes }) => [
    name,
    id.slice(0, 12),
    String(processId),
    countText(shards),
    sizeText(bytes),
  ]);
  return columns([head, ...rows], ['left', 'left', 'right', 'right', 'right']);
}

/** Rows in columns, each with its cells at one side. */
function columns(
  rows: readonly (readonly string[])[],
  sides: readonly ('left' | 'right')[],
): string {
  const widths = sides.map((_, column) =>
    Math.max(...rows.map((cells) => (cells[column] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    sides
      .map((side, column) => {
        const [cell, width] = [cells[column] ?? '', widths[column] ?? 0];
        return side === 'right' ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ');
  return rows.map((cells) => `  ${line(cells)}`.trimEnd()).join('\n');
}

/** Everything that must be so and is not. */
export function shortfallsOf(report: DemoReport): readonly string[] {
  const { comparison, corrupted, wrongBlocks } = report;
  const shortfalls = comparison.differences
    .slice(0, shownDifferences)
    .map(({ path, what }) => `${readableText(path)} ${what}`);
  const more = comparison.differences.length - shortfalls.length;
  if (more > 0) shortfalls.push(`${countedText(more, 'more difference')}`);
  if (!wrongBlocks.some(({ partner }) => partner === corrupted.partner))
    shortfalls.push(`the corrupt block at ${corrupted.partner} was not noticed`);
  for (const { partner, count } of wrongBlocks)
    if (partner !== corrupted.partner)
      shortfalls.push(`${countedText(count, 'wrong block')} put down to ${partner}, who has none`);
  return shortfalls;
}

const shownDifferences = 20;

/** Text of raw bytes that stand one a character. */
export function readableText(path: string): string {
  return Buffer.from(path, 'latin1').toString('utf8');
}
