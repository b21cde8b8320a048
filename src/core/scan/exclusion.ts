/**
 * What a scan leaves out: patterns in gitignore syntax, folders that hold only caches, and covault's own homes.
 *
 * Patterns stand at levels: those of the request at each root, those of a file such as `.gitignore` at its folder. The deepest level that
 * says anything about a path decides, as in git; within a level the last pattern that matches does.
 */
import ignore, { type Ignore } from 'ignore';
import { type Bytes, equalBytes, utf8Bytes } from '../../base/bytes.ts';

/** A folder with a file of this name is a home of covault and is never backed up: its keys stay here, and its spool changes all the time. */
export const homeMarkerName = 'covault-home';

/** See https://bford.info/cachedir/: the tag counts only with this at its start. */
export const cacheTagName = 'CACHEDIR.TAG';
export const cacheTagSignature: Bytes = utf8Bytes('Signature: 8a477f597d28d172789f06886806bc55');

/** No file of patterns is read further. */
export const patternFileMaximumBytes = 1_048_576;

/** Wildcards for whole folders that have something behind them, and further wildcards within names: each multiplies the ways to try. */
const folderWildcardsMaximum = 2;
const nameWildcardsMaximum = 3;

/**
 * The patterns of a file that can be matched in little time: files come from anywhere, and there are patterns that take hours for one path. Without
 * the others more is backed up, never less: where one of them takes something out, no pattern of the file holds.
 */
export function cheapPatterns(patterns: readonly string[]): {
  readonly patterns: readonly string[];
  readonly problem: string | undefined;
} {
  const costly = patterns.filter((pattern) => !isCheapPattern(pattern));
  if (costly.length === 0) return { patterns, problem: undefined };
  const spares = costly.some((pattern) => pattern.startsWith('!'));
  const left = spares ? [] : patterns.filter(isCheapPattern);
  const which = spares ? 'none of its patterns is followed' : `${costly.length} are not followed`;
  return { patterns: left, problem: `patterns with too many wildcards: ${which}` };
}

function isCheapPattern(pattern: string): boolean {
  if (pattern.startsWith('#')) return true;
  const names = pattern.replace(/^!/, '').trimEnd().replace(/\/$/, '').split('/');
  let forFolders = 0;
  let inNames = 0;
  names.forEach((name, index) => {
    const stars = name.split('*').length - 1;
    const isFolders = stars >= 2 && stars === name.length;
    if (!isFolders) inNames += Math.max(0, stars - 1);
    else if (index < names.length - 1) forFolders += 1;
  });
  return forFolders <= folderWildcardsMaximum && inNames <= nameWildcardsMaximum;
}

export function isCacheTag(start: Uint8Array): boolean {
  return equalBytes(start.subarray(0, cacheTagSignature.length), cacheTagSignature);
}

/** A matcher remembers every path it was asked about; beyond this many it is made anew. */
const rememberedPathsMaximum = 50_000;

interface Level {
  /** The folder whose patterns these are, one character for every byte, without a slash at its end. */
  readonly folder: string;
  readonly matcher: Matcher;
}

export class ExclusionRules {
  /** The deepest level first. */
  readonly #levels: readonly Level[];

  private constructor(levels: readonly Level[]) {
    this.#levels = levels;
  }

  static readonly none: ExclusionRules = new ExclusionRules([]);

  /** These rules and, below `folder`, `patterns`, which come first. */
  within(folder: string, patterns: readonly string[]): ExclusionRules {
    if (patterns.length === 0) return this;
    return new ExclusionRules([{ folder, matcher: new Matcher(patterns) }, ...this.#levels]);
  }

  /** Whether to leave out `path`, absolute, one character for every byte. A folder that is left out is not looked into. */
  excludes(path: string, isFolder: boolean): boolean {
    for (const { folder, matcher } of this.#levels) {
      const relative = readable(path.slice(folder.length + 1));
      const verdict = matcher.test(isFolder ? `${relative}/` : relative);
      if (verdict.ignored) return true;
      if (verdict.unignored) return false;
    }
    return false;
  }

  /**
   * The rules for what is in `folder`, which was not left out. A level that would have left it out, had a deeper one not spared it, must not
   * leave out everything in it on that account.
   */
  enter(folder: string): ExclusionRules {
    if (this.#levels.length < 2) return this;
    let changed = false;
    const levels = this.#levels.map((level) => {
      const relative = readable(folder.slice(level.folder.length + 1));
      if (relative === '' || !level.matcher.test(`${relative}/`).ignored) return level;
      changed = true;
      return { folder: level.folder, matcher: level.matcher.sparing(relative) };
    });
    return changed ? new ExclusionRules(levels) : this;
  }
}

/** A pattern that matches exactly this path from its level's folder. */
function literalPattern(relative: string): string {
  return `/${relative.replace(/[\\*?[\]!# ]/g, '\\$&')}`;
}

class Matcher {
  readonly #patterns: readonly string[];
  #ignore: Ignore;
  #asked = 0;

  constructor(patterns: readonly string[]) {
    this.#patterns = patterns;
    this.#ignore = ignoreOf(patterns);
  }

  /** The same patterns, and then one that takes `relative` out of them. */
  sparing(relative: string): Matcher {
    return new Matcher([...this.#patterns, `!${literalPattern(relative)}`]);
  }

  test(path: string): { readonly ignored: boolean; readonly unignored: boolean } {
    this.#asked += 1;
    if (this.#asked % rememberedPathsMaximum === 0) this.#ignore = ignoreOf(this.#patterns);
    return this.#ignore.test(path);
  }
}

function ignoreOf(patterns: readonly string[]): Ignore {
  return ignore({ ignorecase: false, allowRelativePaths: true }).add(patterns);
}

/** The path as the writer of a pattern sees it; bytes that are not UTF-8 match wildcards only. */
function readable(path: string): string {
  return isAscii(path) ? path : Buffer.from(path, 'latin1').toString('utf8');
}

/** Whether a text of one character a byte means the same in every encoding. */
export function isAscii(text: string): boolean {
  return !/[\u0080-\u00ff]/.test(text);
}
