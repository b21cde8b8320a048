/** The scenarios there are, by name. */
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { betrayals } from './betrayals.ts';
import { cheatScenarios } from './cheats.ts';
import { colluderScenarios } from './colluders.ts';
import { disrupters } from './disrupter.ts';
import { evaders } from './evaders.ts';
import { hopperScenarios } from './hoppers.ts';
import { liarScenarios } from './liars.ts';
import type { Scenario } from './scenario.ts';
import { slander } from './slander.ts';
import { takers } from './takers.ts';
import { toldLosses } from './told-losses.ts';
import { twinScenarios } from './twins.ts';
import { weather } from './weather.ts';

export const scenarios: readonly Scenario[] = [
  weather,
  ...cheatScenarios,
  ...colluderScenarios,
  ...hopperScenarios,
  ...toldLosses,
  ...takers,
  ...evaders,
  ...betrayals,
  ...liarScenarios,
  ...slander,
  ...disrupters,
  ...twinScenarios,
];

/** Those named, with commas between, or `all`; otherwise a sentence that says which there are. */
export function scenariosOf(names: string): Outcome<readonly Scenario[], string> {
  if (names === 'all') return succeeded(scenarios);
  const found: Scenario[] = [];
  for (const name of names.split(',')) {
    const scenario = scenarios.find((each) => each.name === name);
    const known = scenarios.map((each) => each.name).join(', ');
    if (scenario === undefined) return failed(`there is no scenario ${name}; there are ${known}`);
    found.push(scenario);
  }
  return succeeded(found);
}
