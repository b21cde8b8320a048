/**
 * Where the program begins.
 *
 * SIGINT and SIGTERM ask the command to end cleanly; a second one ends the process at once. A reader of our output who has gone away ends it quietly.
 */
import { writeSync } from 'node:fs';
import { exitCodes } from './exit-codes.ts';

// Remarks of the runtime about its own features are not for whoever makes backups.
process.removeAllListeners('warning');

const stopping = new AbortController();
let signalled: number | undefined;
let signalledAtMs = 0;
/** Ctrl-C reaches the whole group, and a starter that hands signals on sends it once more: signals this close are one. */
const samePressMs = 300;

for (const [signal, code] of [
  ['SIGINT', exitCodes.interrupted],
  ['SIGTERM', exitCodes.terminated],
] as const)
  process.on(signal, () => {
    const now = performance.now();
    if (signalled !== undefined && now - signalledAtMs < samePressMs) return;
    if (signalled !== undefined) process.exit(code);
    signalled = code;
    signalledAtMs = now;
    stopping.abort();
  });

process.stdout.on('error', (problem: NodeJS.ErrnoException) => {
  if (problem.code === 'EPIPE') process.exit(signalled ?? exitCodes.ok);
  throw problem;
});
process.stderr.on('error', () => undefined);

for (const event of ['uncaughtException', 'unhandledRejection'] as const)
  process.on(event, (problem: unknown) => endInternally(problem));

/** Loaded with the program. */
let endForStorage: ((problem: unknown) => void) | undefined;

function endInternally(problem: unknown): never {
  endForStorage?.(problem);
  const text = problem instanceof Error ? (problem.stack ?? problem.message) : String(problem);
  const json = process.argv.includes('--json');
  if (json)
    writeSync(1, `${JSON.stringify({ error: { code: 'operation.internal', message: text } })}\n`);
  else
    writeSync(
      2,
      `covault met a mistake of its own and stops.\nWhat was acknowledged before is safe. Please report it with what follows, and with the log in the home's \`log\` folder.\n${text}\n`,
    );
  process.exit(exitCodes.internal);
}

const { runProgram } = await import('./program.ts');
({ endForStorage } = await import('./storage-end.ts'));
const { programVersion } = await import('../daemon/program-version.ts');
try {
  const exit = await runProgram(process.argv.slice(2), {
    version: programVersion,
    folder: process.cwd(),
    environment: process.env,
    signal: stopping.signal,
  });
  await flushed();
  process.exit(signalled ?? exit);
} catch (problem) {
  endInternally(problem);
}

/** What was said has gone out before the process ends. */
function flushed(): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write('', () => resolve());
  });
}
