/**
 * Runs scenarios of the simulator (docs/simulation.md): whole engines in a world of faults and cheats, every one decided by its seed.
 *
 *   npm run sim -- --list
 *   npm run sim -- --scenario weather --seed 17
 *   npm run sim -- --seeds 100
 *   npm run sim -- --minutes 10 --first 5000
 *
 * Exit code 1 when a run fails; its last line is the command that repeats it.
 */
import { parseArgs } from 'node:util';
import { loadKernels } from '../src/adapters/kernels/kernel-files.ts';
import type { Scenario } from '../src/sim/scenarios/scenario.ts';
import { scenarios, scenariosOf } from '../src/sim/scenarios/scenario-list.ts';

const { values } = parseArgs({
  options: {
    scenario: { type: 'string', default: 'all' },
    /** One seed, whatever text. */
    seed: { type: 'string' },
    /** So many seeds, numbered from `first`. */
    seeds: { type: 'string' },
    first: { type: 'string', default: '1' },
    /** New seeds for so long. */
    minutes: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
});

const kernels = loadKernels();

async function runSeed(scenario: Scenario, seed: string): Promise<boolean> {
  const begin = performance.now();
  const took = (): string => `${((performance.now() - begin) / 1_000).toFixed(1)} s`;
  try {
    const { hash, virtualMs, notes } = await scenario.run({ seed, kernels });
    const hours = (virtualMs / 3_600_000).toFixed(2);
    const facts = [`${hours} virtual hours in ${took()}`, ...notes, `trace ${hash.slice(0, 16)}`];
    console.log(`pass ${scenario.name} ${seed}: ${facts.join('; ')}`);
    return true;
  } catch (reason) {
    console.log(`FAIL ${scenario.name} ${seed}, in ${took()}`);
    console.log(reason);
    console.log(`replay: npm run sim -- --seed ${seed} --scenario ${scenario.name}`);
    return false;
  }
}

function* seedsToRun(): Generator<string> {
  const { seed, seeds, minutes } = values;
  const first = Number(values.first);
  if (seed !== undefined) {
    yield seed;
    return;
  }
  const until = minutes === undefined ? 0 : performance.now() + Number(minutes) * 60_000;
  const least = minutes === undefined ? Number(seeds ?? 1) : 1;
  for (let count = 0; count < least || performance.now() < until; count += 1)
    yield String(first + count);
}

async function main(): Promise<number> {
  const chosen = scenariosOf(values.scenario);
  if (!chosen.ok) {
    console.error(chosen.error);
    return 2;
  }
  if (values.list) {
    for (const { name, about } of scenarios) console.log(`${name.padEnd(20)} ${about}`);
    return 0;
  }
  const counts = { passed: 0, failed: 0 };
  for (const seed of seedsToRun())
    for (const scenario of chosen.value)
      counts[(await runSeed(scenario, seed)) ? 'passed' : 'failed'] += 1;
  console.log(`${counts.passed} runs passed, ${counts.failed} failed`);
  return counts.failed === 0 ? 0 : 1;
}

process.exitCode = await main();
