/** One run of one scenario, and what is printed of it. */
import { loadKernels } from '../../src/adapters/kernels/kernel-files.ts';
import { scenariosOf } from '../../src/sim/scenarios/scenario-list.ts';

export interface SimRun {
  readonly scenario: string;
  readonly seed: string;
}

export interface RunReport {
  /** Hash over everything that happened; undefined when the run failed. */
  readonly hash: string | undefined;
  readonly text: string;
}

export function replayOf({ scenario, seed }: SimRun): string {
  return `npm run sim -- --seed ${seed} --scenario ${scenario}`;
}

export async function runOnce({ scenario: name, seed }: SimRun): Promise<RunReport> {
  const begin = process.cpuUsage();
  // Of the processor: what others do on this computer meanwhile does not count.
  const took = (): string => {
    const { user, system } = process.cpuUsage(begin);
    return `${((user + system) / 1e6).toFixed(1)} s`;
  };
  try {
    const chosen = scenariosOf(name);
    const [scenario] = chosen.ok ? chosen.value : [];
    if (scenario === undefined) throw new Error(`there is no scenario ${name}`);
    const { hash, virtualMs, notes } = await scenario.run({ seed, kernels: loadKernels() });
    const hours = (virtualMs / 3_600_000).toFixed(2);
    const facts = [`${hours} virtual hours in ${took()}`, ...notes, `trace ${hash.slice(0, 16)}`];
    return { hash, text: `pass ${name} ${seed}: ${facts.join('; ')}` };
  } catch (reason) {
    const stack = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
    return failedRun({ scenario: name, seed }, `in ${took()}\n${stack}`);
  }
}

export function failedRun(run: SimRun, why: string): RunReport {
  const { scenario, seed } = run;
  const text = `FAIL ${scenario} ${seed}, ${why}\nreplay: ${replayOf(run)}`;
  return { hash: undefined, text };
}
