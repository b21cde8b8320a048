import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type Bytes, compareBytes, concatBytes, equalBytes, utf8Bytes } from '../../base/bytes.ts';
import { decodeCbor } from '../../base/codec.ts';
import type { ChunkId } from '../vocabulary/ids.ts';
import { chunkMaximumBytes } from '../vocabulary/limits.ts';
import { decodeTree, encodeTree, splitTree } from './tree-codec.ts';
import { entryKinds, safeName, type TreeEntry } from './tree-entry.ts';

const bytes = (minLength: number, maxLength: number): fc.Arbitrary<Bytes> =>
  fc.uint8Array({ minLength, maxLength }).map((array) => new Uint8Array(array));
const chunkId = bytes(32, 32).map((id) => Buffer.from(id).toString('hex') as ChunkId);
const owner = fc.record(
  {
    uid: fc.nat(0xffff_ffff),
    gid: fc.nat(0xffff_ffff),
    userName: fc.string({ unit: 'grapheme', maxLength: 8 }),
    groupName: fc.string({ unit: 'grapheme', maxLength: 8 }),
  },
  { requiredKeys: ['uid', 'gid'], noNullPrototype: true },
);
const uint64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const extras = fc.record(
  {
    hardLink: fc.record({ device: uint64, inode: uint64 }, { noNullPrototype: true }),
    sparse: fc.constant(true),
    extensions: fc.constant(new Map([[3, new Map([[utf8Bytes('user.a').toString(), 1]])]])),
  },
  { requiredKeys: [], noNullPrototype: true },
);

const entry: fc.Arbitrary<TreeEntry> = fc
  .record({
    name: bytes(1, 12).filter(safeName),
    kind: fc.constantFrom(...entryKinds),
    mode: fc.nat(0o7777),
    owner,
    modifiedNs: fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }),
    sizeBytes: fc.maxSafeNat(),
    content: fc.array(chunkId, { maxLength: 3 }),
    target: bytes(1, 20).filter((target) => !target.includes(0)),
    extras,
  })
  .map(({ owner: owned, extras: more, content, target, sizeBytes, ...rest }) => ({
    ...rest,
    ...owned,
    sizeBytes: rest.kind === 'file' ? sizeBytes : 0,
    content: rest.kind === 'file' || rest.kind === 'directory' ? content : [],
    ...(rest.kind === 'symlink' ? { target } : {}),
    ...more,
  }));

const tree = fc
  .uniqueArray(entry, { maxLength: 12, selector: ({ name }) => name.toString() })
  .map((entries) => entries.sort((left, right) => compareBytes(left.name, right.name)));

function plainEntry(name: Bytes): TreeEntry {
  return {
    name,
    kind: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    modifiedNs: 0n,
    sizeBytes: 0,
    content: [],
  };
}

/** A tree with these names, whatever they are: written over harmless ones of the same lengths. */
function treeNamed(...names: string[]): Bytes {
  const safe = names.map((name, index) => String.fromCharCode(0x61 + index).repeat(name.length));
  const encoded = encodeTree(safe.map((name) => plainEntry(utf8Bytes(name))));
  const joined = Buffer.from(names.join(''), 'latin1');
  const before = [0x40 + names.length, ...names.map((name) => name.length), 0x40 + joined.length];
  encoded.set(joined, Buffer.from(encoded).indexOf(Buffer.from(before)) + before.length);
  return encoded;
}

function failureOf(encoded: Uint8Array): string {
  const outcome = decodeTree(encoded);
  return outcome.ok ? 'accepted' : outcome.error.code;
}

test('a tree comes back as it was', () => {
  fc.assert(
    fc.property(tree, (entries) => {
      assert.deepEqual(decodeTree(encodeTree(entries)), { ok: true, value: entries });
    }),
  );
});

