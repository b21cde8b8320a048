import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configNames } from '../adapters/disk/config-file.ts';
import { settingText } from './commands/config.ts';
import { settingWords } from './setting-words.ts';

test('there are words for every setting, and for no other', () => {
  assert.deepEqual(Object.keys(settingWords).sort(), [...configNames()]);
});

test('periods are typed with their unit, or in seconds', () => {
  assert.equal(settingText('partners.graceSeconds', ['30d'], false), '2592000');
  assert.equal(settingText('partners.graceSeconds', ['90min'], false), '5400');
  assert.equal(settingText('partners.graceSeconds', ['2.5'], false), '2.5');
  assert.equal(settingText('partners.graceSeconds', ['null'], false), 'null');
  assert.equal(settingText('partners.rampBytes', ['1GB'], false), '1000000000');
});
