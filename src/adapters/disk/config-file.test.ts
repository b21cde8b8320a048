import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  checkedConfig,
  configNames,
  configValue,
  defaultConfig,
  readConfig,
  withConfigValue,
  writeConfig,
} from './config-file.ts';

function pathFor(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'covault-config-'));
  context.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'config.json');
}

test('a home without a file has the defaults', (context) => {
  const outcome = readConfig(pathFor(context));
  assert(outcome.ok);
  assert.deepEqual(outcome.value, defaultConfig());
  assert.equal(outcome.value.spool.capBytes, 4 * 1024 ** 3);
});

test('a written configuration is read back, and is private', (context) => {
  const path = pathFor(context);
  const changed = withConfigValue(defaultConfig(), 'lend.spaceBytes', '50000000000');
  assert(changed.ok);
  assert(writeConfig(path, changed.value).ok);
  const read = readConfig(path);
  assert(read.ok);
  assert.equal(read.value.lend.spaceBytes, 50_000_000_000);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('every name can be got, and set to what it has', () => {
  const config = defaultConfig();
  for (const name of configNames()) {
    const value = configValue(config, name);
    assert(value.ok);
    const text = typeof value.value === 'string' ? value.value : JSON.stringify(value.value);
    assert.deepEqual(withConfigValue(config, name, text), { ok: true, value: config });
  }
});

test('an unknown key names the nearest known one', () => {
  const cases = [
    [{ lend: { spaceByte: 1 } }, 'lend.spaceByte', 'lend.spaceBytes'],
    [{ nam: 'x' }, 'nam', 'name'],
    [{ backup: { excludePattern: [] } }, 'backup.excludePattern', 'backup.excludePatterns'],
  ] as const;
  for (const [value, name, nearest] of cases)
    assert.deepEqual(checkedConfig(value), {
      ok: false,
      error: { code: 'config.unknown-key', name, nearest },
    });
  const set = withConfigValue(defaultConfig(), 'uplod.limitBytesPerSecond', '1');
  assert(!set.ok && set.error.code === 'config.unknown-key');
  assert.equal(set.error.nearest, 'upload.limitBytesPerSecond');
});

test('values out of bounds are refused by name', () => {
  const bad = [
    ['lend.spaceBytes', '-1'],
    ['lend.spaceBytes', '1.5'],
    ['lend.spaceBytes', '50GB'],
    ['spool.capBytes', '1'],
    ['backup.compressionLevel', '20'],
    ['backup.sources', '["relative"]'],
    ['network.listen', '["0.0.0.0:4747"]'],
    ['network.multicast', '"yes"'],
    ['log.level', 'loud'],
    ['upload.limitBytesPerSecond', '0'],
  ] as const;
  for (const [name, text] of bad) {
    const outcome = withConfigValue(defaultConfig(), name, text);
    assert(!outcome.ok && outcome.error.code === 'config.bad-value', `${name} = ${text}`);
    assert(outcome.error.name.startsWith(name));
  }
});

test('a file that is no JSON is unreadable', (context) => {
  const path = pathFor(context);
  writeFileSync(path, '{ "name": ');
  const outcome = readConfig(path);
  assert(!outcome.ok);
  assert.equal(outcome.error.code, 'config.unreadable');
});

test('a setting that is a word or a switch can be set to either, and back', () => {
  for (const [text, stored] of [
    ['true', true],
    ['auto', 'auto'],
    ['false', false],
  ] as const) {
    const changed = withConfigValue(defaultConfig(), 'partners.seek', text);
    assert(changed.ok);
    assert.equal(changed.value.partners.seek, stored);
    const back = withConfigValue(changed.value, 'partners.seek', 'auto');
    assert(back.ok && back.value.partners.seek === 'auto');
  }
  const wrong = withConfigValue(defaultConfig(), 'partners.seek', 'perhaps');
  assert(!wrong.ok && wrong.error.code === 'config.bad-value');
  assert.equal(wrong.error.detail, 'true, false or auto');
  const number = withConfigValue(defaultConfig(), 'name', '4711');
  assert(number.ok && number.value.name === '4711');
});

test('periods have the bounds of the terms that they become', () => {
  for (const [name, text] of [
    ['partners.graceSeconds', '0.5'],
    ['partners.auditIntervalSeconds', '2592001'],
    ['partners.commitmentSeconds', '-1'],
    ['partners.overlapHours', '169'],
    ['place.country', 'Germany'],
    ['place.latitude', '91'],
  ] as const) {
    const outcome = withConfigValue(defaultConfig(), name, text);
    assert(!outcome.ok && outcome.error.code === 'config.bad-value', name);
    assert.equal(outcome.error.name, name);
  }
});
