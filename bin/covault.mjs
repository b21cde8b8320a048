#!/usr/bin/env node
/**
 * Starts covault on a Node that is new enough: the running one, or the one that came with `npm ci`.
 *
 * Plain JavaScript without dependencies, because it must run on Node 18 and newer. See docs/decisions/0001-node-through-npm.md.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { constants, homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const oldestMajor = 24;
const program = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));

function compileCacheFolder() {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'covault', 'compiled');
}

function bundledNode() {
  const require = nodeModule.createRequire(import.meta.url);
  for (const name of ['node', 'node-bin']) {
    try {
      const manifest = require.resolve(`${name}-${process.platform}-${process.arch}/package.json`);
      const binary = join(dirname(manifest), 'bin', 'node');
      if (existsSync(binary)) return binary;
    } catch {
      // This platform's package has the other name, or none was installed.
    }
  }
  return undefined;
}

/** Hands signals on and ends as the child ends, so that a caller sees no difference. */
function runUnder(node) {
  const child = spawn(node, [program, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => child.kill(signal));
  child.on('error', (problem) => {
    console.error(`covault: ${node} does not start: ${problem.message}`);
    process.exitCode = 70;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = signal === null ? (code ?? 70) : 128 + (constants.signals[signal] ?? 0);
  });
}

if (!existsSync(program)) {
  console.error(`covault: the program is not there (${program}); install covault anew.`);
  process.exitCode = 70;
} else if (Number.parseInt(process.versions.node, 10) >= oldestMajor) {
  process.argv[1] = program;
  // Before the first source is loaded, so that none has to be read as TypeScript again. The folder is the user's own: whoever could write there could make
  // this program do anything.
  nodeModule.enableCompileCache?.(process.env.NODE_COMPILE_CACHE ?? compileCacheFolder());
  await import(program);
} else {
  const node = bundledNode();
  if (node === undefined) {
    console.error(
      `covault: needs Node ${oldestMajor} or newer; this is ${process.version}, and none came with covault for ` +
        `${process.platform}-${process.arch}. Nothing was touched. Install Node ${oldestMajor}, or run \`npm ci\` in covault's folder.`,
    );
    process.exitCode = 70;
  } else runUnder(node);
}
