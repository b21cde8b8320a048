/** The generated section of docs/benchmarks.md: what was measured, on which machine. */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { versionOf } from './backup-programs.ts';
import { barsMarkdown, type Findings, markdownOf } from './findings.ts';

const page = new URL('../../docs/benchmarks.md', import.meta.url);
const begin = '<!-- measured: begin -->';
const end = '<!-- measured: end -->';

/** The machine without its name. */
export function machineText(): string {
  const processors = cpus();
  const programs = (['restic', 'borg', 'gcc'] as const).map(
    (name) => `${name} ${versionOf(name) ?? 'not installed'}`,
  );
  return [
    `${processors[0]?.model.trim() ?? 'unknown processor'}, ${processors.length} cores, ${(totalmem() / 1e9).toFixed(0)} GB of memory`,
    `${type()} ${release()}, Node ${process.version}`,
    programs.join(', '),
    new Date().toISOString().slice(0, 10),
  ].join('; ');
}

/** Puts the findings between the markers; throws when the page has none. */
export function writePage(findings: readonly Findings[], remark: string): void {
  const text = readFileSync(page, 'utf8');
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error('docs/benchmarks.md has no place for measurements');
  const bars = findings.flatMap((one) => one.bars);
  const parts = [
    begin,
    `*${machineText()}.*${remark === '' ? '' : ` ${remark}`}`,
    '### Bars',
    barsMarkdown(bars),
    ...findings.map(markdownOf),
    end,
  ];
  writeFileSync(page, text.slice(0, from) + parts.join('\n\n') + text.slice(to + end.length));
}
