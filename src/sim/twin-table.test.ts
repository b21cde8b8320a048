import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Journal, sortedBy, type TwinIndex, TwinTable } from './twin-table.ts';

interface Row {
  readonly group: string;
  readonly rank: number;
  readonly name: string;
}

const index: TwinIndex<Row> = {
  groupOf: ({ group }) => group,
  orderOf: ({ rank, name }) => [rank, name],
};

type Step = { readonly key: string; readonly row: Omit<Row, 'name'> | undefined };
const step = fc.record({
  key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
  row: fc.option(fc.record({ group: fc.constantFrom('x', 'y'), rank: fc.nat(3) }), {
    nil: undefined,
  }),
});

function apply(table: TwinTable<Row>, { key, row }: Step): void {
  if (row === undefined) table.delete(key);
  else table.set(key, { ...row, name: key });
}

/** What the groups have by the plain rows. */
function wanted(table: TwinTable<Row>, group: string): readonly Row[] {
  const rows = table.values().filter((row) => row.group === group);
  return sortedBy(rows, index.orderOf);
}

test('groups are in order after any changes, also those that were taken back, and who read before sees no change', () => {
  const plan = fc.array(fc.record({ steps: fc.array(step), fails: fc.boolean() }));
  fc.assert(
    fc.property(plan, (transactions) => {
      const journal = new Journal(undefined);
      const table = new TwinTable<Row>(journal, undefined, index);
      for (const { steps, fails } of transactions) {
        const before = table.inOrder('x');
        const copy = [...before];
        try {
          journal.transact('test', () => {
            for (const each of steps) apply(table, each);
            if (fails) throw new Error('taken back');
          });
        } catch {
          assert.deepEqual(table.inOrder('x'), copy);
        }
        assert.deepEqual(before, copy);
        for (const group of ['x', 'y'])
          assert.deepEqual(table.inOrder(group), wanted(table, group));
      }
      const image = new TwinTable<Row>(journal, table.image(), index);
      for (const group of ['x', 'y']) assert.deepEqual(image.inOrder(group), wanted(table, group));
    }),
  );
});
