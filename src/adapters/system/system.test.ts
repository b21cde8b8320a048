import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openEventLog } from './event-log-file.ts';
import { systemClock } from './system-clock.ts';
import { systemRandom } from './system-random.ts';

function folderFor(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'covault-log-'));
  context.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('the clock tells the time, and a sleep ends when it is called off', async () => {
  const clock = systemClock();
  assert(Math.abs(clock.now() - Date.now()) < 1000);
  await clock.sleep(0);
  await clock.sleep(-5);
  const controller = new AbortController();
  const sleeping = clock.sleep(100 * 24 * 3_600_000, controller.signal);
  controller.abort();
  await sleeping;
  await clock.sleep(3_600_000, controller.signal);
});

test('random bytes have the wanted number and differ', () => {
  const random = systemRandom();
  assert.equal(random.bytes(0).length, 0);
  assert.equal(random.bytes(100_000).length, 100_000);
  assert.notDeepEqual(random.bytes(32), random.bytes(32));
});

test('events are lines of JSON in a private file, secrets struck out', (context) => {
  const folder = folderFor(context);
  const log = openEventLog(folder);
  log.write('info', 'shard.acknowledged', { index: 3, seed: 'abandon ability' });
  log.write('debug', 'too.fine');
  log.write('error', 'disk.full');
  log.close();
  const path = join(folder, 'covault.log');
  const text = readFileSync(path, 'utf8');
  const [first, second, ...rest] = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual([first.level, first.event, first.index], ['info', 'shard.acknowledged', 3]);
  assert.deepEqual([second.level, second.event, rest.length], ['error', 'disk.full', 0]);
  assert(!text.includes('abandon'));
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('a log that grows too large is put aside, and three old ones are kept', (context) => {
  const folder = folderFor(context);
  const log = openEventLog(folder, { rotateBytes: 10_000 });
  for (let count = 0; count < 3000; count += 1) log.write('info', 'event.happened', { count });
  log.close();
  const files = readdirSync(folder).sort();
  assert.deepEqual(files, ['covault.1.log', 'covault.2.log', 'covault.3.log', 'covault.log']);
  const newest = readFileSync(join(folder, 'covault.log'), 'utf8').trim().split('\n').at(-1) ?? '';
  assert.equal(JSON.parse(newest).count, 2999);
});
