/**
 * A file tree on disk that looks like a large source tree with its build results: many small texts in nested folders, some programs, a few large
 * files. The same seed gives the same tree, so demo, tests and measurements talk about the same bytes.
 */
import { linkSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Prng } from '../../base/prng.ts';

export interface GeneratedTreeShape {
  readonly seed: number;
  readonly fileCount: number;
  /** All files together, about. */
  readonly totalBytes: number;
}

export interface GeneratedTree {
  readonly fileCount: number;
  readonly folderCount: number;
  readonly totalBytes: number;
}

/** A tree of the size that the bars of speed are set for. */
export const largeShape: GeneratedTreeShape = {
  seed: 1,
  fileCount: 51_000,
  totalBytes: 810_000_000,
};

const filesPerFolder = 13;
/** Of all bytes: the rest is text. */
const binaryShare = 0.3;
const binaryBytes = 1_200_000;
const corpusBytes = 16_000_000;
const wordCount = 6_000;
const oneTime = 1_700_000_000;

/** Numbers from 0 up to 1. */
type Dice = () => number;

/** Grows the tree in `folder`, which is made if it is not there. */
export function growTree(folder: string, shape: GeneratedTreeShape): GeneratedTree {
  const chance = new Prng(shape.seed);
  const dice: Dice = () => chance.unit();
  const text = corpusOf(dice, shape.totalBytes);
  const folders = growFolders(folder, Math.ceil(shape.fileCount / filesPerFolder), dice);
  const binaryCount = Math.floor((shape.totalBytes * binaryShare) / binaryBytes);
  const textMean = (shape.totalBytes * (1 - binaryShare)) / Math.max(1, shape.fileCount);
  let totalBytes = 0;
  for (let number = 0; number < shape.fileCount; number += 1) {
    const home = folders[Math.floor(dice() * folders.length)] ?? folder;
    const isBinary = number < binaryCount;
    const bytes = isBinary ? programOf(text, dice) : sourceOf(text, textMean, dice);
    const path = join(home, isBinary ? `lib${number}.so` : `${wordOf(number)}-${number}.c`);
    writeFileSync(path, bytes, { mode: isBinary ? 0o755 : 0o644 });
    utimesSync(path, oneTime + number, oneTime + number);
    totalBytes += bytes.length;
    if (number % 1_000 === 500) linkSync(path, `${path}.link`);
    if (number % 500 === 250) symlinkSync(`../${wordOf(number)}`, `${path}.symlink`);
  }
  return { fileCount: shape.fileCount, folderCount: folders.length, totalBytes };
}

function growFolders(top: string, count: number, dice: Dice): string[] {
  mkdirSync(top, { recursive: true });
  const folders = [top];
  for (let number = 1; number < count; number += 1) {
    const parent = folders[Math.floor(dice() * dice() * folders.length)] ?? top;
    const path = join(parent, `${wordOf(number)}${number}`);
    mkdirSync(path);
    folders.push(path);
  }
  return folders;
}

/** Lines of words, some words far more frequent than others, which compress about as source code does. */
function corpusOf(dice: Dice, totalBytes: number): Buffer {
  const length = Math.min(corpusBytes, Math.max(100_000, totalBytes));
  const corpus = Buffer.alloc(length);
  let at = 0;
  let column = 0;
  while (at < length) {
    const rank = Math.floor(wordCount ** dice()) - 1;
    const ends = column > 60 && dice() < 0.3;
    at += corpus.write(`${wordOf(rank)}${ends ? ';\n\t' : dice() < 0.2 ? '(' : ' '}`, at, 'latin1');
    column = ends ? 0 : column + 8;
  }
  return corpus;
}

const syllables = [
  'ba',
  'co',
  'de',
  'fi',
  'ge',
  'lo',
  'mi',
  'no',
  'pa',
  're',
  'sta',
  'tu',
  'v',
  'x_',
];

function wordOf(rank: number): string {
  let word = '';
  for (let rest = rank * 7 + 11; rest > 0; rest = Math.floor(rest / syllables.length))
    word += syllables[rest % syllables.length];
  return word;
}

/** Sizes vary a hundredfold; the mean is `meanBytes`. */
function sourceOf(corpus: Buffer, meanBytes: number, dice: Dice): Buffer {
  const spread = -Math.log(1 - dice() * 0.999);
  const length = Math.max(1, Math.floor(meanBytes * spread));
  const start = Math.floor(dice() * Math.max(1, corpus.length - length));
  return corpus.subarray(start, start + length);
}

/** Tables, code and strings: a third of it hardly compresses. */
function programOf(corpus: Buffer, dice: Dice): Buffer {
  const bytes = Buffer.alloc(Math.floor(binaryBytes * (0.5 + dice())));
  for (let at = 0; at < bytes.length; ) {
    const length = 500 + Math.floor(dice() * 4_000);
    const end = Math.min(bytes.length, at + length);
    if (dice() < 0.35) for (let spot = at; spot < end; spot += 1) bytes[spot] = dice() * 256;
    else if (dice() < 0.5)
      for (let spot = at; spot + 4 <= end; spot += 4)
        bytes.writeInt32LE(spot ^ (dice() * 64), spot);
    else corpus.copy(bytes, at, Math.floor(dice() * (corpus.length - length)));
    at = end;
  }
  return bytes;
}
