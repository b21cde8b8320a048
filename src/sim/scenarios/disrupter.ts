/**
 * A computer that harms others' work: it breaks connections, floods, says nonsense, says old things again and answers late, and asks audits that it never opens. No
 * honest pair may come apart over it, nor miss an audit.
 */
import { present } from '../../base/assert.ts';
import type { Prng } from '../../base/prng.ts';
import { minuteMs, secondMs } from '../../base/units.ts';
import { decodeAuditRequest } from '../../core/audits/audit-message.ts';
import { BodyBroken, type OutgoingReply, type PeerRequest } from '../../ports/transport.ts';
import type { SimPeer } from '../sim-peer.ts';
import { VirtualClock } from '../virtual-clock.ts';
import { bodyOf, bytesOfBody } from './conduct.ts';
import type { Scenario, ScenarioEnd, ScenarioParts } from './scenario.ts';
import { garbled } from './slander.ts';
import { Town, townPeriods } from './town.ts';

/** Longer than anybody waits for an answer. */
const lateMs: number = 40 * secondMs;
const floodMs: number = secondMs;
/** Of everything that it sends, so much is spoilt in some way. */
const spoiltShare = 0.4;
const rememberedMost = 64;

interface Disrupting {
  readonly town: Town;
  readonly disrupter: SimPeer;
  readonly others: readonly SimPeer[];
  readonly draws: Prng;
  /** What it said before, to be said again. */
  readonly said: PeerRequest[];
}

async function* brokenOff(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes.subarray(0, bytes.length / 2);
  throw new Error('the connection broke');
}

async function spoilt(disrupting: Disrupting, reply: OutgoingReply): Promise<OutgoingReply> {
  const { draws, town } = disrupting;
  if (reply.body === undefined || !draws.chance(spoiltShare)) return reply;
  const bytes = reply.body instanceof Uint8Array ? reply.body : await bytesOfBody(reply.body);
  const way = draws.below(3);
  if (way === 0) return { ...reply, body: garbled(bytes) };
  if (way === 1) return { ...reply, body: brokenOff(bytes) };
  await new VirtualClock(town.world.timeline).sleep(lateMs);
  return { ...reply, body: bodyOf(bytes) };
}

/** An opening, without which a partner that gave its nonce is never asked for anything. */
function isOpening({ path, body }: PeerRequest): boolean {
  if (path !== '/v1/audits' || !(body instanceof Uint8Array)) return false;
  const message = decodeAuditRequest(body);
  return message.ok && message.value.type === 'opening';
}

function disrupt(disrupting: Disrupting): void {
  const { town, disrupter, draws, said } = disrupting;
  const conduct = town.conductOf(disrupter);
  conduct.answers = async (request, engine) => await spoilt(disrupting, await engine(request));
  conduct.asks = async ({ request, send }) => {
    if (isOpening(request))
      return { ok: false, error: { code: 'peer.unreachable', detail: 'never opened' } };
    const { body } = request;
    if (!(body instanceof Uint8Array) || !draws.chance(spoiltShare)) return await send(request);
    if (said.length < rememberedMost) said.push(request);
    // Everything that it says is said twice, and often nonsense.
    const first = await send(draws.chance(0.5) ? { ...request, body: garbled(body) } : request);
    if (first.ok) await heardOut(first.value.body);
    return await send(request);
  };
}

/** Reads an answer of which nothing is wanted; the connection may break meanwhile. */
async function heardOut(body: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    await bytesOfBody(body);
  } catch (reason) {
    if (!(reason instanceof BodyBroken)) throw reason;
  }
}

/** Requests beside those of its engine, as fast as they go: empty ones, nonsense, and what it said before. */
async function flood(disrupting: Disrupting, count: { requests: number }): Promise<void> {
  const { town, disrupter, others, draws, said } = disrupting;
  const transport = town.link.network.transport(disrupter.keys.peerId);
  const clock = new VirtualClock(town.world.timeline);
  const paths = ['/v1/audits', '/v1/negotiation', '/v1/notices', '/v1/records'];
  while (town.world.isRunning(disrupter.name)) {
    await clock.sleep(floodMs);
    const to = draws.pick(others);
    const nonsense = { method: 'POST', path: draws.pick(paths), body: draws.bytes(200) } as const;
    const again = said.length > 0 && draws.chance(0.5) ? draws.pick(said) : nonsense;
    const reply = await transport.request(town.link.address(to.keys.peerId), again);
    if (reply.ok) await heardOut(reply.value.body);
    count.requests += 1;
  }
}

/** Nobody but the disrupter is suspended or accused, and audits among the others go on. */
function requirePeace({ town, disrupter }: Disrupting, owners: readonly SimPeer[]): void {
  for (const owner of owners)
    for (const partner of town.partnersOf(owner)) {
      if (partner === disrupter) continue;
      const who = `${partner.name} to ${owner.name}`;
      town.require(!town.holdsWrong(owner, partner), `${who} was honest`);
      town.require(town.phaseAt(owner, partner) !== 'suspended', `${who} was there`);
      const computer = present(owner.computer, 'it runs');
      const passed = computer.auditsOf(partner.keys.peerId)?.ofPartner.lastPassedAt;
      // A new partner that holds nothing yet is not audited.
      if (passed === undefined) continue;
      const quietMs = computer.now() - passed;
      town.require(quietMs <= 2 * townPeriods.auditIntervalMs, `${who} proved what it holds`);
    }
}

async function runDisrupter(parts: ScenarioParts): Promise<ScenarioEnd> {
  const town = new Town(parts, { peers: 6, owners: 2, wantedPartners: 4 });
  await town.settle();
  const [owner, disrupter] = [present(town.owners[0], 'one'), present(town.owners[1], 'another')];
  const others = town.peers.filter((peer) => peer !== disrupter);
  const draws = town.world.prng.fork('disrupter');
  const disrupting = { town, disrupter, others, draws, said: [] };
  disrupt(disrupting);
  const count = { requests: 0 };
  flood(disrupting, count).catch((reason: unknown) => town.fail(String(reason)));
  town.writeFile(owner, 'in spite of it');
  const snapshot = await town.backUp(owner);
  for (let minute = 0; minute < 8; minute += 1) {
    await town.wait(minuteMs);
    requirePeace(disrupting, [owner]);
  }
  for (const peer of others) {
    const reneged = peer.home.stores.agreements.all().filter(({ phase }) => phase === 'reneged');
    const isOurs = reneged.every(({ partner }) => partner === disrupter.keys.peerId);
    town.require(isOurs, `${peer.name} keeps the others`);
  }
  await town.mustRestore(owner, snapshot);
  town.world.crash(disrupter.name);
  await town.mustRestore(owner, snapshot);
  town.notes.push(`${count.requests} requests beside the rest`);
  town.notes.push(`the disrupter is ${town.phaseAt(owner, disrupter)} there`);
  return town.end();
}

export const disrupters: readonly Scenario[] = [
  {
    name: 'disrupter',
    about:
      'a partner breaks off, floods, repeats, answers late and opens no seal: no honest pair comes apart over it',
    run: runDisrupter,
  },
];
