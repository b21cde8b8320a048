/**
 * Partners that pay for their place, and take when they have it: one passes every audit and denies restores, one keeps nothing from the day on which it may restore. Each
 * is found within the time of its formula, reneges after G more, and never has more byte-hours of the others than it gave them (gain.ts).
 */
import { present } from '../../base/assert.ts';
import { secondMs } from '../../base/units.ts';
import { messageMaximumBytes } from '../../core/vocabulary/limits.ts';
import { readNotice } from '../../core/wire/notice.ts';
import { encodeRefusal, type RefusalCode, statusOf } from '../../core/wire/refusal.ts';
import type { PartnershipSettings } from '../../engine/partners/partnership-settings.ts';
import { wholeBody } from '../../engine/partners/whole-body.ts';
import type { IncomingRequest, OutgoingReply, RequestHandler } from '../../ports/transport.ts';
import { bodyOf, isRestoreRead } from './conduct.ts';
import { cadenceOf, latestMs, surelyFoundMs } from './detection.ts';
import { type FairTown, fairTown, requireNoGain } from './fair-town.ts';
import { keepNothing } from './hoppers.ts';
import type { Scenario, ScenarioEnd, ScenarioParts } from './scenario.ts';
import { townPeriods } from './town.ts';

const { spareAfterMs, graceMs, commitmentMs } = townPeriods;

interface Taking {
  readonly name: string;
  readonly about: string;
  readonly partnership?: Partial<PartnershipSettings>;
  /** Begins to take; gives the time in which the formula has it suspended, with 99 %. */
  readonly begin: (fair: FairTown) => number;
}

export function taking(options: Taking): Scenario {
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

export function refusal(code: RefusalCode): OutgoingReply {
  return { status: statusOf(code), body: encodeRefusal({ code, detail: 'pay first' }) };
}

/** Not even that its owner restores does it want to hear; what else it is told goes to its engine. */
async function refusesRestoring(
  request: IncomingRequest,
  engine: RequestHandler,
): Promise<OutgoingReply> {
  const body = await wholeBody(request.body, messageMaximumBytes);
  if (!body.ok) return refusal('request.malformed');
  const notice = readNotice(body.value, request.from);
  if (notice.ok && notice.value.subject.type === 'restoring') return refusal('request.quota');
  return await engine({ ...request, body: bodyOf(body.value) });
}

/** Nothing is to be had from it. Each refused drill is tried again with every audit, and counts as silence until one is served (docs/decisions/0010). */
function denyRestores({ town, cheat }: FairTown, { code, hears, excusedMs }: Denial): number {
  town.conductOf(cheat).answers = async (request, engine) => {
    if (isRestoreRead(request)) return refusal(code);
    const isDeaf = !hears && request.path === '/v1/notices';
    return isDeaf ? await refusesRestoring(request, engine) : await engine(request);
  };
  const drills = Math.ceil(Math.log(0.01) / Math.log(1 - askedShare));
  return excusedMs + drills * drillIntervalMs + spareAfterMs;
}

interface Denial {
  readonly suffix: string;
  /** What it says to every read. */
  readonly code: RefusalCode;
  /** It accepts the notice that its owner restores; otherwise it says that there were too many. */
  readonly hears: boolean;
  /** For so long it may be true. */
  readonly excusedMs: number;
}

const heard = { hears: true, excusedMs: 0 };

/** Whichever answer of an honest partner it gives, it is found in the same time, once it cannot be true. */
const denials: readonly Denial[] = [
  { ...heard, suffix: '', code: 'request.not-partner' },
  { ...heard, suffix: '-paused', code: 'request.paused' },
  { ...heard, suffix: '-quota', code: 'request.quota' },
  { ...heard, suffix: '-deaf', code: 'request.quota', hears: false },
  { ...heard, suffix: '-unknown', code: 'shard.unknown' },
  { ...heard, suffix: '-young', code: 'request.in-commitment', excusedMs: 2 * commitmentMs },
];

const hostageTakers = denials.map((denial) =>
  taking({
    name: `hostage-taker${denial.suffix}`,
    about: `a partner passes audits and denies restores (${denial.code}${denial.hears ? '' : ', to the notice as well'}): drills find it out, and it reneges`,
    partnership: { drillIntervalMs },
    begin: (fair) => denyRestores(fair, denial),
  }),
);

export const takers: readonly Scenario[] = [
  ...hostageTakers,
  taking({
    name: 'late-freeloader',
    about: 'a partner keeps nothing any more when it may restore: it reneges, and gained nothing',
    begin: (fair) => {
      keepNothing(fair.town, fair.cheat);
      return surelyFoundMs(cadenceOf(present(fair.victims[0], 'an owner'), fair.cheat), 0);
    },
  }),
];
