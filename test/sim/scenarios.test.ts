/** Scenarios of the simulator (`npm run sim`), on a few fixed seeds and on every seed that failed once (seeds.json). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { holds } from '../../src/sim/scenarios/conduct.ts';
import type { ScenarioEnd } from '../../src/sim/scenarios/scenario.ts';
import { scenarios, scenariosOf } from '../../src/sim/scenarios/scenario-list.ts';
import { kernels } from './scene.ts';

interface KeptSeed {
  readonly scenario: string;
  readonly seed: string;
  /** What it found. */
  readonly found: string;
}

const kept: readonly KeptSeed[] = JSON.parse(
  readFileSync(new URL('seeds.json', import.meta.url), 'utf8'),
);

async function run(name: string, seed: string): Promise<ScenarioEnd> {
  const chosen = scenariosOf(name);
  assert.ok(chosen.ok, chosen.ok ? '' : chosen.error);
  const [scenario] = chosen.value;
  assert.ok(scenario !== undefined);
  try {
    return await scenario.run({ seed, kernels });
  } catch (reason) {
    const replay = `replay: npm run sim -- --seed ${seed} --scenario ${name}`;
    throw new Error(replay, { cause: reason });
  }
}

/** Of all scenarios, those that find most in little time; `npm run sim -- --seeds 100` runs every one. */
const fixed: readonly (readonly [string, string])[] = [
  ['weather', '4'],
  ['relay', '1'],
  ['rollback', '1'],
  ['inventory-liar', '1'],
  ['hostage-taker-unknown', '1'],
];

for (const [name, seed] of fixed)
  test(`${name} with seed ${seed} comes out well`, async () => {
    await run(name, seed);
  });

for (const { scenario, seed, found } of kept)
  test(`${scenario} with seed ${seed}, which once found: ${found}`, async () => {
    await run(scenario, seed);
  });

test('the same seed and scenario give the same trace', async () => {
  const first = await run('freeloader', '2');
  assert.equal((await run('freeloader', '2')).hash, first.hash);
});

test('a scenario that is not there is named, with those that are', () => {
  const chosen = scenariosOf('sunshine');
  assert.ok(!chosen.ok);
  for (const { name } of scenarios) assert.ok(chosen.error.includes(name));
});

test('a word is found wherever it stands among other bytes', () => {
  const word = Uint8Array.of(1, 1, 2);
  assert.ok(holds(Uint8Array.of(0, 1, 1, 1, 2, 0), word));
  assert.ok(holds(word, word));
  assert.ok(!holds(Uint8Array.of(1, 1, 1, 1), word));
  assert.ok(!holds(Uint8Array.of(1, 1), word));
});
