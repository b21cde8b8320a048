/** Partners that are good until they are needed: they deny restores, or give an older manifest. What rests on the others comes back all the same. */
import { present } from '../../base/assert.ts';
import { encodeRefusal } from '../../core/wire/refusal.ts';
import type { DrillReport } from '../../engine/drills/drill-report.ts';
import type { SimPeer } from '../sim-peer.ts';
import { bodyOf, bytesOfBody, isRestoreRead } from './conduct.ts';
import type { Scenario, ScenarioEnd, ScenarioParts } from './scenario.ts';
import { Town, unwatched } from './town.ts';

function townOf(parts: ScenarioParts): { readonly town: Town; readonly owner: SimPeer } {
  const town = new Town(parts, { peers: 6, owners: 1, wantedPartners: 4 });
  return { town, owner: present(town.owners[0], 'an owner') };
}

/** Of `drills` drills that ask k of n partners each, one in which the partner is not asked grows ever less likely. */
const drillsMaximum = 8;

async function runHostage(parts: ScenarioParts): Promise<ScenarioEnd> {
  const { town, owner } = townOf(parts);
  const [snapshot] = await town.settle();
  const taker = town.world.prng.fork('hostage').pick(town.partnersOf(owner));
  town.conductOf(taker).answers = async (request, engine) =>
    isRestoreRead(request)
      ? { status: 403, body: encodeRefusal({ code: 'request.not-partner', detail: 'pay first' }) }
      : await engine(request);
  let named: DrillReport | undefined;
  for (let drill = 1; drill <= drillsMaximum && named === undefined; drill += 1) {
    const report = await town.play(owner, (computer) => computer.drill({ files: 8, ...unwatched }));
    if (!report.ok) return town.fail(`no drill: ${report.error.code}`);
    town.require(report.value.problems.length === 0, 'a drill restores without the taker');
    const bad = report.value.partners.filter((each) => each.code !== '' || each.wrongBlocks > 0);
    town.require(
      bad.every(({ partner }) => partner === taker.keys.peerId),
      'a drill names nobody else',
    );
    if (bad.length > 0) named = report.value;
    if (bad.length > 0) town.notes.push(`named by drill ${drill}`);
  }
  town.require(named !== undefined, `${drillsMaximum} drills name the hostage-taker`);
  await town.mustRestore(owner, present(snapshot, 'a snapshot'));
  return town.end();
}

async function runRollback(parts: ScenarioParts): Promise<ScenarioEnd> {
  const { town, owner } = townOf(parts);
  const manifest = `/v1/manifests/${owner.keys.peerId}`;
  for (const peer of town.peers) {
    if (peer === owner) continue;
    let oldest: Uint8Array | undefined;
    let isHonest = false;
    town.conductOf(peer).answers = async (request, engine) => {
      if (request.path !== manifest) return await engine(request);
      isHonest ||= peer === town.partnersOf(owner)[0];
      if (request.method === 'GET' && oldest !== undefined && !isHonest)
        return { status: 200, body: oldest };
      if (request.method !== 'PUT') return await engine(request);
      const bytes = await bytesOfBody(request.body);
      oldest ??= bytes;
      return await engine({ ...request, body: bodyOf(bytes) });
    };
  }
  await town.settle();
  town.writeFile(owner, 'later');
  const snapshot = await town.backUp(owner);
  await town.untilWhole(owner, 'the second backup');
  const heir = await town.recover(owner, town.partnersOf(owner));
  const newest = present(heir.computer, 'it runs').snapshots().at(-1);
  town.require(newest?.snapshot === snapshot.id, 'one honest partner is enough to know the newest');
  await town.mustRestore(heir, snapshot);
  return town.end();
}

export const betrayals: readonly Scenario[] = [
  {
    name: 'hostage-taker',
    about: 'a partner passes audits and denies restores: drills name it, restores do without it',
    run: runHostage,
  },
  {
    name: 'rollback',
    about: 'all partners but one give the oldest manifest after a disaster: the newest one wins',
    run: runRollback,
  },
];
