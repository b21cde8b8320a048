/** How much memory a backup of a million empty files takes. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { megabytes, usageText } from './backup-bench.ts';
import { covault, covaultCommand } from './backup-programs.ts';
import type { Findings } from './findings.ts';
import { measureProcess } from './measured-process.ts';

const filesPerFolder = 200;
const mostBytesPerMillion = 400e6;

export async function benchManyFiles(options: {
  readonly folder: string;
  readonly fileCount: number;
  readonly say: (line: string) => void;
}): Promise<Findings> {
  const tree = join(options.folder, 'many');
  const home = join(options.folder, 'many-home');
  try {
    growEmptyFiles(tree, options.fileCount);
    await measureProcess(covault.create(home));
    const backup = covaultCommand(home, ['backup', tree, '--wait', 'captured']);
    const first = await measureProcess(backup);
    options.say(`  first: ${usageText(first)}`);
    const again = await measureProcess(backup);
    options.say(`  again: ${usageText(again)}`);
    const perMillion = (Math.max(first.peakBytes, again.peakBytes) / options.fileCount) * 1e6;
    return {
      title: 'A million files',
      table: [
        ['what', 'wall, s', 'CPU, s', 'peak memory, MB'],
        ...(
          [
            ['first backup', first],
            ['nothing changed', again],
          ] as const
        ).map(([what, usage]) => [
          what,
          (usage.wallMs / 1_000).toFixed(2),
          (usage.cpuMs / 1_000).toFixed(2),
          megabytes(usage.peakBytes),
        ]),
      ],
      notes: [
        `${options.fileCount.toLocaleString('en')} files of a few bytes, ${filesPerFolder} in a folder.`,
      ],
      bars: [
        {
          what: 'memory per million files',
          wanted: '≤ 400 MB',
          measured: `${megabytes(perMillion)} MB`,
          met: perMillion <= mostBytesPerMillion,
        },
      ],
    };
  } finally {
    rmSync(tree, { recursive: true, force: true });
    rmSync(home, { recursive: true, force: true });
  }
}

function growEmptyFiles(tree: string, count: number): void {
  for (let number = 0; number < count; number += 1) {
    const folder = join(
      tree,
      String(Math.floor(number / filesPerFolder / 100)),
      String(Math.floor(number / filesPerFolder)),
    );
    if (number % filesPerFolder === 0) mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `file-${number}`), String(number));
  }
}
