/**
 * Runs a population through its days and prints what it shows: strategies, restores after disaster, repair.
 *
 *   npm run sim:population -- --peers 100000 --days 365 --seed 1
 *   npm run sim:population -- --peers 20000 --preset open
 *   npm run sim:population -- --preset open --cheat-share 0.2   only cells with so many cheats
 *   npm run sim:population -- --preset circle --trusted         with C waived
 *   npm run sim:population -- --preset open --spare-days 2      other periods: also --grace-days, --commitment-days, --lock-days
 */
import { parseArgs } from 'node:util';
import { assert } from '../src/base/assert.ts';
import {
  type PeriodChanges,
  type PopulationChoice,
  usualPlan,
} from '../src/sim/population/plan.ts';
import { PopulationRun } from '../src/sim/population/population-run.ts';
import { tablesOf } from '../src/sim/population/tables.ts';
import { withUsage } from './script-options.ts';

const { values } = withUsage(import.meta.filename, () =>
  parseArgs({
    options: {
      peers: { type: 'string', default: '20000' },
      days: { type: 'string', default: '365' },
      seed: { type: 'string', default: '1' },
      preset: { type: 'string', default: 'circle' },
      'spare-days': { type: 'string' },
      'grace-days': { type: 'string' },
      'commitment-days': { type: 'string' },
      'lock-days': { type: 'string' },
      trusted: { type: 'boolean', default: false },
      'cheat-share': { type: 'string' },
    },
  }),
);

function wholeOf(name: 'peers' | 'days' | 'seed'): number {
  const value = Number(values[name]);
  assert(Number.isSafeInteger(value) && value > 0, `--${name} is a whole number above 0`);
  return value;
}

function changesOf(): PeriodChanges {
  const given = {
    spareDays: values['spare-days'],
    graceDays: values['grace-days'],
    commitmentDays: values['commitment-days'],
    lockDays: values['lock-days'],
  };
  const set = Object.entries(given).filter(([, days]) => days !== undefined);
  return {
    ...Object.fromEntries(set.map(([name, days]) => [name, Number(days)])),
    trusted: values.trusted,
  };
}

const { preset } = values;
assert(preset === 'circle' || preset === 'open', '--preset is circle or open');
const choice: PopulationChoice = {
  ...{ peers: wholeOf('peers'), days: wholeOf('days'), seed: wholeOf('seed') },
  ...{ preset, changes: changesOf() },
  ...(values['cheat-share'] === undefined ? {} : { cheatShare: Number(values['cheat-share']) }),
};
const plan = usualPlan(choice);
const began = performance.now();
const outcome = new PopulationRun(plan).run((day) => {
  if (process.stderr.isTTY) process.stderr.write(`\rday ${day} of ${plan.days} `);
});
if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
const seconds = (performance.now() - began) / 1_000;
const { user, system } = process.cpuUsage();
const { code } = plan.rules;
console.log(
  `${preset}${plan.rules.terms.trusted ? ', trusted' : ''}, ${code.dataShards}+${code.parityShards}: ${choice.peers} peers, ${choice.days} days, seed ${choice.seed}`,
);
for (const line of tablesOf(outcome)) console.log(line);
console.log(
  `\n${seconds.toFixed(1)} s (${((user + system) / 1e6).toFixed(1)} s of processor time), ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB, ${outcome.peers} peers ever, trace ${outcome.traceHash} of ${outcome.traceCount} events`,
);
