import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changedTermsLine, shortfallLine, signedLine } from './terms-text.ts';

const signed = { weLendBytes: 8e8, lendsUsBytes: 3e8, trusted: true };

test('what both signed is said, and what is missing of what was asked for', () => {
  assert.equal(signedLine('fay', signed), 'Both signed: fay lends you 300 MB, you lend it 800 MB.');
  assert.equal(shortfallLine('fay', signed, { lend: 8e8, want: 3e8 }), undefined);
  assert.equal(shortfallLine('fay', signed, {}), undefined);
  const short = shortfallLine('fay', signed, { lend: 5e10, want: 1e9 });
  assert.match(short ?? '', /it was to lend you 1 GB, and you were to lend it 50 GB\. By itself/);
  assert.match(
    shortfallLine('fay', { ...signed, trusted: false }, { want: 1e9 }) ?? '',
    /grows with the time/,
  );
});

test('a daemon tells of terms that others asked for', () => {
  const before = { name: 'ada', weLendBytes: 2e8, lendsUsBytes: 2e8 };
  assert.equal(
    changedTermsLine({ ...before, id: 'ab'.repeat(32), weLendBytes: 5e8 }, before),
    'Other terms were signed with ada (abababababab): it lends you 200 MB, you lend it 500 MB (before: 200 MB and 200 MB).',
  );
});
