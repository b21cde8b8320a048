import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settingText } from './commands/config.ts';
import { reachProblem } from './commands/invitations.ts';
import { withKitFile } from './commands/kit.ts';
import { addressValue, daysValue, hostPortValue, isLoopback } from './option-values.ts';

test('an address says how, where and at which port, and perhaps who', () => {
  const peer = 'ab'.repeat(32);
  for (const good of [
    '/ip4/192.0.2.7/tcp/4747',
    '/ip6/::1/tcp/0',
    '/dns/nas.example/tcp/4747',
    `/ip4/192.0.2.7/tcp/4747/p2p/${peer}`,
  ])
    assert.equal(addressValue(good), good);
  for (const bad of ['192.0.2.7:4747', '/ip4/192.0.2.7', '/udp/1', `/ip4/1.2.3.4/tcp/1/p2p/ab`])
    assert.throws(() => addressValue(bad), bad);
});

test('a host and a port, or a port alone on loopback', () => {
  assert.deepEqual(hostPortValue('127.0.0.1:4748'), { host: '127.0.0.1', port: 4748 });
  assert.deepEqual(hostPortValue('[::1]:0'), { host: '::1', port: 0 });
  assert.deepEqual(hostPortValue('4748'), { host: '127.0.0.1', port: 4748 });
  for (const bad of ['', 'host', 'a:b:1', '1:99999', 'host:'])
    assert.throws(() => hostPortValue(bad));
});

test('only loopback is loopback', () => {
  for (const host of ['127.0.0.1', '127.1.2.3', 'localhost', '::1']) assert.ok(isLoopback(host));
  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'localhost.example', '127.0.0.1.example'])
    assert.equal(isLoopback(host), false, host);
});

test('days are a number above nothing and at most a year', () => {
  assert.equal(daysValue('1'), 86_400_000);
  assert.equal(daysValue('0.5'), 43_200_000);
  for (const bad of ['0', '-1', '1d', '400', '']) assert.throws(() => daysValue(bad));
});

test('an invitation that nobody can take up is noticed', () => {
  assert.match(reachProblem([]) ?? '', /nobody will be able to join/);
  assert.match(reachProblem(['/ip4/127.0.0.1/tcp/1']) ?? '', /no other computer can reach it/);
  assert.equal(reachProblem(['/ip4/127.0.0.1/tcp/1', '/ip4/192.0.2.7/tcp/1']), undefined);
});

test('--json has a file behind it in kit export, and none elsewhere', () => {
  assert.deepEqual(withKitFile(['kit', 'export', '--json', 'f']), ['kit', 'export', '--file', 'f']);
  assert.deepEqual(withKitFile(['--json', 'kit', 'export', '--json=f']), [
    '--json',
    'kit',
    'export',
    '--file=f',
  ]);
  assert.deepEqual(withKitFile(['--json', 'kit', 'show']), ['--json', 'kit', 'show']);
});

test('settings take sizes, rates and several words for a list', () => {
  assert.equal(settingText('lend.spaceBytes', ['50GB'], false), '50000000000');
  assert.equal(settingText('upload.limitBytesPerSecond', ['5MB/s'], false), '5000000');
  assert.equal(settingText('upload.limitBytesPerSecond', ['null'], false), 'null');
  assert.equal(settingText('backup.sources', ['/a', '/b'], true), '["/a","/b"]');
  assert.equal(settingText('network.listen', ['["/a"]'], true), '["/a"]');
  assert.equal(settingText('name', ['a', 'b'], false), undefined);
});
