import assert from 'node:assert/strict';
import { test } from 'node:test';
import { typedAfter } from './hidden-prompt.ts';
import { argumentBytes, splitCommandLine } from './raw-arguments.ts';

const line = Uint8Array.from([...Buffer.from('covault\0cat\0a'), 0xff, ...Buffer.from('z\0')]);

test('a name that is not UTF-8 keeps its bytes', () => {
  const parts = splitCommandLine(line);
  assert.deepEqual(argumentBytes('a\ufffdz', parts), Uint8Array.from([0x61, 0xff, 0x7a]));
});

test('an argument that is text is taken as it stands', () => {
  assert.deepEqual(argumentBytes('né', []), Uint8Array.from(Buffer.from('né')));
  assert.deepEqual(argumentBytes('\ufffd', []), Uint8Array.from(Buffer.from('\ufffd')));
});

test('rubbing out takes one character back, and Ctrl-U the whole line', () => {
  const typed = [...'geheim'].reduce<readonly string[]>(typedAfter, []);
  assert.equal(typedAfter(typed, '\u007f').join(''), 'gehei');
  assert.equal(typedAfter(typed, '\u0015').join(''), '');
  assert.equal(typedAfter(typed, '\u001b').join(''), 'geheim');
});
