import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  countedText,
  countText,
  durationText,
  parseDuration,
  parseRate,
  parseSize,
  periodText,
  roundSizeText,
  sizeText,
} from './quantities.ts';

test('sizes are decimal as written GB and binary as written GiB', () => {
  assert.equal(parseSize('50GB'), 50e9);
  assert.equal(parseSize('20GiB'), 20 * 2 ** 30);
  assert.equal(parseSize('1.5 tb'), 1.5e12);
  assert.equal(parseSize('1000'), 1000);
  assert.equal(parseSize('7k'), 7000);
});

test('what is not a size is refused', () => {
  for (const text of ['', 'GB', '-1GB', '1e9', '5 bananas', '1GB/s', '99999999TB', '0x10'])
    assert.equal(parseSize(text), undefined, text);
});

test('a rate may say per second, and is never zero', () => {
  assert.equal(parseRate('5MB/s'), 5e6);
  assert.equal(parseRate('5MiB'), 5 * 2 ** 20);
  assert.equal(parseRate('0'), undefined);
});

test('a duration needs its unit', () => {
  assert.equal(parseDuration('1d'), 86_400_000);
  assert.equal(parseDuration('90m'), 5_400_000);
  assert.equal(parseDuration('90'), undefined);
  assert.equal(parseDuration('0d'), undefined);
});

test('a shown size keeps three digits and reads back to within half a percent', () => {
  assert.equal(sizeText(0), '0 B');
  assert.equal(sizeText(999), '999 B');
  assert.equal(sizeText(999_600), '1.00 MB');
  assert.equal(sizeText(45_600_000), '45.6 MB');
  assert.equal(roundSizeText(50e9), '50 GB');
  assert.equal(roundSizeText(1.5e9), '1.5 GB');
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e15 }), (bytes) => {
      const read = parseSize(sizeText(bytes)) ?? 0;
      assert.ok(Math.abs(read - bytes) <= bytes * 0.0051 + 0.5, `${bytes} ${sizeText(bytes)}`);
      assert.ok(sizeText(bytes).length <= 7);
    }),
  );
});

test('durations are read at a glance', () => {
  assert.equal(durationText(420), '0.4 s');
  assert.equal(durationText(12_000), '12 s');
  assert.equal(durationText(185_000), '3 min 05 s');
  assert.equal(durationText(7_800_000), '2 h 10 min');
  assert.equal(durationText(274_000_000), '3 d 4 h');
});

test('counts are grouped and agree with their noun', () => {
  assert.equal(countText(1_234_567), '1,234,567');
  assert.equal(countedText(1, 'file'), '1 file');
  assert.equal(countedText(0, 'entry', 'entries'), '0 entries');
});

test('a period is told in its largest whole unit', () => {
  assert.deepEqual([21 * 86_400_000, 86_400_000, 36 * 3_600_000, 90_000, 1_500].map(periodText), [
    '21 days',
    '1 day',
    '36 hours',
    '90 seconds',
    '1.5 s',
  ]);
});
