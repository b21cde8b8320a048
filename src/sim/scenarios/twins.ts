/**
 * Two machines with one identity (DESIGN §13): the owner was recovered on another computer while the first goes on. What is known of it is the incarnation number: the
 * older one stops by itself, nothing of the newer is lost, nothing is kept twice for long, and no partner is accused of what the two did to each other.
 */
import { present } from '../../base/assert.ts';
import { minuteMs } from '../../base/units.ts';
import { violations } from '../checkers.ts';
import type { SimPeer } from '../sim-peer.ts';
import type { Scenario, ScenarioEnd, ScenarioParts } from './scenario.ts';
import { Town, townPeriods } from './town.ts';

/** Long enough for silence to be noticed. */
const afterwardsMs: number = 4 * minuteMs;
/** Though it has nothing to tell: a partner is asked every audit interval, which is looked at once a minute, and some may not have the newest manifest yet. */
const stopsWithinMs: number = 2 * (townPeriods.auditIntervalMs + minuteMs);

interface Twins {
  readonly town: Town;
  readonly older: SimPeer;
  readonly newer: SimPeer;
  readonly partners: readonly SimPeer[];
}

/** Neither holds that a partner lied or is gone, and no partner that its owner is. */
function requireNoBlame({ town, older, newer, partners }: Twins): void {
  for (const partner of partners) {
    for (const twin of [older, newer]) {
      town.require(!town.holdsWrong(twin, partner), `${partner.name} was honest to ${twin.name}`);
      const phase = town.phaseAt(twin, partner);
      town.require(
        phase === 'standing' || phase === 'in-commitment',
        `${partner.name} stands at ${twin.name} (${phase})`,
      );
    }
    const phase = town.phaseAt(partner, newer);
    town.require(phase === 'standing', `its owner stands at ${partner.name} (${phase})`);
  }
}

async function runTwins(parts: ScenarioParts): Promise<ScenarioEnd> {
  const town = new Town(parts, { peers: 6, owners: 1, wantedPartners: 4 });
  const older = present(town.owners[0], 'an owner');
  const [first] = await town.settle();
  const partners = town.partnersOf(older);
  const newer = await town.recover(older, partners, 'the older lives');
  const twins = { town, older, newer, partners };
  const asked = { times: 0 };
  town.conductOf(older).asks = async ({ request, send }) => {
    asked.times += 1;
    return await send(request);
  };
  newer.files.makeFolder('/home');
  town.writeFile(newer, 'newer');
  const second = await town.backUp(newer);
  const isStopped = (): boolean =>
    present(older.computer, 'it runs')
      .status()
      .hindrances.some(({ code }) => code === 'identity.superseded');
  const tookMs = await town.until('the older one stops', isStopped, stopsWithinMs);
  town.require(asked.times > 0, 'the older one was at work');
  town.notes.push(
    `the older one asked ${asked.times} times, and stopped ${tookMs / 1_000} s later`,
  );
  requireNoBlame(twins);
  asked.times = 0;
  await town.wait(afterwardsMs);
  town.require(asked.times === 0, 'who has stopped asks nobody for anything');
  requireNoBlame({ ...twins, older: newer });
  await town.untilWhole(newer, 'the older one stopped');
  town.none(violations(newer, partners));
  await town.mustRestore(newer, present(first, 'a snapshot'));
  await town.mustRestore(newer, second);
  return town.end();
}

export const twinScenarios: readonly Scenario[] = [
  {
    name: 'twins',
    about:
      'the owner is recovered elsewhere and the old computer goes on: the older one stops, and nobody is accused',
    run: runTwins,
  },
];
