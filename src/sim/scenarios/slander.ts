/**
 * A computer that harms others' name: it turns right answers into wrong ones, tells its victim that they were wrong, forges receipts, notices and statements, and tells
 * whoever asks that an honest partner reneged. Nobody believes one side's word (C27): the victim keeps its partners and finds new ones.
 */
import { present } from '../../base/assert.ts';
import { type Bytes, emptyBytes } from '../../base/bytes.ts';
import { minuteMs } from '../../base/units.ts';
import { readAnswer, unframeReply } from '../../core/audits/audit-answer.ts';
import { decodeAuditReply, encodeAuditRequest } from '../../core/audits/audit-message.ts';
import { type Finding, signVerdict } from '../../core/audits/verdict.ts';
import { type ConductOutcome, noConduct } from '../../core/records/conduct.ts';
import { signStatement } from '../../core/records/statement.ts';
import { proposeReceipt, proposerOf, recordStart } from '../../core/records/track-receipt.ts';
import { bytesOf, type PeerId } from '../../core/vocabulary/ids.ts';
import { signNotice } from '../../core/wire/notice.ts';
import { encodeRecordMessage } from '../../core/wire/record.ts';
import { pathOf } from '../../core/wire/resources.ts';
import type { SimPeer } from '../sim-peer.ts';
import { bodyOf, bytesOfBody } from './conduct.ts';
import { openingIn } from './forged-answers.ts';
import type { Scenario, ScenarioEnd, ScenarioParts } from './scenario.ts';
import { Town } from './town.ts';

/** Flips bits; which ones follows from the bytes' own number, so that a run can be repeated. */
export function garbled(bytes: Uint8Array): Uint8Array {
  const changed = new Uint8Array(bytes);
  const last = bytes.length - 1;
  const flip = (at: number): void => {
    changed[at] = (bytes[at] ?? 0) ^ 4;
  };
  for (let at = 60; at < last; at += 61) flip(at);
  if (last >= 0) flip(last);
  return changed;
}

interface Framing {
  readonly town: Town;
  readonly framer: SimPeer;
  readonly victim: SimPeer;
  /** Somebody else, to whom it lies about the victim. */
  readonly third: SimPeer;
}

type Post = (path: string, body: Bytes) => Promise<number | undefined>;

/** From the framer's computer, past its engine; the status of the answer. */
function posting({ town, framer }: Framing, to: SimPeer): Post {
  return async (path, body) => {
    const reply = await town.link.network
      .transport(framer.keys.peerId)
      .request(town.link.address(to.keys.peerId), { method: 'POST', path, body });
    if (!reply.ok) return undefined;
    await bytesOfBody(reply.value.body);
    return reply.value.status;
  };
}

/** What was asked for in an audit that went well is said to have been other bytes; and so is a block that nobody asked for. */
function falseVerdicts(framing: Framing, audit: { readonly asked: Bytes; readonly reply: Bytes }) {
  const { framer, victim } = framing;
  const challenge = openingIn(audit.asked, framer.keys.peerId, victim.keys.peerId);
  const document = unframeReply(audit.reply)?.document ?? emptyBytes;
  const told = decodeAuditReply(document);
  if (challenge === undefined || !told.ok || told.value.type !== 'answer') return [];
  const answer = readAnswer(told.value.document, { challenge, partner: victim.keys.peerId });
  const [entry] = answer.ok ? answer.value.entries : [];
  if (entry === undefined) return [];
  const { name, number } = entry;
  const finding = (of: number): Finding => ({ name, number: of, fault: 'other-bytes' });
  const verdict = (findings: readonly Finding[]): Bytes =>
    encodeAuditRequest({
      type: 'verdict',
      document: signVerdict(challenge, findings, framer.keys.identitySeed),
    });
  return [verdict([finding(number)]), verdict([finding(number + 1_000)])];
}

function isAnswer(framed: Bytes): boolean {
  const told = decodeAuditReply(unframeReply(framed)?.document ?? emptyBytes);
  return told.ok && told.value.type === 'answer';
}

/** Whatever the victim says to the framer's audits arrives as something else, and the victim is told that it was wrong. */
function spoilAudits(framing: Framing): { verdicts: number } {
  const { town, framer, victim } = framing;
  const count = { verdicts: 0 };
  const post = posting(framing, victim);
  town.conductOf(framer).asks = async ({ to, request, send }) => {
    const reply = await send(request);
    const { body } = request;
    if (to.peer !== victim.keys.peerId || request.path !== '/v1/audits' || !reply.ok) return reply;
    const answered: Bytes = new Uint8Array(await bytesOfBody(reply.value.body));
    if (body instanceof Uint8Array)
      for (const verdict of falseVerdicts(framing, {
        asked: new Uint8Array(body),
        reply: answered,
      }))
        if ((await post('/v1/audits', verdict)) === 200) count.verdicts += 1;
    // The nonce passes, so that the challenge is opened and something is asked for.
    const seen = isAnswer(answered) ? garbled(answered) : answered;
    return { ok: true, value: { ...reply.value, body: bodyOf(seen) } };
  };
  return count;
}

