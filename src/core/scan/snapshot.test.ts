import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type Bytes, equalBytes, utf8Bytes } from '../../base/bytes.ts';
import { instant } from '../../base/units.ts';
import type { ChunkId } from '../vocabulary/ids.ts';
import { chunkMaximumBytes } from '../vocabulary/limits.ts';
import {
  contentProblemCount,
  FidelityCollector,
  fidelityEntriesMaximum,
  fidelityProblems,
} from './fidelity.ts';
import { decodeSnapshot, encodeSnapshot, type Snapshot, snapshotLimits } from './snapshot.ts';

const bytes = (minLength: number, maxLength: number): fc.Arbitrary<Bytes> =>
  fc.uint8Array({ minLength, maxLength }).map((array) => new Uint8Array(array));
const text = fc.string({ unit: 'grapheme', maxLength: 10 });
const fidelity = fc
  .array(fc.tuple(bytes(1, 9), fc.constantFrom(...fidelityProblems)), { maxLength: 6 })
  .map((problems) => {
    const collector = new FidelityCollector();
    for (const [path, problem] of problems) collector.note(path, problem);
    return collector.report();
  });

const snapshot: fc.Arbitrary<Snapshot> = fc.record(
  {
    time: fc.maxSafeNat().map(instant),
    hostName: text,
    userName: text,
    roots: fc.array(bytes(1, 9), { maxLength: 3 }),
    tree: fc.array(
      bytes(32, 32).map((id) => Buffer.from(id).toString('hex') as ChunkId),
      { maxLength: 2 },
    ),
    tags: fc.array(text, { maxLength: 3 }),
    excludes: fc.array(text, { maxLength: 3 }),
    counts: fc.record(
      {
        files: fc.nat(),
        directories: fc.nat(),
        symlinks: fc.nat(),
        other: fc.nat(),
        bytes: fc.maxSafeNat(),
        newBytes: fc.maxSafeNat(),
      },
      { noNullPrototype: true },
    ),
    fidelity,
    program: text,
  },
  {
    requiredKeys: [
      'time',
      'hostName',
      'roots',
      'tree',
      'tags',
      'excludes',
      'counts',
      'fidelity',
      'program',
    ],
    noNullPrototype: true,
  },
);

test('a snapshot comes back as it was', () => {
  fc.assert(
    fc.property(snapshot, (value) => {
      assert.deepEqual(decodeSnapshot(encodeSnapshot(value)), { ok: true, value });
    }),
  );
});

test('a snapshot with one byte changed is refused, or is the only encoding of another', () => {
  fc.assert(
    fc.property(snapshot, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, position, mask) => {
      const encoded = encodeSnapshot(value);
      const at = position % encoded.length;
      encoded[at] = (encoded[at] ?? 0) ^ mask;
      const outcome = decodeSnapshot(encoded);
      if (!outcome.ok) return;
      assert.notDeepEqual(outcome.value, value);
      assert.ok(equalBytes(encodeSnapshot(outcome.value), encoded));
    }),
    { numRuns: 1_000 },
  );
});

test('a snapshot that is cut short is refused', () => {
  fc.assert(
    fc.property(snapshot, fc.nat(), (value, position) => {
      const encoded = encodeSnapshot(value);
      assert.equal(decodeSnapshot(encoded.subarray(0, position % encoded.length)).ok, false);
    }),
  );
});

test('a report names the first problems and counts them all', () => {
  const collector = new FidelityCollector();
  for (let index = 0; index < fidelityEntriesMaximum + 5; index += 1)
    collector.note(utf8Bytes(`/file-${index}`), 'vanished');
  collector.note(utf8Bytes('/socket'), 'special-not-kept');
  const report = collector.report();
  assert.equal(report.entries.length, fidelityEntriesMaximum);
  assert.equal(report.counts.get('vanished'), fidelityEntriesMaximum + 5);
  assert.equal(contentProblemCount(report), fidelityEntriesMaximum + 5);
});

test('the largest snapshot that the limits allow fits one chunk', () => {
  const limits = snapshotLimits;
  const collector = new FidelityCollector();
  for (let index = 0; index < 2 * fidelityEntriesMaximum; index += 1)
    collector.note(new Uint8Array(200), 'inode-flags-not-kept');
  const largest: Snapshot = {
    time: instant(Number.MAX_SAFE_INTEGER),
    hostName: '\u4e2d'.repeat(limits.nameLength),
    userName: '\u4e2d'.repeat(limits.nameLength),
    roots: Array.from({ length: limits.roots }, () => new Uint8Array(limits.rootBytes)),
    tree: [],
    tags: Array.from({ length: limits.tags }, () => '\u4e2d'.repeat(limits.tagLength)),
    excludes: Array.from({ length: limits.excludes }, () => '\u4e2d'.repeat(limits.excludeLength)),
    counts: { files: 0, directories: 0, symlinks: 0, other: 0, bytes: 0, newBytes: 0 },
    fidelity: collector.report(),
    program: 'covault',
  };
  assert.ok(encodeSnapshot(largest).length + 64 * 1_024 <= chunkMaximumBytes);
});
