import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  bytesOfText,
  ColumnsBuilder,
  decodeColumns,
  encodeColumns,
  kindAt,
  nameAt,
  signatureOf,
  statAt,
  statWidth,
  textOfBytes,
} from './stat-columns.ts';

interface Row {
  readonly name: string;
  readonly numbers: readonly bigint[];
  readonly target: Uint8Array<ArrayBuffer> | undefined;
}

const byteText = fc
  .uint8Array({ minLength: 1, maxLength: 12 })
  .map((bytes) => textOfBytes(new Uint8Array(bytes)));
const rows: fc.Arbitrary<Row[]> = fc.array(
  fc.record({
    name: byteText,
    numbers: fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), {
      minLength: statWidth,
      maxLength: statWidth,
    }),
    target: fc.option(
      fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => new Uint8Array(bytes)),
      { nil: undefined },
    ),
  }),
  { maxLength: 12 },
);

function build(list: readonly Row[]): ColumnsBuilder {
  const builder = new ColumnsBuilder(2);
  for (const row of list) {
    builder.numbers.set(row.numbers, builder.nextOffset);
    builder.add(row.name, row.target);
  }
  return builder;
}

test('columns give back the rows that went in', () => {
  fc.assert(
    fc.property(rows, (list) => {
      const columns = build(list).finish();
      assert.equal(columns.count, list.length);
      list.forEach((row, index) => {
        assert.equal(textOfBytes(nameAt(columns, index)), row.name);
        assert.equal(statAt(columns, index, 'mode'), row.numbers[0]);
        assert.equal(statAt(columns, index, 'blocks'), row.numbers[statWidth - 1]);
        assert.deepEqual(columns.targets.get(index), row.target);
      });
    }),
  );
});

test('columns survive being bytes, at any alignment', () => {
  fc.assert(
    fc.property(rows, fc.nat(8), (list, shift) => {
      const columns = build(list).finish();
      const bytes = encodeColumns(columns);
      const shifted = new Uint8Array(bytes.length + shift).subarray(shift);
      shifted.set(bytes);
      const decoded = decodeColumns(shifted);
      assert.ok(decoded.ok);
      assert.deepEqual(decoded.value, columns);
    }),
  );
});

test('bytes that are cut short or longer are refused', () => {
  fc.assert(
    fc.property(rows, (list) => {
      const bytes = encodeColumns(build(list).finish());
      for (const length of [0, 8, bytes.length - 8, bytes.length - 1, bytes.length + 8]) {
        const other = new Uint8Array(Math.max(0, length));
        other.set(bytes.subarray(0, other.length));
        assert.equal(decodeColumns(other).ok, false);
      }
    }),
  );
});

test('any change of a name, number or target changes the signature', () => {
  fc.assert(
    fc.property(rows, fc.nat(), fc.nat(7), (list, place, bit) => {
      const columns = build(list).finish();
      const before = signatureOf(columns);
      const numbers = new Uint8Array(columns.numbers.buffer);
      const areas = [columns.names, numbers, ...columns.targets.values()];
      const filled = areas.filter((area) => area.length > 0);
      const area = filled[place % Math.max(1, filled.length)];
      if (area === undefined) return;
      const at = place % area.length;
      area[at] = (area[at] ?? 0) ^ (1 << bit);
      assert.notDeepEqual(signatureOf(columns), before);
    }),
  );
});

test('dropped rows leave no trace', () => {
  fc.assert(
    fc.property(rows, fc.nat(), (list, place) => {
      if (list.length === 0) return;
      const at = place % list.length;
      const builder = build(list);
      builder.drop(at);
      assert.deepEqual(builder.finish(), build(list.filter((_, index) => index !== at)).finish());
    }),
  );
});

test('kinds follow the type bits of the mode', () => {
  const numbers = [...new Array(statWidth)].map(() => 0n);
  const of = (mode: bigint) => {
    const columns = build([
      { name: 'x', numbers: [mode, ...numbers.slice(1)], target: undefined },
    ]).finish();
    return kindAt(columns, 0);
  };
  assert.equal(of(0o100644n), 'file');
  assert.equal(of(0o041777n), 'directory');
  assert.equal(of(0o120777n), 'symlink');
  assert.equal(of(0o140777n), 'socket');
  assert.equal(of(0o777n), undefined);
});

test('text of one character a byte keeps every byte', () => {
  const all = Uint8Array.from({ length: 256 }, (_, value) => value);
  assert.deepEqual(bytesOfText(textOfBytes(all)), all);
});
