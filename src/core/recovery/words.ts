/**
 * The root seed as 24 words (BIP-39, English list): 256 bits of entropy and 8 of checksum.
 *
 * Words are read from paper by people under stress. Numbering, capitals and line breaks are forgiven, and a word that does not exist is named
 * with its place and the nearest one that does.
 */
import { entropyToMnemonic, mnemonicToEntropy } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { assert } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { rootSeedBytes } from '../sealing/keys.ts';

export const wordCount = 24;

export type WordsFailure =
  | { readonly code: 'words.wrong-count'; readonly count: number }
  | {
      readonly code: 'words.unknown-word';
      /** 1 to 24. */
      readonly position: number;
      readonly word: string;
      /** The nearest word of the list. */
      readonly suggestion: string;
    }
  /** All words exist, but not in this order: one was misread, or two were swapped. */
  | { readonly code: 'words.bad-checksum' };

const known: ReadonlySet<string> = new Set(wordlist);
const textMaximumLength = 4_096;
const wordMaximumLength = 16;

/** The 24 words of a 32-byte root seed. */
export function wordsOf(rootSeed: Uint8Array): string[] {
  assert(rootSeed.length === rootSeedBytes, 'a root seed has 32 bytes');
  return entropyToMnemonic(rootSeed, wordlist).split(' ');
}

/** The root seed in what a person typed. */
export function seedOf(text: string): Outcome<Bytes, WordsFailure> {
  const words = typedWords(text.slice(0, textMaximumLength));
  if (words.length !== wordCount) return failed({ code: 'words.wrong-count', count: words.length });
  const unknownAt = words.findIndex((word) => !known.has(word));
  const unknown = words[unknownAt];
  if (unknown !== undefined)
    return failed({
      code: 'words.unknown-word',
      position: unknownAt + 1,
      word: unknown,
      suggestion: nearestWord(unknown),
    });
  try {
    return succeeded(new Uint8Array(mnemonicToEntropy(words.join(' '), wordlist)));
  } catch {
    // Number and words are right, so only the checksum can be wrong.
    return failed({ code: 'words.bad-checksum' });
  }
}

/** Words without their numbers (`1.`, `2)`, `3:`) and punctuation. */
function typedWords(text: string): string[] {
  return text
    .normalize('NFKD')
    .toLowerCase()
    .split(/[\s,;]+/)
    .map((word) => word.replace(/^\(?\d+[.):]*/, '').replace(/[.,;:]+$/, ''))
    .filter((word) => word !== '')
    .map((word) => word.slice(0, wordMaximumLength));
}

function nearestWord(typed: string): string {
  let nearest = '';
  let least = Number.POSITIVE_INFINITY;
  for (const word of wordlist) {
    const distance = editDistance(typed, word);
    if (distance < least) {
      least = distance;
      nearest = word;
    }
  }
  return nearest;
}

/** Levenshtein's distance, with two swapped neighbours counted once (optimal string alignment). */
function editDistance(left: string, right: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const differs = left[row - 1] === right[column - 1] ? 0 : 1;
      let distance = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + differs,
      );
      if (left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1])
        distance = Math.min(distance, (before[column - 2] ?? distance) + 1);
      current.push(distance);
    }
    before = previous;
    previous = current;
  }
  return previous[right.length] ?? left.length;
}
