import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { asksFirst, isConfirmed } from './confirmation.ts';

const [there, away] = [{ isTTY: true }, {}];
const plain = { yes: false, json: false };

test('somebody at a terminal is asked, unless --yes or --json was given', () => {
  assert.equal(asksFirst(plain, { stdin: there, stdout: there }), true);
  assert.equal(asksFirst({ ...plain, yes: true }, { stdin: there, stdout: there }), false);
  assert.equal(asksFirst({ ...plain, json: true }, { stdin: there, stdout: there }), false);
  assert.equal(asksFirst(plain, { stdin: away, stdout: there }), false);
  assert.equal(asksFirst(plain, { stdin: there, stdout: away }), false);
});

test('only yes is yes', async () => {
  const said = async (typed: string, signal = new AbortController().signal): Promise<boolean> => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    input.end(typed);
    const confirmed = await isConfirmed('Remove them?', { input, output, signal });
    if (!signal.aborted) assert.equal(String(output.read()), 'Remove them? [y/N] ');
    return confirmed;
  };
  for (const yes of ['y\n', 'Yes\n', ' YES \n']) assert.equal(await said(yes), true, yes);
  for (const no of ['', '\n', 'n\n', 'yep\n', 'no\ny\n']) assert.equal(await said(no), false, no);
  assert.equal(await said('y\n', AbortSignal.abort()), false);
});
