/** Files to cut, packed into two arrays: a message of a thousand small objects would cost more than reading the files. */
import { present } from '../../base/assert.ts';
import { type Bytes, concatBytes } from '../../base/bytes.ts';
import type { FileToCut } from '../../core/chunking/file-cutter.ts';

export interface PackedFiles {
  /** All paths, one after the other. */
  readonly paths: Bytes;
  /** Six numbers a file: end of its path, offset, size, mtimeNs, ctimeNs, inode. */
  readonly numbers: BigInt64Array<ArrayBuffer>;
}

const width = 6;

export function packFiles(files: readonly FileToCut[]): PackedFiles {
  const numbers = new BigInt64Array(files.length * width);
  let end = 0;
  files.forEach((file, index) => {
    const at = index * width;
    end += file.path.length;
    numbers[at] = BigInt(end);
    numbers[at + 1] = BigInt(file.offset);
    numbers[at + 2] = BigInt(file.size);
    numbers[at + 3] = file.mtimeNs;
    numbers[at + 4] = file.ctimeNs;
    numbers[at + 5] = file.inode;
  });
  return { paths: concatBytes(files.map((file) => file.path)), numbers };
}

export function unpackFiles({ paths, numbers }: PackedFiles): readonly FileToCut[] {
  const number = (at: number): bigint => present(numbers[at], 'six numbers for every file');
  let start = 0;
  return Array.from({ length: numbers.length / width }, (_, index) => {
    const at = index * width;
    const end = Number(number(at));
    const path = paths.subarray(start, end);
    start = end;
    return {
      path,
      offset: Number(number(at + 1)),
      size: Number(number(at + 2)),
      mtimeNs: number(at + 3),
      ctimeNs: number(at + 4),
      inode: number(at + 5),
    };
  });
}
