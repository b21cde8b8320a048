/**
 * The files of the demo: many small texts and some programs, a few large files, and one of everything that a backup is apt to get wrong.
 *
 * The same size gives the same files, byte by byte.
 */
import {
  chmodSync,
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { Prng } from '../../base/prng.ts';
import { mebi } from '../../base/units.ts';
import { growTree } from './generated-tree.ts';

const seed = 24;
/** Of all bytes: the rest lies in large files. */
const smallShare = 0.7;
const smallFileBytes = 16_000;
const largeFiles = 3;
const oddFolder = 'odd';
/** Some time of 2023. */
const oddSeconds = 1_700_000_000;

/** Grows about so many bytes of files in `folder`, which is made. */
export function growDemoTree(folder: string, totalBytes: number): void {
  const smallBytes = Math.floor(totalBytes * smallShare);
  const fileCount = Math.max(20, Math.floor(smallBytes / smallFileBytes));
  growTree(join(folder, 'small'), { seed, fileCount, totalBytes: smallBytes });
  growLargeFiles(join(folder, 'large'), totalBytes - smallBytes);
  growOddities(join(folder, oddFolder));
}

/** Noise, which no compression makes smaller, as photographs and films are. */
function growLargeFiles(folder: string, totalBytes: number): void {
  mkdirSync(folder, { recursive: true });
  const chance = new Prng(seed);
  for (let number = 1; number <= largeFiles; number += 1) {
    const file = openSync(join(folder, `film-${number}.mkv`), 'w', 0o640);
    for (let left = Math.floor(totalBytes / largeFiles); left > 0; left -= mebi)
      writeSync(file, chance.bytes(Math.min(mebi, left)));
    closeSync(file);
  }
}

/** Links, holes, names, modes and times. */
function growOddities(folder: string): void {
  mkdirSync(join(folder, 'empty folder'), { recursive: true });
  writeFileSync(join(folder, 'empty file'), '');
  growSparseFile(join(folder, 'sparse.img'));
  growLinks(folder);
  growNames(folder);
  growModes(folder);
  const timed = join(folder, 'before 1970');
  writeFileSync(timed, 'old\n');
  utimesSync(timed, -1_000, -1_000.5);
  utimesSync(join(folder, 'empty folder'), oddSeconds, oddSeconds + 0.123_457);
}

/** 64 MiB, of which a few blocks are written. */
function growSparseFile(path: string): void {
  const file = openSync(path, 'w');
  ftruncateSync(file, 64 * mebi);
  writeSync(file, new Prng(seed).bytes(8_192), 0, 8_192, 8 * mebi);
  writeSync(file, Buffer.from('the end'), 0, 7, 48 * mebi + 12_345);
  closeSync(file);
}

function growLinks(folder: string): void {
  const shared = join(folder, 'one file');
  writeFileSync(shared, 'of three names\n');
  mkdirSync(join(folder, 'elsewhere'));
  linkSync(shared, join(folder, 'its second name'));
  linkSync(shared, join(folder, 'elsewhere', 'its third name'));
  symlinkSync('one file', join(folder, 'link'));
  symlinkSync('nowhere/at all', join(folder, 'dangling link'));
  symlinkSync('../odd', join(folder, 'elsewhere', 'link to a folder'));
}

/** Names that only their bytes describe; those that the file system refuses are left out. */
function growNames(folder: string): void {
  const names = [
    Buffer.from('a line\nand another'),
    Buffer.from(' spaces '),
    Buffer.from('snöflinga ❄ 雪'),
    Buffer.from('-rf *'),
    Buffer.from([0x66, 0xfc, 0x72, 0x2e, 0x74, 0x78, 0x74]),
    Buffer.from([0xff, 0xfe, 0x80]),
    Buffer.from('n'.repeat(255)),
  ];
  for (const name of names) {
    const path = Buffer.concat([Buffer.from(`${folder}/`), name]);
    try {
      writeFileSync(path, `${name.length} bytes of name\n`);
    } catch (problem) {
      if ((problem as NodeJS.ErrnoException).code !== 'EILSEQ') throw problem;
    }
  }
}

function growModes(folder: string): void {
  const modes = [0o400, 0o600, 0o644, 0o755, 0o777, 0o4755, 0o2711];
  for (const mode of modes) {
    const path = join(folder, `mode ${mode.toString(8)}`);
    writeFileSync(path, `${mode}\n`);
    chmodSync(path, mode);
  }
  const sticky = join(folder, 'sticky');
  mkdirSync(sticky);
  chmodSync(sticky, 0o1777);
}
