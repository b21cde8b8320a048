/**
 * Partners that keep nothing and are asked in vain: one has no quota left for any audit, one says that it lives anew and goes on listing what it had, one is not there at
 * all and sends word that it is back. Each counts as silent, is suspended after T_r and reneges after G, whatever it says.
 */
import { secondMs } from '../../base/units.ts';
import { ledgerStart } from '../../core/agreements/acknowledgement.ts';
import { frameReply } from '../../core/audits/audit-answer.ts';
import { decodeAuditRequest, encodeAuditReply } from '../../core/audits/audit-message.ts';
import { readChallenge } from '../../core/audits/challenge.ts';
import { signDenial } from '../../core/audits/nonce-reply.ts';
import { signNotice } from '../../core/wire/notice.ts';
import type { IncomingRequest, OutgoingReply } from '../../ports/transport.ts';
import type { SimPeer } from '../sim-peer.ts';
import { VirtualClock } from '../virtual-clock.ts';
import { bodyOf, bytesOfBody, isAudit } from './conduct.ts';
import type { FairTown } from './fair-town.ts';
import { keepNothing } from './hoppers.ts';
import type { Scenario } from './scenario.ts';
import { refusal, taking } from './takers.ts';
import { townPeriods } from './town.ts';

const { spareAfterMs } = townPeriods;
const saysEveryMs: number = 10 * secondMs;

/** It keeps nothing and tells nobody, not even that it would be taken back. */
function keepNothingQuietly({ town, cheat }: FairTown): void {
  keepNothing(town, cheat);
  town.conductOf(cheat).asks = async ({ request, send }) =>
    request.path === '/v1/notices'
      ? { ok: false, error: { code: 'peer.unreachable', detail: 'not sent' } }
      : await send(request);
}

/** In every audit it has no quota left. */
function refuseAudits(fair: FairTown): number {
  keepNothingQuietly(fair);
  const { town, cheat } = fair;
  town.conductOf(cheat).answers = async (request, engine) =>
    isAudit(request) ? refusal('request.quota') : await engine(request);
  return spareAfterMs;
}

/** To every challenge it says, signed, that it is in its next life; everything else its engine answers, from the life that it is in. */
function denyLives(fair: FairTown): number {
  keepNothingQuietly(fair);
  const { town, cheat } = fair;
  town.conductOf(cheat).answers = async (request, engine) => {
    if (!isAudit(request)) return await engine(request);
    const asked = await bytesOfBody(request.body);
    return denial(cheat, request, asked) ?? (await engine({ ...request, body: bodyOf(asked) }));
  };
  return spareAfterMs;
}

function denial(
  cheat: SimPeer,
  { from }: IncomingRequest,
  asked: Uint8Array,
): OutgoingReply | undefined {
  const { peerId, identitySeed } = cheat.keys;
  const message = decodeAuditRequest(asked);
  if (!message.ok || message.value.type !== 'challenge') return undefined;
  const read = readChallenge(message.value.document, { owner: from, partner: peerId });
  if (!read.ok) return undefined;
  const { id, subject } = read.value;
  const next = ledgerStart(subject.agreement, subject.epoch + 1);
  const document = signDenial(id, next, identitySeed);
  return { status: 200, body: frameReply(encodeAuditReply({ type: 'denial', document }), []) };
}

/** It is reached no more, and tells its owners every few seconds that it is back. */
function sayBack({ town, cheat, victims }: FairTown): number {
  keepNothing(town, cheat);
  const { peerId, identitySeed } = cheat.keys;
  town.link.network.crash(peerId);
  const transport = town.link.network.transport(peerId);
  const clock = new VirtualClock(town.world.timeline);
  const say = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(saysEveryMs);
      for (const victim of victims) {
        const row = victim.home.stores.agreements.ofPartner(peerId);
        if (row === undefined) continue;
        const subject = { type: 'back' } as const;
        const { agreement } = row;
        const notice = signNotice(
          { agreement, by: peerId, time: clock.now(), subject },
          identitySeed,
        );
        const to = town.link.address(victim.keys.peerId);
        const reply = await transport.request(to, {
          method: 'POST',
          path: '/v1/notices',
          body: notice,
        });
        if (reply.ok) await bytesOfBody(reply.value.body);
      }
    }
  };
  say().catch((reason: unknown) => town.fail(String(reason)));
  return spareAfterMs;
}

export const evaders: readonly Scenario[] = [
  taking({
    name: 'quota-evader',
    about: 'a partner keeps nothing and has no quota left for audits: that is silence',
    begin: refuseAudits,
  }),
  taking({
    name: 'reborn',
    about: 'a partner keeps nothing, and says in every audit that it lives anew: that is silence',
    begin: denyLives,
  }),
  taking({
    name: 'returner',
    about: 'a partner is gone with everything, and says again and again that it is back',
    begin: sayBack,
  }),
];