/** Tells whoever asks that the victim reneged: under its own name, and under that of another. */
function lieToOthers({ town, framer, victim, third }: Framing): { told: number } {
  const count = { told: 0 };
  const path = pathOf({ resource: 'record', about: victim.keys.peerId });
  const statement = (by: PeerId): Bytes => {
    const now = present(framer.computer, 'it runs').now();
    const outcome: ConductOutcome =
      count.told % 2 === 0 ? 'reneged-by-silence' : 'reneged-by-wrong';
    const said = { time: now, since: now, conduct: { ...noConduct, outcome }, receipt: undefined };
    const about = victim.keys.peerId;
    return signStatement({ by, about, ...said }, framer.keys.identitySeed);
  };
  town.conductOf(framer).answers = async (request, engine) => {
    if (request.path !== path) return await engine(request);
    count.told += 1;
    const by = count.told % 3 === 0 ? third.keys.peerId : framer.keys.peerId;
    return { status: 200, body: statement(by) };
  };
  return count;
}

/** A receipt that says the victim reneged, for it to sign; the same with a broken signature; a notice in its name, to its partner. */
async function forgeDocuments(framing: Framing): Promise<readonly (number | undefined)[]> {
  const { town, framer, victim, third } = framing;
  const { agreement } = present(
    framer.home.stores.agreements.ofPartner(victim.keys.peerId),
    'an agreement with the victim',
  );
  const now = present(framer.computer, 'it runs').now();
  const [us, them] = [framer.keys.peerId, victim.keys.peerId];
  const proposer = proposerOf(us, them);
  const countersigner = proposer === us ? them : us;
  const bad = { ...noConduct, outcome: 'reneged-by-wrong' } as const;
  const receipt = proposeReceipt(
    {
      ...{ agreement, proposer, countersigner, sequence: 1, previousHash: recordStart(agreement) },
      ...{ from: now, until: now, conductOfProposer: bad, conductOfCountersigner: bad },
    },
    framer.keys.identitySeed,
  );
  const toVictim = posting(framing, victim);
  const sent = (document: Bytes) => encodeRecordMessage({ type: 'receipt', document });
  const shared = third.home.stores.agreements.ofPartner(victim.keys.peerId);
  const notice = signNotice(
    {
      agreement: present(shared, 'an agreement of the two').agreement,
      ...{ by: them, time: now, subject: { type: 'leaving', until: now } },
    },
    framer.keys.identitySeed,
  );
  town.world.note('framer.forged', { bytes: bytesOf(agreement).length });
  return [
    await toVictim('/v1/records', sent(receipt)),
    await toVictim('/v1/records', new Uint8Array(garbled(sent(receipt)))),
    await posting(framing, third)('/v1/notices', notice),
  ];
}

async function runFramer(parts: ScenarioParts): Promise<ScenarioEnd> {
  // Nobody takes a partner of whom it believes that it reneged, on whomever.
  const partnership = { renegesAllowed: 0 };
  const town = new Town(parts, { peers: 5, owners: 2, wantedPartners: 4, partnership });
  const [snapshot] = await town.settle();
  const [owner, framer] = [present(town.owners[0], 'an owner'), present(town.owners[1], 'another')];
  const [victim, gone] = [present(town.peers[2], 'a lender'), present(town.peers[4], 'another')];
  const framing = { town, framer, victim, third: owner };
  const verdicts = spoilAudits(framing);
  const lies = lieToOthers(framing);
  const statuses = await playing(town, forgeDocuments(framing));
  town.require(
    statuses.every((status) => status !== undefined && status >= 400),
    `forged documents are refused (${statuses.join(', ')})`,
  );
  // Four are left for a newcomer who wants four, so it asks about the victim and must take it.
  town.world.crash(gone.name);
  const newcomer = town.arrive('a newcomer', 'owner');
  await town.until('the newcomer has the victim', () => town.partnersOf(newcomer).includes(victim));
  await town.wait(6 * minuteMs);
  town.require(lies.told > 0, 'the framer was asked about the victim');
  town.require(verdicts.verdicts > 0, 'the victim was told that it was wrong');
  town.notes.push(`${verdicts.verdicts} false verdicts, ${lies.told} false statements`);
  requireGoodName(framing);
  town.require(town.partnersOf(newcomer).includes(victim), 'the newcomer keeps the victim');
  await town.mustRestore(owner, present(snapshot, 'a snapshot'));
  town.notes.push(`the framer's own partner is ${town.phaseAt(framer, victim)} there`);
  return town.end();
}

function requireGoodName({ town, framer, victim, third }: Framing): void {
  town.require(!town.holdsWrong(framer, victim), 'nobody can make wrong bytes of right ones');
  town.require(town.phaseAt(third, victim) === 'standing', 'others keep their partner');
  town.require(town.phaseAt(third, framer) !== 'reneged', 'and the framer keeps what it promised');
  for (const peer of town.peers)
    for (const other of town.peers)
      if (peer !== framer && peer !== other)
        town.require(!town.holdsWrong(peer, other), `${other.name} was honest to ${peer.name}`);
}

/** Runs the world until something beside the engines has come to its end. */
async function playing<T>(town: Town, work: Promise<T>): Promise<T> {
  const ended: { of?: T } = {};
  work.then(
    (of) => {
      ended.of = of;
    },
    (reason: unknown) => town.world.note('sim.failed', { reason: String(reason) }),
  );
  await town.until('it has come to its end', () => ended.of !== undefined);
  return present(ended.of, 'it ended');
}

export const slander: readonly Scenario[] = [
  {
    name: 'framer',
    about:
      'an owner makes wrong answers of right ones and tells everybody that its partner reneged: nobody believes that',
    run: runFramer,
  },
];
