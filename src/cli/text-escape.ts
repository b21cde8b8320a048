/**
 * Text from elsewhere on its way to a terminal: names of files and of partners.
 *
 * A name can hold escape sequences that move the cursor, or characters that reverse the direction of reading; shown raw, it could make one file look like another.
 */
import { utf8Text } from '../base/bytes.ts';
import type { PathText } from '../daemon/path-text.ts';

/** Control, format (bidirectional marks among them), line and paragraph separators, unassigned and lone surrogates. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

export function printableText(text: string): string {
  return text.replaceAll('\\', '\\\\').replace(unprintable, escapeOf);
}

function escapeOf(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\t') return '\\t';
  if (character === '\r') return '\\r';
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`;
  return `\\u{${code.toString(16)}}`;
}

/** Bytes that are not UTF-8 show as `\xNN`. */
export function printableBytes(bytes: Uint8Array): string {
  const text = utf8Text(bytes);
  if (text !== undefined) return printableText(text);
  let shown = '';
  for (const byte of bytes) {
    if (byte === 0x5c) shown += '\\\\';
    else if (byte >= 0x20 && byte < 0x7f) shown += String.fromCharCode(byte);
    else shown += `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return shown;
}

export function printablePath(path: PathText): string {
  return typeof path === 'string'
    ? printableText(path)
    : printableBytes(new Uint8Array(Buffer.from(path.base64, 'base64')));
}
