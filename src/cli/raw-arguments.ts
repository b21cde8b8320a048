/**
 * Arguments as raw bytes, for paths whose names are not UTF-8.
 *
 * The platform hands arguments over as text and has put U+FFFD where bytes were not UTF-8. Where it lets a process read its own command line,
 * the bytes are still there.
 */
import { readFileSync } from 'node:fs';
import { type Bytes, equalBytes, utf8Bytes } from '../base/bytes.ts';

const replacement = '\ufffd';
const nul = 0;

/** Splits a command line of NUL-ended arguments. */
export function splitCommandLine(line: Uint8Array): readonly Bytes[] {
  const parts: Bytes[] = [];
  let start = 0;
  line.forEach((byte, index) => {
    if (byte !== nul) return;
    parts.push(new Uint8Array(line.subarray(start, index)));
    start = index + 1;
  });
  return parts;
}

/** The bytes behind an argument's text, taken from `commandLine` where the text lost them. */
export function argumentBytes(text: string, commandLine: readonly Uint8Array[]): Bytes {
  if (!text.includes(replacement)) return utf8Bytes(text);
  const decoder = new TextDecoder();
  const plain = utf8Bytes(text);
  const found = commandLine.find(
    (bytes) => decoder.decode(bytes) === text && !equalBytes(bytes, plain),
  );
  return found === undefined ? plain : new Uint8Array(found);
}

/** Of this process, then of the one that started it, which may have lost the bytes on the way; empty where the platform does not tell. */
export function ownCommandLine(): readonly Bytes[] {
  return ['self', String(process.ppid)].flatMap((id) => {
    try {
      return splitCommandLine(readFileSync(`/proc/${id}/cmdline`));
    } catch {
      return [];
    }
  });
}
