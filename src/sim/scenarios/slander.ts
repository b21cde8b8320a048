/** Computers that harm others' name or others' work rather than keep nothing: no honest pair may come apart over them. */
import { present } from '../../base/assert.ts';
import { minuteMs } from '../../base/units.ts';
import type { SimPeer } from '../sim-peer.ts';
import { bodyOf, bytesOfBody } from './conduct.ts';
import type { Scenario, ScenarioEnd, ScenarioParts } from './scenario.ts';
import { Town } from './town.ts';

/** Flips bits; which ones follows from the bytes' own number, so that a run can be repeated. */
function garbled(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte, at) => (at % 61 === 60 || at === bytes.length - 1 ? byte ^ 4 : byte));
}

async function runFramer(parts: ScenarioParts): Promise<ScenarioEnd> {
  const town = new Town(parts, { peers: 6, owners: 2, wantedPartners: 4 });
  const [snapshot] = await town.settle();
  const [owner, framer] = [present(town.owners[0], 'an owner'), present(town.owners[1], 'another')];
  const shared = (): SimPeer[] =>
    town.partnersOf(owner).filter((peer) => town.partnersOf(framer).includes(peer));
  const victim = present(shared()[0], 'a partner of both');
  // Whatever the victim says to the framer's audits arrives as something else.
  town.conductOf(framer).asks = async ({ to, request, send }) => {
    const reply = await send(request);
    if (to.peer !== victim.keys.peerId || request.path !== '/v1/audits' || !reply.ok) return reply;
    const bytes = garbled(await bytesOfBody(reply.value.body));
    return { ok: true, value: { ...reply.value, body: bodyOf(bytes) } };
  };
  await town.wait(15 * minuteMs);
  town.require(!town.holdsWrong(framer, victim), 'nobody can make wrong bytes of right ones');
  const row = present(owner.computer, 'it runs').partners();
  const seen = row.find(({ agreement }) => agreement.partner === victim.keys.peerId);
  town.require(seen?.phase === 'standing', 'others keep their partner');
  await town.mustRestore(owner, present(snapshot, 'a snapshot'));
  town.notes.push(`the framer's own partner is ${town.phaseAt(framer, victim)} there`);
  return town.end();
}

async function runDisrupter(parts: ScenarioParts): Promise<ScenarioEnd> {
  const town = new Town(parts, { peers: 7, owners: 1, wantedPartners: 4 });
  const owner = present(town.owners[0], 'an owner');
  const draws = town.world.prng.fork('disrupter');
  await town.settle();
  const disrupter = draws.pick(town.partnersOf(owner));
  const conduct = town.conductOf(disrupter);
  conduct.answers = async (request, engine) => {
    const reply = await engine(request);
    if (reply.body === undefined || !draws.chance(0.4)) return reply;
    const { body } = reply;
    return { ...reply, body: garbled(body instanceof Uint8Array ? body : await bytesOfBody(body)) };
  };
  conduct.asks = async ({ request, send }) => {
    const { body } = request;
    const isSpoilt = body instanceof Uint8Array && draws.chance(0.4);
    // Everything it says is said twice, and often nonsense.
    const first = await send(isSpoilt ? { ...request, body: garbled(body) } : request);
    if (isSpoilt || !(body === undefined || body instanceof Uint8Array)) return first;
    if (first.ok) await bytesOfBody(first.value.body);
    return await send(request);
  };
  town.writeFile(owner, 'in spite of it');
  const snapshot = await town.backUp(owner);
  await town.wait(12 * minuteMs);
  for (const peer of town.partnersOf(owner))
    if (peer !== disrupter)
      town.require(
        !['suspended', 'reneged'].includes(town.phaseAt(owner, peer) ?? ''),
        `${peer.name} was honest`,
      );
  await town.mustRestore(owner, snapshot);
  town.world.crash(disrupter.name);
  await town.mustRestore(owner, snapshot);
  town.notes.push(`the disrupter is ${town.phaseAt(owner, disrupter)} there`);
  return town.end();
}

export const slander: readonly Scenario[] = [
  {
    name: 'framer',
    about: 'an owner turns the right answers of a partner into wrong ones: nobody believes that',
    run: runFramer,
  },
  {
    name: 'disrupter',
    about: 'a partner spoils and repeats much of what it says: no honest pair comes apart over it',
    run: runDisrupter,
  },
];
