import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstSuccess } from './first-success.ts';
import { failed, type Outcome, succeeded } from './outcome.ts';

type Way = Outcome<string, string>;

test('the first success is taken, and a later one is discarded', async () => {
  const discarded: string[] = [];
  const late = Promise.withResolvers<Way>();
  const ways = [
    late.promise,
    Promise.resolve<Way>(failed('no')),
    Promise.resolve<Way>(succeeded('a')),
  ];
  const outcome = await firstSuccess(ways, (one) => discarded.push(one));
  assert.deepEqual(outcome, succeeded('a'));
  late.resolve(succeeded('b'));
  await late.promise;
  assert.deepEqual(discarded, ['b']);
});

test('when every way fails, each failure stands in its place', async () => {
  const last = Promise.withResolvers<Way>();
  const outcome = firstSuccess([last.promise, Promise.resolve<Way>(failed('second'))], () => {
    assert.fail('nothing came');
  });
  last.resolve(failed('first'));
  assert.deepEqual(await outcome, failed(['first', 'second']));
});
