/** Partners that hand back an older manifest when everything is lost: the newest wins, whoever has it. */
import { present } from '../../base/assert.ts';
import { bodyOf, bytesOfBody } from './conduct.ts';
import type { Scenario, ScenarioEnd, ScenarioParts } from './scenario.ts';
import { Town } from './town.ts';

async function runRollback(parts: ScenarioParts): Promise<ScenarioEnd> {
  const town = new Town(parts, { peers: 6, owners: 1, wantedPartners: 4 });
  const owner = present(town.owners[0], 'an owner');
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
    name: 'rollback',
    about: 'all partners but one give the oldest manifest after a disaster: the newest one wins',
    run: runRollback,
  },
];
