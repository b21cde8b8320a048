import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exitCodes } from './exit-codes.ts';
import { messages } from './messages.ts';

/** That there is a message for every code is the compiler's affair: the table's type demands each of them. */

test('every message says in sentences what happened, what it means, and what to do', () => {
  for (const [code, message] of Object.entries(messages)) {
    for (const part of [message.happened, message.meaning, message.advice]) {
      assert.match(part, /^(?:[`A-Z]|covault )/, code);
      assert.ok(part.length >= 15 && part.length <= 200, `${code}: ${part.length} characters`);
    }
    assert.match(message.happened, /\.$/, code);
    assert.match(message.meaning, /\.$/, code);
  }
});

test('codes are dotted, lower-case and stable in form', () => {
  for (const code of Object.keys(messages)) assert.match(code, /^[a-z-]+\.[a-z-]+$/);
});

test('every exit code is one of the contract, and failures never look like success', () => {
  const known = new Set<number>(Object.values(exitCodes));
  for (const [code, { exit }] of Object.entries(messages)) {
    assert.ok(known.has(exit), code);
    assert.notEqual(exit, exitCodes.ok, code);
  }
});

test('the exit codes that scripts rely on stand where the contract puts them', () => {
  const exits = Object.fromEntries(
    Object.entries(messages).map(([code, { exit }]) => [code, exit]),
  );
  assert.equal(exits['home.missing'], 10);
  assert.equal(exits['home.in-use'], 11);
  assert.equal(exits['key.wrong-passphrase'], 12);
  assert.equal(exits['words.bad-checksum'], 12);
  assert.equal(exits['restore.too-few-partners'], 13);
  assert.equal(exits['restore.integrity'], 14);
  assert.equal(exits['spool.no-space'], 15);
  assert.equal(exits['operation.internal'], 70);
});
