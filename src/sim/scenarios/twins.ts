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

/** Both are at work for so long before the older one has anything to tell. */
const togetherMs: number = 4 * minuteMs;
/** A manifest goes out as soon as there is one; it is refused, and the partner is asked for its newest. */
const stopsWithinMs: number = 2 * townPeriods.auditIntervalMs;

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
  newer.files.makeFolder('/home');
  town.writeFile(newer, 'newer');
  const second = await town.backUp(newer);
  const asked = { times: 0 };
  town.conductOf(older).asks = async ({ request, send }) => {
    asked.times += 1;
    return await send(request);
  };
  await town.wait(togetherMs);
  town.require(asked.times > 0, 'the older one is at work');
  town.notes.push(`both were at work, the older one asked ${asked.times} times`);
  requireNoBlame(twins);
  town.writeFile(older, 'older');
  const isStopped = (): boolean =>
    present(older.computer, 'it runs')
      .status()
      .hindrances.some(({ code }) => code === 'identity.superseded');
  const backup = isStopped() ? undefined : town.backUp(older).catch(() => undefined);
  const tookMs = await town.until('the older one stops', isStopped, stopsWithinMs);
  town.notes.push(`the older one stopped after ${tookMs / 1_000} s`);
  await backup;
  asked.times = 0;
  await town.wait(togetherMs);
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
