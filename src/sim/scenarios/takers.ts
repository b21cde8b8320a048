/**
 * Partners that pay for their place, and take when they have it: one passes every audit and denies restores, one keeps nothing from the day on which it may restore. Each
 * is found within the time of its formula, reneges after G more, and never has more byte-hours of the others than it gave them (gain.ts).
 */
import { present } from '../../base/assert.ts';
import { secondMs } from '../../base/units.ts';
import { encodeRefusal } from '../../core/wire/refusal.ts';
import type { PartnershipSettings } from '../../engine/partners/partnership-settings.ts';
import { isRestoreRead } from './conduct.ts';
import { cadenceOf, latestMs, surelyFoundMs } from './detection.ts';
import { type FairTown, fairTown, requireNoGain } from './fair-town.ts';
import { keepNothing } from './hoppers.ts';
import type { Scenario, ScenarioEnd, ScenarioParts } from './scenario.ts';
import { townPeriods } from './town.ts';

const { spareAfterMs, graceMs } = townPeriods;

interface Taking {
  readonly name: string;
  readonly about: string;
  readonly partnership?: Partial<PartnershipSettings>;
  /** Begins to take; gives the time in which the formula has it suspended, with 99 %. */
  readonly begin: (fair: FairTown) => number;
}

function taking(options: Taking): Scenario {
  const { name, about } = options;
  return { name, about, run: (parts) => runTaking(parts, options) };
}

async function runTaking(parts: ScenarioParts, options: Taking): Promise<ScenarioEnd> {
  const fair = fairTown(parts, options.partnership);
  const { town, cheat, victims } = fair;
  const snapshots = await town.settle();
  const cadence = cadenceOf(present(victims[0], 'an owner'), cheat);
  const predictedMs = options.begin(fair);
  const all = (phases: readonly string[]) => () =>
    victims.every((victim) => phases.includes(town.phaseAt(victim, cheat) ?? ''));
  const isFound = all(['suspended', 'reneged']);
  const foundMs = await town.until('it is found out', isFound, latestMs(predictedMs, cadence));
  town.notes.push(
    `suspended after ${foundMs / secondMs} s, by the formula ${predictedMs / secondMs} s`,
  );
  town.arrive('a newcomer', 'lender');
  const overMs = latestMs(graceMs, cadence);
  const renegedMs = await town.until('it reneged', all(['reneged']), overMs);
  town.notes.push(`reneged ${renegedMs / secondMs} s later, G is ${graceMs / secondMs} s`);
  for (const [at, victim] of victims.entries()) {
    await town.untilWhole(victim, 'it reneged');
    await town.mustRestore(victim, present(snapshots[at], 'a snapshot'));
    for (const peer of town.peers)
      if (peer !== cheat) town.require(!town.holdsWrong(victim, peer), `${peer.name} was honest`);
  }
  requireNoGain(fair);
  return town.end();
}

/** A drill reads from k of the n that hold a stripe; it asks this one with the chance k ÷ n. */
const drillIntervalMs: number = 30 * secondMs;
const askedShare = 1 / 2;

/** Nothing is to be had from it. Each refused drill is tried again with every audit, and counts as silence until one is served (docs/decisions/0010). */
function denyRestores({ town, cheat }: FairTown): number {
  const refusal = encodeRefusal({ code: 'request.not-partner', detail: 'pay first' });
  town.conductOf(cheat).answers = async (request, engine) =>
    isRestoreRead(request) ? { status: 403, body: refusal } : await engine(request);
  const drills = Math.ceil(Math.log(0.01) / Math.log(1 - askedShare));
  return drills * drillIntervalMs + spareAfterMs;
}

export const takers: readonly Scenario[] = [
  taking({
    name: 'hostage-taker',
    about: 'a partner passes audits and denies restores: drills find it out, and it reneges',
    partnership: { drillIntervalMs },
    begin: denyRestores,
  }),
  taking({
    name: 'late-freeloader',
    about: 'a partner keeps nothing any more when it may restore: it reneges, and gained nothing',
    begin: (fair) => {
      keepNothing(fair.town, fair.cheat);
      return surelyFoundMs(cadenceOf(present(fair.victims[0], 'an owner'), fair.cheat), 0);
    },
  }),
];
