import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ProgressState, progressLine } from './progress-bar.ts';

const state: ProgressState = {
  phase: 'reading files',
  startedAtMs: 1_000,
  doneBytes: 250e6,
  totalBytes: 1e9,
  doneCount: 1_200,
  totalCount: 5_000,
  counted: 'files',
};

test('the line says phase, share, counts, rate and time left', () => {
  assert.equal(
    progressLine(state, 120, 11_000),
    'reading files  [#####---------------]   25 %  1,200/5,000 files  250 MB of 1.00 GB  25.0 MB/s  30 s left',
  );
});

test('while the total is not known it promises nothing', () => {
  const unknown = { ...state, totalBytes: undefined, totalCount: undefined };
  assert.equal(
    progressLine(unknown, 120, 11_000),
    'reading files  1,200 files  250 MB  25.0 MB/s  10 s',
  );
});

test('in its first moments it gives no rate and no time left', () => {
  assert.doesNotMatch(progressLine(state, 120, 1_200), /left|\/s/);
});

test('a narrow terminal loses the bar, then details, and never wraps', () => {
  const line = progressLine(state, 50, 11_000);
  assert.match(line, /^reading files {2} 25 % .* 30 s left$/);
  fc.assert(
    fc.property(
      fc.record({
        phase: fc.string({ maxLength: 30 }),
        startedAtMs: fc.nat(1e6),
        doneBytes: fc.nat(),
        totalBytes: fc.option(fc.nat(), { nil: undefined }),
        doneCount: fc.nat(),
        totalCount: fc.option(fc.nat(), { nil: undefined }),
        counted: fc.constant('files'),
      }),
      fc.integer({ min: 0, max: 200 }),
      fc.nat(1e7),
      (any, width, now) => {
        assert.ok(progressLine(any, width, now).length <= width);
      },
    ),
  );
});

test('more done than was promised shows as 100 %', () => {
  assert.match(progressLine({ ...state, doneBytes: 2e9 }, 120, 11_000), / 100 % /);
});
