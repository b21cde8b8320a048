import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PartnerAnswer } from './answers.ts';
import { PartnerLookout } from './partner-news.ts';

test('a new partner and other terms are told once, and what else changes is not', () => {
  const [ada, bea] = ['ada', 'bea'].map(
    (name) => ({ agreement: name, name, weLendBytes: 1, lendsUsBytes: 2 }) as PartnerAnswer,
  ) as [PartnerAnswer, PartnerAnswer];
  const lookout = new PartnerLookout([ada]);
  assert.deepEqual(lookout.look([ada]), { joined: [], changed: [] });
  assert.deepEqual(lookout.look([ada, bea]), { joined: [bea], changed: [] });
  const more = { ...ada, weLendBytes: 5, reachable: true };
  assert.deepEqual(lookout.look([more, bea]), {
    joined: [],
    changed: [{ now: more, before: ada }],
  });
  assert.deepEqual(lookout.look([{ ...more, reachable: false }, bea]), { joined: [], changed: [] });
});
