/**
 * The floors of the house (docs/architecture.md#floors): a source imports only from the floors named for its own, and the pure floors
 * read no clock, no dice and no environment. Tests stand outside: they may put any floors together.
 */
import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { test } from 'node:test';
import { offences, type ProjectFile, productSources } from './project-files.ts';
import { importsOf, type SourceImport, sourceText } from './source-text.ts';

interface Floor {
  /** Floors that it may use besides itself. */
  readonly uses: readonly string[];
  /** Floors of which it may name types only. */
  readonly types?: readonly string[];
  /** Packages and modules of Node.js; `any` where the floor faces the world. */
  readonly modules: readonly string[] | 'any';
}

const floors: Readonly<Record<string, Floor>> = {
  base: { uses: [], modules: ['cborg'] },
  primitives: { uses: ['base'], modules: ['node:crypto', 'node:zlib'] },
  core: {
    uses: ['base', 'primitives'],
    modules: ['@scure/bip39', '@scure/bip39/wordlists/english.js', 'ignore', 'picomatch', 'zod'],
  },
  ports: { uses: ['base', 'core'], modules: [] },
  engine: { uses: ['base', 'primitives', 'core', 'ports'], modules: [] },
  // The world waits for the event loop to run dry; it never reads the loop's clock.
  sim: { uses: ['base', 'primitives', 'core', 'ports', 'engine'], modules: ['node:timers'] },
  adapters: { uses: ['base', 'primitives', 'core', 'ports'], modules: 'any' },
  daemon: { uses: ['base', 'primitives', 'core', 'ports', 'engine', 'adapters'], modules: 'any' },
  cli: {
    uses: ['base', 'daemon'],
    types: ['primitives', 'core', 'ports', 'engine'],
    modules: 'any',
  },
};

const pureFloors: ReadonlySet<string> = new Set([
  'base',
  'primitives',
  'core',
  'ports',
  'engine',
  'sim',
]);

/** What arrives through ports or as an argument, and is read from the machine nowhere on a pure floor. */
const impure: readonly RegExp[] = [
  /(?<![\w$])Date\.now\b/,
  /\bnew Date\(\s*\)/,
  /\bMath\.random\b/,
  /\bperformance\.now\b/,
  /(?<![\w.$])(?:setTimeout|setInterval)\s*\(/,
  /(?<![\w.$])process\./,
  /(?<![\w.$])console\./,
  /\b(?:randomBytes|randomFillSync|randomUUID|randomInt|getRandomValues)\s*\(/,
];

function floorOf(path: string): string {
  return path.split('/')[1] ?? '';
}

function refusal(file: ProjectFile, found: SourceImport): string | undefined {
  const name = floorOf(file.path);
  const floor = floors[name];
  if (floor === undefined) return `lies on no floor (${name})`;
  if (!found.specifier.startsWith('.')) {
    const allowed = floor.modules === 'any' || floor.modules.includes(found.specifier);
    return allowed ? undefined : `${name} may not import ${found.specifier}`;
  }
  const target = posix.join(posix.dirname(file.path), found.specifier);
  if (!target.startsWith('src/')) return `imports ${found.specifier} from outside src/`;
  const targetFloor = floorOf(target);
  if (targetFloor === name || floor.uses.includes(targetFloor)) return undefined;
  if (found.typeOnly && floor.types?.includes(targetFloor) === true) return undefined;
  return `${name} may not import from ${targetFloor} (${found.specifier})`;
}

test('a source imports only from the floors below its own', () => {
  const found = offences(productSources(), (file) =>
    importsOf(file.text)
      .map((each) => refusal(file, each))
      .filter((reason) => reason !== undefined),
  );
  assert.deepEqual(found, []);
});

test('pure floors read no clock, no dice and no environment', () => {
  const pure = productSources().filter((file) => pureFloors.has(floorOf(file.path)));
  const found = offences(pure, (file) =>
    sourceText(file.text)
      .bare.split('\n')
      .flatMap((line, index) =>
        impure.filter((form) => form.test(line)).map(() => `${index + 1}: ${line.trim()}`),
      ),
  );
  assert.deepEqual(found, []);
});