test('a tree is deterministic CBOR like every other document', () => {
  fc.assert(
    fc.property(tree, (entries) => {
      const encoded = encodeTree(entries);
      const decoded = decodeCbor(encoded, encoded.length);
      assert.ok(decoded.ok && Array.isArray(decoded.value));
      assert.deepEqual(decoded.value.slice(0, 3), ['covault/tree', 1, entries.length]);
    }),
  );
});

test('a tree with one byte changed is refused, or is the only encoding of another tree', () => {
  fc.assert(
    fc.property(tree, fc.nat(), fc.integer({ min: 1, max: 255 }), (entries, position, mask) => {
      const encoded = encodeTree(entries);
      const at = position % encoded.length;
      encoded[at] = (encoded[at] ?? 0) ^ mask;
      const outcome = decodeTree(encoded);
      if (!outcome.ok) return;
      assert.notDeepEqual(outcome.value, entries);
      assert.ok(equalBytes(encodeTree(outcome.value), encoded));
    }),
    { numRuns: 2_000 },
  );
});

test('a tree that is cut short or has more bytes behind it is refused', () => {
  fc.assert(
    fc.property(tree, fc.nat(), (entries, position) => {
      const encoded = encodeTree(entries);
      assert.equal(decodeTree(encoded.subarray(0, position % encoded.length)).ok, false);
      assert.equal(decodeTree(concatBytes([encoded, new Uint8Array(1)])).ok, false);
    }),
  );
});

test('random bytes are refused', () => {
  fc.assert(
    fc.property(bytes(0, 200), (noise) => {
      assert.equal(decodeTree(noise).ok, false);
    }),
  );
});

test('names that lead out of their directory are refused', () => {
  for (const name of ['a/b', '/', '..', '.', 'a\0b', '\0', '../../etc/passwd'])
    assert.equal(failureOf(treeNamed(name)), 'tree.hostile-name', JSON.stringify(name));
});

test('names like hidden files and three dots are kept', () => {
  for (const name of ['...', '.a', '..a', '\\', 'C:', '\xff\xfe'])
    assert.equal(failureOf(treeNamed(name)), 'accepted', JSON.stringify(name));
});

test('names twice or out of order are refused', () => {
  assert.equal(failureOf(treeNamed('aa', 'aa')), 'tree.not-sorted');
  assert.equal(failureOf(treeNamed('b', 'a')), 'tree.not-sorted');
});

test('empty names are refused', () => {
  const encoded = encodeTree([plainEntry(utf8Bytes('a'))]);
  const at = Buffer.from(encoded).indexOf(Buffer.from([0x41, 1, 0x41, 0x61]));
  const emptied = concatBytes([
    encoded.subarray(0, at),
    Uint8Array.of(0x41, 0, 0x40),
    encoded.subarray(at + 4),
  ]);
  assert.equal(failureOf(emptied), 'tree.hostile-name');
});

test('a tree of a later version is refused as such', () => {
  const encoded = encodeTree([]);
  encoded[Buffer.from(encoded).indexOf('tree') + 4] = 2;
  assert.equal(failureOf(encoded), 'tree.unknown-version');
});

test('a large tree is split into chunks that join to the same bytes', () => {
  const large = new Uint8Array(2 * chunkMaximumBytes + 1).fill(7);
  const pieces = splitTree(large);
  assert.deepEqual(
    pieces.map((piece) => piece.length),
    [chunkMaximumBytes, chunkMaximumBytes, 1],
  );
  assert.ok(equalBytes(concatBytes(pieces), large));
});

test('times before 1970 and far in the future are kept to the nanosecond', () => {
  for (const modifiedNs of [-1n, -1_000_000_000n, -1_000_000_001n, 10n ** 19n + 1n]) {
    const outcome = decodeTree(encodeTree([{ ...plainEntry(utf8Bytes('a')), modifiedNs }]));
    assert.equal(outcome.ok && outcome.value[0]?.modifiedNs, modifiedNs);
  }
});
