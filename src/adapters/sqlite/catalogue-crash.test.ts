/** Processes killed in the middle of their writes: whatever they had acknowledged is there afterwards. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  contentsOf,
  heldRow,
  pack,
  packRow,
  peer,
  shardName,
} from '../../ports/stores.conformance.ts';
import { linesUntilKilled } from '../disk/killed-writer.conformance.ts';
import { openCatalogue } from './catalogue.ts';

const rounds = 5;

test('a catalogue has every transaction that was acknowledged before kill -9', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'covault-crash-'));
  const path = join(folder, 'catalog.db');
  const script = (start: number): string => `
    import { writeSync } from 'node:fs';
    import { openCatalogue } from ${JSON.stringify(import.meta.resolve('./catalogue.ts'))};
    import { contentsOf, heldRow, packRow } from
      ${JSON.stringify(import.meta.resolve('../../ports/stores.conformance.ts'))};
    const { value: stores } = openCatalogue(${JSON.stringify(path)});
    for (let number = ${start}; ; number += 1) {
      stores.transact(() => {
        stores.packs.add(packRow(number), contentsOf([number * 2, number * 2 + 1]));
        stores.held.put(heldRow(number));
      });
      writeSync(1, number + '\\n');
    }
  `;
  try {
    let next = 1;
    for (let round = 0; round < rounds; round += 1) {
      const lines = await linesUntilKilled(script(next), 20 + round * 37);
      const opened = openCatalogue(path);
      assert(opened.ok);
      const stores = opened.value;
      for (const number of lines.map(Number)) {
        assert.deepEqual(stores.packs.get(pack(number)), packRow(number));
        assert.deepEqual(
          stores.packs.contents(pack(number)),
          contentsOf([number * 2, number * 2 + 1]),
        );
        assert.deepEqual(stores.held.get(peer(1), shardName(number)), heldRow(number));
      }
      const packCount = stores.packs.all().length;
      assert(packCount - Number(lines.at(-1)) <= 1, 'at most one was not acknowledged yet');
      assert.equal(stores.held.page(peer(1), undefined, 1e6).length, packCount, 'all or nothing');
      assert.equal(stores.chunks.count(), packCount * 2);
      next = packCount + 1;
      stores.close();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
