/** A process that writes, acknowledges by printing, and is killed at some moment: what every durable adapter is asked to survive. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Runs the script until it has printed `lineCount` lines, kills it, and gives every line that it printed. */
export async function linesUntilKilled(script: string, lineCount: number): Promise<string[]> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  let text = '';
  child.stdout.on('data', (part: Buffer) => {
    text += part.toString();
    if (text.split('\n').length > lineCount) child.kill('SIGKILL');
  });
  const [, signal] = await exited;
  assert.equal(signal, 'SIGKILL');
  return text.split('\n').slice(0, -1);
}
