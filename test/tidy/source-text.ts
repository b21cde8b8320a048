/**
 * Enough of a TypeScript lexer to tell code from comments and literals, so that the tidy tests judge code and not prose.
 *
 * Both results have the length and the lines of the original; what is left out becomes spaces.
 */

export interface SourceText {
  /** Comments left out. */
  readonly uncommented: string;
  /** Comments and the contents of strings, templates and regular expressions left out. */
  readonly bare: string;
}

/** After these a slash begins a regular expression; after anything else that ends an expression it divides. */
const beforeRegularExpression =
  /(?:^|[([{,;=:!&|?+\-*%~^<>]|\b(?:return|typeof|case|in|of|await|yield|else|do))\s*$/;

const openings = /\/\/|\/\*|['"`/{}]/g;

export function sourceText(text: string): SourceText {
  const lexer = new Lexer(text);
  lexer.run();
  return { uncommented: lexer.uncommented.join(''), bare: lexer.bare.join('') };
}

class Lexer {
  readonly uncommented: string[];
  readonly bare: string[];
  readonly #text: string;
  /** For every open brace whether it is that of a template's `${`. */
  readonly #braces: boolean[] = [];

  constructor(text: string) {
    this.#text = text;
    this.uncommented = text.split('');
    this.bare = text.split('');
  }

  run(): void {
    let at = 0;
    for (;;) {
      openings.lastIndex = at;
      const found = openings.exec(this.#text);
      if (found === null) return;
      at = this.#passed(found[0], found.index);
    }
  }

  /** Where the code goes on after what begins at `start`. */
  #passed(opening: string, start: number): number {
    switch (opening) {
      case '//':
        return this.#comment(start, this.#text.indexOf('\n', start));
      case '/*':
        return this.#comment(start, this.#text.indexOf('*/', start + 2) + 2);
      case '{':
        this.#braces.push(false);
        return start + 1;
      case '}':
        return this.#braces.pop() === true ? this.#template(start) : start + 1;
      case '`':
        return this.#template(start);
      case '/':
        if (!beforeRegularExpression.test(this.bare.slice(Math.max(0, start - 40), start).join('')))
          return start + 1;
        return this.#literal(start, this.#endOfRegularExpression(start));
      default:
        return this.#literal(start, this.#endOfString(start, opening));
    }
  }

  #comment(start: number, end: number): number {
    const stop = end < start + 2 ? this.#text.length : end;
    blank(this.uncommented, start, stop);
    blank(this.bare, start, stop);
    return stop;
  }

  #literal(start: number, end: number): number {
    blank(this.bare, start + 1, end - 1);
    return end;
  }

  /** From a backtick, or from the brace that ends a substitution, to the template's end or its next substitution. */
  #template(start: number): number {
    for (let at = start + 1; at < this.#text.length; at += 1) {
      const mark = this.#text[at];
      if (mark === '\\') at += 1;
      else if (mark === '`') return this.#literal(start, at + 1);
      else if (mark === '$' && this.#text[at + 1] === '{') {
        this.#braces.push(true);
        return this.#literal(start, at + 2);
      }
    }
    return this.#text.length;
  }

  #endOfString(start: number, quote: string): number {
    for (let at = start + 1; at < this.#text.length; at += 1) {
      const mark = this.#text[at];
      if (mark === '\\') at += 1;
      else if (mark === quote || mark === '\n') return at + 1;
    }
    return this.#text.length;
  }

  #endOfRegularExpression(start: number): number {
    let inClass = false;
    for (let at = start + 1; at < this.#text.length; at += 1) {
      const mark = this.#text[at];
      if (mark === '\\') at += 1;
      else if (mark === '[') inClass = true;
      else if (mark === ']') inClass = false;
      else if (mark === '\n' || (mark === '/' && !inClass)) return at + 1;
    }
    return this.#text.length;
  }
}

function blank(marks: string[], start: number, end: number): void {
  for (let at = start; at < end; at += 1) if (marks[at] !== '\n') marks[at] = ' ';
}

export interface SourceImport {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

const importForms: readonly RegExp[] = [
  /(?<![\w.$])(?:import|export)(?<type>\s+type\b)?[^'"`;()]*?\bfrom\s*['"](?<specifier>[^'"]+)['"]/g,
  /(?<![\w.$])import\s*['"](?<specifier>[^'"]+)['"]/g,
  /(?<![\w.$])import\s*\(\s*['"](?<specifier>[^'"]+)['"]/g,
  /(?<![\w.$])new URL\(\s*['"](?<specifier>\.[^'"]+\.ts)['"]/g,
];

/** Everything a source names to be loaded: imports, re-exports, dynamic imports, workers by `new URL('./x.ts', …)`. */
export function importsOf(text: string): readonly SourceImport[] {
  const { uncommented, bare } = sourceText(text);
  return importForms.flatMap((form) =>
    [...uncommented.matchAll(form)]
      .filter((match) => bare[match.index] !== ' ')
      .map((match) => ({
        specifier: match.groups?.['specifier'] ?? '',
        typeOnly: match.groups?.['type'] !== undefined,
      })),
  );
}
