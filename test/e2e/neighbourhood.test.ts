/** Real processes: computers that are given nothing but space to lend and one address find the partners that they want, and these bring back what one of them loses. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import { Prng } from '../../src/base/prng.ts';
import { done, eventually, type Home, recovering } from './circle.ts';
import { temporaryFolder } from './command-line.ts';
import {
  type Dweller,
  holdersIn,
  knowsOldKernels,
  Neighbourhood,
  type Place,
} from './neighbourhood.ts';
import { assertSameTree } from './tree-comparison.ts';

/** From when all are up. */
const foundMs = 60_000;
const count = 12;
/** What a circle's full code takes, 4+4, of which no place holds more than half of the parity. */
const wanted = 8;
const perPlace = 2;

/** Five of the twelve share one house; none of the others is within 1,000 km of another. */
const places: readonly Place[] = Array.from({ length: count }, (_, number) =>
  number < 5 ? { ...houseOf(0), household: 'the hill' } : houseOf(number),
);

function houseOf(number: number): Place {
  return {
    household: `house ${number}`,
    country: number % 2 === 0 ? 'FR' : 'PT',
    latitude: -50 + 8 * number,
    longitude: -60 + 10 * number,
  };
}

const folder = temporaryFolder('neighbourhood');
let neighbourhood: Neighbourhood | undefined;
after(async () => {
  await neighbourhood?.end();
  folder.remove();
});

/** How many of these could hold a shard of one stripe. */
function placed(holders: readonly Dweller[]): number {
  const byPlace = Map.groupBy(holders, ({ place }) => place.household);
  return [...byPlace.values()].reduce((sum, all) => sum + Math.min(all.length, perPlace), 0);
}

test('C2, C3, C21: twelve computers that know one address have the partners they want within a minute', async (context) => {
  const began = performance.now();
  const all = await Neighbourhood.begin(folder.path, places);
  neighbourhood = all;
  const upAt = performance.now();
  context.diagnostic(`all are up after ${Math.round(upAt - began)} ms`);
  const isServed = (one: Dweller): boolean => placed(all.partnersOf(one)) >= wanted;
  await eventually(
    'everybody has eight partners, not counting more than two of the hill',
    () => (all.dwellers.every(isServed) ? true : undefined),
    foundMs,
  );
  context.diagnostic(`all have partners ${Math.round(performance.now() - upAt)} ms later`);
  await all.checkAgreements(all.dwellers);
});

test('C23: whoever has the choice takes partners that stand apart and run different systems', async () => {
  const all = present(neighbourhood, 'the others are up');
  const newcomer = await all.joined({ ...houseOf(12), country: 'SE' }, { wantedPartners: 3 });
  await eventually('the newcomer has three partners', () =>
    all.partnersOf(newcomer).length >= 3 ? true : undefined,
  );
  const partners = all.partnersOf(newcomer);
  const households = new Set(partners.map(({ place }) => place.household));
  assert.equal(households.size, partners.length, [...households].join());
  if (knowsOldKernels) assert.equal(new Set(partners.map(({ isOld }) => isOld)).size, 2);
  await all.checkAgreements([newcomer]);
});

test('C23, C28: what one of them backed up comes back from its kit, and no place held too much of it', async (context) => {
  const all = present(neighbourhood, 'the others are up');
  const owner = present(all.dwellers[7], 'there are twelve');
  const files = join(folder.path, 'files');
  mkdirSync(files);
  const draws = new Prng('neighbourhood');
  for (let file = 0; file < 4; file += 1)
    writeFileSync(join(files, `${file}.bin`), draws.bytes(2_000_000));
  await done(owner, ['backup', files, '--wait', 'complete']);
  const stripes = holdersIn(owner.path).map((holders) => holders.map((peer) => all.withId(peer)));
  assert(stripes.length > 0);
  for (const holders of stripes) {
    assert.equal(holders.length, wanted);
    assert.equal(placed(holders), wanted, holders.map(({ place }) => place.household).join());
  }
  const servedAt = await all.commitmentEnd(owner);
  const kit = join(folder.path, 'kit.json');
  await done(owner, ['kit', 'export', '--json', kit]);
  await owner.daemon.stop('SIGKILL');
  rmSync(owner.path, { recursive: true });
  const lostAt = performance.now();
  await eventually('C has passed', () => (Date.now() > servedAt ? true : undefined));
  const heir: Home = { ...owner, name: 'heir', path: join(folder.path, 'heir') };
  await done(heir, recovering(heir, kit));
  const target = join(folder.path, 'restored');
  await done(heir, ['restore', 'latest', '--target', target]);
  assertSameTree(join(target, files), files);
  context.diagnostic(`restored after ${Math.round(performance.now() - lostAt)} ms`);
});
