import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forgettingText } from './partners.ts';

test('before a partner is forgotten it is said what lies there and here, and what loses nothing', () => {
  const text = forgettingText({ name: 'a\u001b[31mda', holdsBytes: 1.2e9, weHoldBytes: 3e8 });
  assert.match(text, /holds 1\.20 GB of yours, and you hold 300 MB for it/);
  assert.match(text, /counts as lost.*`covault partners leave` moves both first\.$/);
  assert.ok(!text.includes('\u001b'));
});
