/**
 * What this computer measured of a peer, or of itself (C24, C26): when it is there, how fast it is, how long it has proven to hold what it took.
 *
 * Only what was observed counts; what a peer says of itself is in its profile. The stretches that are counted do not overlap: whoever observes sees to that.
 */
import type { Bytes } from '../../base/bytes.ts';
import {
  type DocumentFailure,
  decodeDocument,
  encodeDocument,
  type FieldReader,
  orNull,
} from '../../base/document.ts';
import type { Outcome } from '../../base/outcome.ts';
import { dayMs, hourMs, type Instant, kibi, secondMs } from '../../base/units.ts';
import { blockBytes } from '../vocabulary/limits.ts';
import {
  type LearnedWeek,
  learnStretch,
  type Stretch,
  sharesOf,
  slotMemoryMs,
  unlearnedWeek,
  weekHours,
} from './schedule.ts';
import { addToTally, averageOf, emptyTally, type Tally } from './tally.ts';

export interface Observation {
  readonly firstSeenAt: Instant;
  /** When it last was seen to be there. */
  readonly lastSeenAt: Instant;
  readonly week: LearnedWeek;
  /** Milliseconds on line, of milliseconds observed: of the last weeks, the older ones ever less, and of all. */
  readonly recent: Tally;
  readonly lifetime: Tally;
  /** Bytes, of milliseconds that their transfers took; towards the peer and from it. */
  readonly up: Tally;
  readonly down: Tally;
  /** Days (UTC, by our clock) on which it proved to hold what it took. */
  readonly provenDays: number;
  /** The last of these, in days since 1970. */
  readonly lastProvenDay: number | undefined;
}

/** What the availability remembers: after four weeks of a new habit about a third of the old one is left. */
export const availabilityMemoryMs: number = 28 * dayMs;
/** What the average bandwidth remembers, in time spent on transfers. */
export const transferMemoryMs: number = 4 * hourMs;
/** Shorter transfers say more of the distance than of the bandwidth, and do not count. */
export const countedTransferBytes: number = blockBytes;

export interface Transfer {
  readonly direction: 'up' | 'down';
  readonly bytes: number;
  readonly durationMs: number;
}

export const observationMaximumBytes: number = 2 * kibi;
const kind = { magic: 'covault/observation', version: 1, limitBytes: observationMaximumBytes };

export function beginObservation(now: Instant): Observation {
  return {
    firstSeenAt: now,
    lastSeenAt: now,
    week: unlearnedWeek,
    recent: emptyTally,
    lifetime: emptyTally,
    up: emptyTally,
    down: emptyTally,
    provenDays: 0,
    lastProvenDay: undefined,
  };
}

/** The peer was there, or away, all this time. A stretch that ends before it begins says nothing. */
export function observeStretch(before: Observation, stretch: Stretch): Observation {
  const whole = stretch.until - stretch.from;
  if (whole <= 0) return before;
  const more = { part: stretch.online ? whole : 0, whole };
  return {
    ...before,
    lastSeenAt: stretch.online ? later(before.lastSeenAt, stretch.until) : before.lastSeenAt,
    week: learnStretch(before.week, stretch),
    recent: addToTally(before.recent, more, availabilityMemoryMs),
    lifetime: addToTally(before.lifetime, more, Number.MAX_SAFE_INTEGER),
  };
}

/** Bytes went to the peer or came from it (C26). */
export function observeTransfer(before: Observation, transfer: Transfer): Observation {
  if (transfer.bytes < countedTransferBytes) return before;
  const more = { part: transfer.bytes, whole: Math.max(1, transfer.durationMs) };
  const tally = addToTally(before[transfer.direction], more, transferMemoryMs);
  return transfer.direction === 'up' ? { ...before, up: tally } : { ...before, down: tally };
}

/** The peer proved that it holds what it was asked for; several proofs of one day count once. */
export function observeProof(before: Observation, now: Instant): Observation {
  const day = Math.floor(now / dayMs);
  const lastSeenAt = later(before.lastSeenAt, now);
  if (before.lastProvenDay !== undefined && day <= before.lastProvenDay)
    return { ...before, lastSeenAt };
  return { ...before, lastSeenAt, provenDays: before.provenDays + 1, lastProvenDay: day };
}

/** Share of the time, 0 … 1, in which it was there lately; undefined while it was not observed. */
export function availabilityOf(observation: Observation): number | undefined {
  return averageOf(observation.recent);
}

/** The same over all the time that it was observed. */
export function lifetimeShareOf(observation: Observation): number | undefined {
  return averageOf(observation.lifetime);
}

/** Shares of the hours of the week, 168 bytes; undefined while it was not observed. */
export function scheduleOf(observation: Observation): Bytes | undefined {
  return sharesOf(observation.week);
}

/** Average bytes a second of real transfers (C26); undefined while there was none. */
export function bandwidthOf(
  observation: Observation,
  direction: Transfer['direction'],
): number | undefined {
  const average = averageOf(observation[direction]);
  return average === undefined ? undefined : Math.round(average * secondMs);
}

export function encodeObservation(observation: Observation): Bytes {
  return encodeDocument(kind, [
    observation.firstSeenAt,
    observation.lastSeenAt,
    weekBytes(observation.week),
    [observation.recent.part, observation.recent.whole],
    [observation.lifetime.part, observation.lifetime.whole],
    [observation.up.part, observation.up.whole],
    [observation.down.part, observation.down.whole],
    observation.provenDays,
    orNull(observation.lastProvenDay),
  ]);
}

export function decodeObservation(bytes: Uint8Array): Outcome<Observation, DocumentFailure> {
  return decodeDocument(kind, bytes, (fields) => ({
    firstSeenAt: fields.instant(),
    lastSeenAt: fields.instant(),
    week: readWeek(fields),
    recent: readShare(fields, availabilityMemoryMs),
    lifetime: readShare(fields, Number.MAX_SAFE_INTEGER),
    up: readTally(fields, transferMemoryMs),
    down: readTally(fields, transferMemoryMs),
    provenDays: fields.uint(),
    lastProvenDay: fields.optional((field) => field.uint()),
  }));
}

function later(left: Instant, right: number): Instant {
  return Math.max(left, right) as Instant;
}

const slotBytes = 8;

function weekBytes(week: LearnedWeek): Bytes {
  const view = new DataView(new ArrayBuffer(weekHours * slotBytes));
  for (const [hour, { part, whole }] of week.entries()) {
    view.setUint32(hour * slotBytes, part);
    view.setUint32(hour * slotBytes + slotBytes / 2, whole);
  }
  return new Uint8Array(view.buffer);
}

function readWeek(fields: FieldReader): LearnedWeek {
  const bytes = fields.fixed(weekHours * slotBytes);
  const view = new DataView(bytes.buffer);
  return Array.from({ length: weekHours }, (_, hour) => {
    const part = view.getUint32(hour * slotBytes);
    const whole = view.getUint32(hour * slotBytes + slotBytes / 2);
    fields.require(part <= whole && whole <= slotMemoryMs, 'a share of an hour');
    return { part, whole };
  });
}

function readShare(fields: FieldReader, memory: number): Tally {
  const tally = readTally(fields, memory);
  fields.require(tally.part <= tally.whole, 'a share of a time');
  return tally;
}

function readTally(fields: FieldReader, memory: number): Tally {
  return fields.record((record) => ({ part: record.uint(), whole: record.uint(memory) }));
}
