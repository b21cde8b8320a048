import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lendingAgain, usualLendBytes } from './lending-again.ts';

test('a computer that came back lends what it promised, or what its person says', () => {
  const untouched = { said: undefined, configured: usualLendBytes };
  assert.equal(lendingAgain({ ...untouched, promised: 800_000_001 }), 900_000_000);
  assert.equal(lendingAgain({ ...untouched, promised: 3e10 }), 3e10);
  assert.equal(lendingAgain({ ...untouched, promised: 0 }), usualLendBytes);
  assert.equal(lendingAgain({ said: undefined, configured: 5e10, promised: 1e9 }), 5e10);
  assert.equal(lendingAgain({ said: 2e9, configured: usualLendBytes, promised: 1e9 }), 2e9);
});
