/** Processes killed in the middle of their writes: whatever they had acknowledged is there afterwards, and nothing unfinished is. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { patternBytes } from '../../ports/blob-store.conformance.ts';
import { openBlobFolder } from './blob-folder.ts';
import { linesUntilKilled } from './killed-writer.conformance.ts';

const rounds = 5;
const blockBytes = 65_536;

test('a blob folder has every blob and block acknowledged before kill -9', async () => {
  const path = mkdtempSync(join(tmpdir(), 'covault-crash-'));
  const script = (start: number): string => `
    import { writeSync } from 'node:fs';
    import { openBlobFolder } from ${JSON.stringify(import.meta.resolve('./blob-folder.ts'))};
    import { patternBytes } from
      ${JSON.stringify(import.meta.resolve('../../ports/blob-store.conformance.ts'))};
    const blobs = await openBlobFolder(${JSON.stringify(path)});
    for (let number = ${start}; ; number += 1) {
      await blobs.write('packs/p' + number, patternBytes(300_000, number));
      writeSync(1, 'whole ' + number + '\\n');
      for (let block = 0; block < 3; block += 1) {
        await blobs.grow('shards/s' + number, block * ${blockBytes}, patternBytes(${blockBytes}, number + block));
        await blobs.sync('shards/s' + number);
        writeSync(1, 'grown ' + number + ' ' + (block + 1) + '\\n');
      }
      await blobs.finish('shards/s' + number);
      writeSync(1, 'finished ' + number + '\\n');
    }
  `;
  try {
    for (let round = 0; round < rounds; round += 1) {
      const lines = await linesUntilKilled(script(round * 1000), 11 + round * 13);
      const blobs = await openBlobFolder(path);
      for (const line of lines) {
        const [what, number, blocks] = line.split(' ');
        if (what === 'whole') {
          const read = await blobs.read(`packs/p${number}`);
          assert(read.ok);
          assert.deepEqual(read.value, patternBytes(300_000, Number(number)));
        } else if (what === 'finished') {
          assert.equal(await blobs.size(`shards/s${number}`), 3 * blockBytes);
        } else if (!(await blobs.size(`shards/s${number}`))) {
          const acknowledged = Number(blocks) * blockBytes;
          assert((await blobs.grown(`shards/s${number}`)) >= acknowledged);
        }
      }
      for (const name of await blobs.list('packs/'))
        assert.equal(await blobs.size(name), 300_000, 'no blob is half written');
      assert(readdirSync(join(path, 'packs')).every((name) => !name.includes('+')));
      await blobs.close();
    }
  } finally {
    rmSync(path, { recursive: true });
  }
});
