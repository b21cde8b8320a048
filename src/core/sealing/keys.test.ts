import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hexText } from '../../base/bytes.ts';
import { derivedLabels, documentTypes, domains, keyLabels } from './domains.ts';
import { deriveKeys } from './keys.ts';
import { recoveryTopic, recoveryTopicCount } from './recovery-topic.ts';

const seed = fc.uint8Array({ minLength: 32, maxLength: 32 });

test('one seed gives the same eight distinct keys every time', () => {
  fc.assert(
    fc.property(seed, (rootSeed) => {
      const { peerId, ...keys } = deriveKeys(rootSeed);
      assert.deepEqual(deriveKeys(rootSeed), { peerId, ...keys });
      assert.match(peerId, /^[0-9a-f]{64}$/);
      const values = Object.values(keys);
      assert.ok(values.every((key) => key.length === 32));
      assert.equal(new Set([...values, rootSeed].map(hexText)).size, 9);
    }),
    { numRuns: 20 },
  );
});

test('seeds of another length are a programmer error', () => {
  assert.throws(() => deriveKeys(new Uint8Array(31)));
});

test('no label is used twice', () => {
  const labels = [
    ...Object.values(keyLabels),
    ...Object.values(derivedLabels),
    ...Object.values(domains),
    ...documentTypes.map((type) => `covault/v1/${type}`),
  ];
  assert.equal(new Set(labels).size, labels.length);
  for (const label of labels) assert.match(label, /^covault\/v1\/[a-z/-]+$/);
});

test('the 64 recovery topics are distinct, and there is no 65th', () => {
  const { recoveryTopicKey } = deriveKeys(new Uint8Array(32));
  const topics = Array.from({ length: recoveryTopicCount }, (_, index) =>
    hexText(recoveryTopic(recoveryTopicKey, index)),
  );
  assert.equal(new Set(topics).size, 64);
  for (const index of [-1, 64, 0.5]) assert.throws(() => recoveryTopic(recoveryTopicKey, index));
});
