import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8Bytes } from '../../src/base/bytes.ts';
import { SimCircle } from '../claims/sim-circle.ts';

test('an owner keeps its last manifests, not all of them', async () => {
  const circle = await SimCircle.made('own manifests', 1);
  const { owner } = circle;
  const own = (): number[] =>
    [...owner.home.image().manifests.values()]
      .filter((row) => row.owner === owner.keys.peerId)
      .map(({ sequence }) => sequence)
      .sort((left, right) => left - right);
  for (let backup = 0; backup < 12; backup += 1) {
    owner.files.writeFile(`/home/file-${backup}`, utf8Bytes(`contents ${backup}`));
    await circle.backedUp();
  }
  const sequences = own();
  assert.equal(sequences.length, 8);
  assert.ok((sequences.at(-1) ?? 0) >= 12);
  assert.equal((sequences.at(-1) ?? 0) - (sequences[0] ?? 0), 7);
});
