/** The end of a program whose disk or catalogue failed where nobody waited for it: told as what it is, not as a mistake of ours. */
import { writeSync } from 'node:fs';
import { storageFailure } from '../daemon/storage-failure.ts';
import { messages } from './messages.ts';
import { printableText } from './text-escape.ts';

/** Returns when the problem is none of the storage's. */
export function endForStorage(problem: unknown): void {
  const reason = storageFailure(problem);
  if (reason === undefined) return;
  const { code, detail } = reason;
  const { exit, happened, meaning, advice } = messages[code];
  if (process.argv.includes('--json')) {
    const error = { code, message: happened, meaning, advice, detail };
    writeSync(1, `${JSON.stringify({ error })}\n`);
  } else writeSync(2, `${happened}\n  (${printableText(detail)})\n${meaning}\n${advice}\n`);
  process.exit(exit);
}
