import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeLifecycle } from '../../core/partners/lifecycle-codec.ts';
import type { LifecyclePhase } from '../../core/partners/lifecycle-phase.ts';
import { lifecycleStart } from '../../core/partners/lifecycle-state.ts';
import { agreedPair } from '../../sim/agreed-pair.ts';
import { Notifier } from '../work/notifier.ts';
import { LifecycleKeeper } from './lifecycle-keeper.ts';

/** Effects of a new life, with a partnership in this phase and so much time left to serve it. */
function resumed(phase: LifecyclePhase, keptLeftMs: number): readonly string[] {
  const { stores, clock, log, agreement } = agreedPair(1 << 20);
  const told: string[] = [];
  const keeper = new LifecycleKeeper({
    ...{ stores, clock, log, changes: new Notifier() },
    spareAfterMs: 1_000,
    proves: () => true,
    onEffect: (_row, { type }) => told.push(type),
  });
  const begun = lifecycleStart(keeper.periodsOf(agreement), clock.now());
  const lifecycle = encodeLifecycle({ ...begun, phase, keptLeftMs });
  stores.agreements.put({ ...agreement, phase, lifecycle });
  keeper.resume();
  return told;
}

test('what a crash kept from being let go of is let go of in the next life: of former partners only, and when their time is over', () => {
  assert.deepEqual(resumed('standing', 0), []);
  assert.deepEqual(resumed('suspended', 0), []);
  for (const phase of ['ended', 'reneged'] as const) {
    assert.deepEqual(resumed(phase, 0), ['discard']);
    assert.deepEqual(resumed(phase, 5_000), []);
  }
});
