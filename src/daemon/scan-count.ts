/** What a backup would read, counted without reading it. */
import { present } from '../base/assert.ts';
import { statFields } from '../core/scan/stat-columns.ts';
import type { ScanRequest } from '../core/scan/tree-walk.ts';
import type { ChunkPipeline } from '../ports/chunk-pipeline.ts';
import { type ProblemAnswer, problemAnswer } from './answers.ts';

export interface ScanCounts {
  readonly files: number;
  readonly directories: number;
  readonly others: number;
  readonly bytes: number;
  readonly problems: readonly ProblemAnswer[];
}

const modeColumn = statFields.indexOf('mode');
const sizeColumn = statFields.indexOf('size');
const typeBits = 0o170000n;
const regularFile = 0o100000n;
const directory = 0o040000n;

export async function countScanned(
  pipeline: ChunkPipeline,
  request: ScanRequest,
  signal: AbortSignal,
): Promise<ScanCounts> {
  const counts = { files: 0, directories: 0, others: 0, bytes: 0 };
  const problems: ProblemAnswer[] = [];
  for await (const batch of pipeline.scan(request, signal)) {
    problems.push(...batch.problems.map(problemAnswer));
    for (const { entries } of batch.directories)
      for (let row = 0; row < entries.count; row += 1) {
        const base = row * statFields.length;
        const mode = present(entries.numbers[base + modeColumn], 'a mode in every row');
        const type = mode & typeBits;
        if (type === regularFile) {
          counts.files += 1;
          counts.bytes += Number(
            present(entries.numbers[base + sizeColumn], 'a size in every row'),
          );
        } else if (type === directory) counts.directories += 1;
        else counts.others += 1;
      }
  }
  return { ...counts, problems };
}
