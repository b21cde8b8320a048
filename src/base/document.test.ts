import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { encodeCbor } from './codec.ts';
import { decodeDocument, decodeFields, encodeDocument, type FieldReader } from './document.ts';

const kind = { magic: 'test/thing', version: 1, limitBytes: 100 };

function codeOf(bytes: Uint8Array, read: (fields: FieldReader) => unknown): string {
  const outcome = decodeDocument(kind, bytes, read);
  return outcome.ok ? 'accepted' : outcome.error.code;
}

const readNumber = (fields: FieldReader): number => fields.uint(9);

test('a document is read by its magic and version only', () => {
  assert.equal(codeOf(encodeDocument(kind, [7]), readNumber), 'accepted');
  assert.equal(codeOf(encodeCbor(['other', 1, 7]), readNumber), 'document.wrong-magic');
  assert.equal(codeOf(encodeCbor(['test/thing', 2, 7]), readNumber), 'document.unknown-version');
  assert.equal(codeOf(encodeCbor(7), readNumber), 'document.wrong-magic');
});

test('fields too many, too few, too large or of another kind are refused', () => {
  for (const fields of [[], [7, 7], [10], [-1], ['7'], [null], [[7]], [true]])
    assert.equal(codeOf(encodeDocument(kind, fields), readNumber), 'document.bad-field');
});

test('a document over its limit is refused before it is read', () => {
  const long = encodeCbor(['test/thing', 1, new Uint8Array(200)]);
  assert.equal(
    codeOf(long, (fields) => fields.bytes({ maximum: 999 })),
    'codec.too-long',
  );
});

test('lists and records are bounded, and read to their end', () => {
  const readPairs = (fields: FieldReader): unknown =>
    fields.list(2, (list) => list.record((pair) => [pair.uint(), pair.text(3)]));
  assert.equal(codeOf(encodeDocument(kind, [[[1, 'a']]]), readPairs), 'accepted');
  for (const list of [
    [[1, 'a', 2]],
    [[1]],
    [[1, 'abcd']],
    [
      [1, ''],
      [2, ''],
      [3, ''],
    ],
    [1],
  ])
    assert.equal(codeOf(encodeDocument(kind, [list]), readPairs), 'document.bad-field');
});

test('what may be missing is null, and nothing else', () => {
  const readOptional = (fields: FieldReader): unknown => fields.optional((field) => field.flag());
  assert.equal(codeOf(encodeDocument(kind, [null]), readOptional), 'accepted');
  assert.equal(codeOf(encodeDocument(kind, [true]), readOptional), 'accepted');
  assert.equal(codeOf(encodeDocument(kind, [0]), readOptional), 'document.bad-field');
  assert.equal(codeOf(encodeDocument(kind, []), readOptional), 'document.bad-field');
});

test('numbers of 64 bits come back whole', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), (value) => {
      const outcome = decodeFields(encodeCbor([value]), 100, (fields) => fields.uint64());
      assert.deepEqual(outcome, { ok: true, value });
    }),
  );
  assert.equal(decodeFields(encodeCbor([-1]), 100, (fields) => fields.uint64()).ok, false);
});

test('a mistake in the reading program is no failure of the document', () => {
  assert.throws(() =>
    decodeDocument(kind, encodeDocument(kind, []), () => {
      throw new RangeError('a mistake');
    }),
  );
});
