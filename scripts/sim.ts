/**
 * Runs scenarios of the simulator (docs/simulation.md): whole engines in a world of faults and cheats, every one decided by its seed.
 *
 *   npm run sim -- --list
 *   npm run sim -- --scenario weather --seed 17
 *   npm run sim -- --seeds 100 --jobs 4
 *   npm run sim -- --minutes 10 --first 5000
 *   npm run sim -- --spread 100 --drawn 5 --twice
 *
 * Exit code 1 when a run fails, or two runs of a seed differ; the last lines are the commands that repeat what failed.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { scenariosOf } from '../src/sim/scenarios/scenario-list.ts';
import { withUsage } from './script-options.ts';
import { failedRun, type RunReport, replayOf, type SimRun } from './sim/one-run.ts';
import { runAll } from './sim/run-pool.ts';
import { type SeedWishes, seedsToRun } from './sim/seeds-to-run.ts';

const { values } = withUsage(import.meta.filename, () =>
  parseArgs({
    options: {
      scenario: { type: 'string', default: 'all' },
      seed: { type: 'string' },
      seeds: { type: 'string', default: '1' },
      first: { type: 'string', default: '1' },
      minutes: { type: 'string' },
      spread: { type: 'string' },
      drawn: { type: 'string', default: '0' },
      twice: { type: 'boolean', default: false },
      /** Processes; as many as there are cores, unless told. */
      jobs: { type: 'string', default: String(availableParallelism()) },
      list: { type: 'boolean', default: false },
    },
  }),
);

function wishes(): SeedWishes {
  const { seed, seeds, first, minutes, spread, drawn, twice } = values;
  return {
    ...{ seed, twice, seeds: Number(seeds), first: Number(first), drawn: Number(drawn) },
    untilMs: minutes === undefined ? undefined : performance.now() + Number(minutes) * 60_000,
    spread: spread === undefined ? undefined : Number(spread),
  };
}

async function main(): Promise<number> {
  const chosen = scenariosOf(values.scenario);
  if (!chosen.ok) {
    console.error(chosen.error);
    return 2;
  }
  if (values.list) {
    for (const { name, about } of chosen.value) console.log(`${name.padEnd(20)} ${about}`);
    return 0;
  }
  const hashes = new Map<string, string>();
  const failures: SimRun[] = [];
  let passed = 0;
  const onReport = (run: SimRun, told: RunReport): void => {
    const name = `${run.scenario} ${run.seed}`;
    const before = hashes.get(name);
    const isOther = before !== undefined && told.hash !== undefined && told.hash !== before;
    const report = isOther ? failedRun(run, `another trace than before (${before})`) : told;
    if (report.hash === undefined) failures.push(run);
    else {
      passed += 1;
      hashes.set(name, report.hash);
    }
    console.log(report.text);
  };
  const names = chosen.value.map(({ name }) => name);
  await runAll(seedsToRun(names, wishes()), { jobs: Number(values.jobs), onReport });
  console.log(`${passed} runs passed, ${failures.length} failed`);
  for (const run of failures) console.log(`replay: ${replayOf(run)}`);
  return failures.length === 0 ? 0 : 1;
}

process.exitCode = await main();
