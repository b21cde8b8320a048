/** A folder that holds one of everything that a file system can hold and covault keeps. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  lchownSync,
  linkSync,
  mkdirSync,
  openSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

export const isRoot: boolean = process.getuid?.() === 0;

/** GNU `touch`: Node cannot set nanoseconds, nor the times of a link. */
export function touch(path: string, moment: string): void {
  execFileSync('touch', ['-h', '-d', moment, '--', path]);
}

export const sparseBytes = 64_000_000;

export function growOddTree(top: string): void {
  mkdirSync(top);
  growNames(join(top, 'names'));
  growModes(join(top, 'modes'));
  growLinks(join(top, 'links'));
  growSparse(join(top, 'sparse'));
  growLong(join(top, 'long'));
  mkdirSync(join(top, 'empty', 'emptier'), { recursive: true });
  touch(join(top, 'empty', 'emptier'), '1969-07-20 20:17:40.000000001 UTC');
  touch(join(top, 'empty'), '2038-01-19 03:14:08.999999999 UTC');
}

function growNames(folder: string): void {
  mkdirSync(folder);
  const names = [
    Buffer.from('two\nlines'),
    Buffer.from([0xff, 0xfe, 0x80, 0x41]),
    Buffer.from('x'.repeat(255)),
    Buffer.from('-rf'),
    Buffer.from(' '),
    Buffer.from('back\\slash "quote" \u001b[31m'),
    Buffer.from('caf\u00e9'),
    Buffer.from('cafe\u0301'),
    Buffer.from('.hidden'),
    Buffer.from('snap:colon'),
  ];
  names.forEach((name, index) => {
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), name]), `name ${index}\n`);
  });
  const odd = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0x64, 0xc3])]);
  mkdirSync(odd);
  writeFileSync(Buffer.concat([odd, Buffer.from('/inside')]), 'inside\n');
}

function growModes(folder: string): void {
  mkdirSync(folder);
  for (const mode of [0o4755, 0o2755, 0o600, 0o444, 0o000, 0o777]) {
    const path = join(folder, mode.toString(8));
    writeFileSync(path, `mode ${mode}\n`);
    if (isRoot) chownSync(path, 12_345, 54_321);
    chmodSync(path, mode);
    touch(path, '2001-09-09 01:46:40.123456789 UTC');
  }
  for (const mode of [0o1777, 0o2750, 0o555]) {
    const path = join(folder, `folder-${mode.toString(8)}`);
    mkdirSync(path);
    writeFileSync(join(path, 'file'), '');
    if (isRoot) chownSync(path, 23_456, 65_432);
    chmodSync(path, mode);
    touch(path, '1995-05-23 12:00:00.987654321 UTC');
  }
}

function growLinks(folder: string): void {
  mkdirSync(join(folder, 'below'), { recursive: true });
  symlinkSync('/nowhere/at all', join(folder, 'dangling'));
  symlinkSync(Buffer.from([0x2e, 0x2f, 0xfe]), join(folder, 'not-text'));
  symlinkSync('../links', join(folder, 'round'));
  touch(join(folder, 'dangling'), '2010-10-10 10:10:10.101010101 UTC');
  if (isRoot) lchownSync(join(folder, 'round'), 34_567, 45_678);
  writeFileSync(join(folder, 'first'), 'several names\n');
  linkSync(join(folder, 'first'), join(folder, 'second'));
  linkSync(join(folder, 'first'), join(folder, 'below', 'third'));
  writeFileSync(join(folder, 'empty-one'), '');
  linkSync(join(folder, 'empty-one'), join(folder, 'empty-other'));
}

function growSparse(folder: string): void {
  mkdirSync(folder);
  const path = join(folder, 'holes');
  const file = openSync(path, 'w');
  writeSync(file, 'beginning', 0);
  writeSync(file, 'middle', 31_000_001);
  closeSync(file);
  truncateSync(path, sparseBytes);
  writeFileSync(join(folder, 'all-hole'), '');
  truncateSync(join(folder, 'all-hole'), 5_000_000);
  writeFileSync(join(folder, 'zeros'), Buffer.alloc(300_000));
}

/** A path of well over 1,000 bytes. */
function growLong(folder: string): void {
  const path = join(folder, ...Array.from({ length: 6 }, (_, depth) => `${depth}`.repeat(220)));
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'bottom'), 'far down\n');
}
