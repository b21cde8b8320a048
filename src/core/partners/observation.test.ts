import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { dayMs, hourMs, instant, mebi, secondMs } from '../../base/units.ts';
import {
  availabilityOf,
  bandwidthOf,
  beginObservation,
  countedTransferBytes,
  decodeObservation,
  encodeObservation,
  lifetimeShareOf,
  type Observation,
  observationMaximumBytes,
  observeProof,
  observeStretch,
  observeTransfer,
  scheduleOf,
} from './observation.ts';
import { weekHours } from './schedule.ts';

const start = instant(Date.UTC(2026, 0, 5));

type Seen =
  | { readonly type: 'stretch'; readonly lengthMs: number; readonly online: boolean }
  | {
      readonly type: 'transfer';
      readonly direction: 'up' | 'down';
      readonly bytes: number;
      readonly durationMs: number;
    }
  | { readonly type: 'proof' };

const seen: fc.Arbitrary<Seen> = fc.oneof(
  fc.record({
    type: fc.constant('stretch' as const),
    lengthMs: fc.integer({ min: -hourMs, max: 20 * dayMs }),
    online: fc.boolean(),
  }),
  fc.record({
    type: fc.constant('transfer' as const),
    direction: fc.constantFrom('up' as const, 'down' as const),
    bytes: fc.integer({ min: countedTransferBytes, max: 2 ** 34 }),
    durationMs: fc.integer({ min: 1, max: 10 * hourMs }),
  }),
  fc.constant({ type: 'proof' as const }),
);

/** What comes of seeing these one after the other. */
function after(history: readonly Seen[]): Observation {
  let now: number = start;
  let observation = beginObservation(start);
  for (const event of history) {
    if (event.type === 'stretch') {
      const until = now + event.lengthMs;
      observation = observeStretch(observation, { from: now, until, online: event.online });
      now = Math.max(now, until);
    } else if (event.type === 'transfer') observation = observeTransfer(observation, event);
    else observation = observeProof(observation, instant(now));
  }
  return observation;
}

const history = fc.array(seen, { maxLength: 20 });

test('what was observed comes back, within 2 KiB', () => {
  fc.assert(
    fc.property(history, (events) => {
      const observation = after(events);
      const encoded = encodeObservation(observation);
      assert.ok(encoded.length <= observationMaximumBytes);
      assert.deepEqual(decodeObservation(encoded), { ok: true, value: observation });
      assert.deepEqual(encodeObservation(after(events)), encoded);
    }),
    { numRuns: 60 },
  );
});

test('a changed byte is refused or means something else, and no cut is read', () => {
  const [events = []] = fc.sample(history, { numRuns: 1, seed: 3 });
  const encoded = encodeObservation(after(events));
  for (let at = 0; at < encoded.length; at += 1) {
    const changed = new Uint8Array(encoded);
    changed[at] = (changed[at] ?? 0) ^ (1 + (at % 255));
    const decoded = decodeObservation(changed);
    if (decoded.ok) assert.deepEqual(encodeObservation(decoded.value), changed);
    assert.equal(decodeObservation(encoded.subarray(0, at)).ok, false);
  }
});

test('shares of more than the whole are refused', () => {
  const observation = { ...beginObservation(start), recent: { part: 2, whole: 1 } };
  assert.equal(decodeObservation(encodeObservation(observation)).ok, false);
});

test('averages are bounded, whatever is seen', () => {
  fc.assert(
    fc.property(history, (events) => {
      const observation = after(events);
      for (const share of [availabilityOf(observation), lifetimeShareOf(observation)])
        assert.ok(share === undefined || (share >= 0 && share <= 1));
      const most = Math.max(
        0,
        ...events.map((event) =>
          event.type === 'transfer' ? (event.bytes / event.durationMs) * secondMs : 0,
        ),
      );
      for (const direction of ['up', 'down'] as const) {
        const average = bandwidthOf(observation, direction);
        assert.ok(average === undefined || (average >= 0 && average <= most * 1.001 + secondMs));
      }
      assert.equal(scheduleOf(observation)?.length ?? weekHours, weekHours);
    }),
    { numRuns: 60 },
  );
});

test('C26: bandwidth is the average of real transfers, weighed by the time they took', () => {
  let observation = beginObservation(start);
  assert.equal(bandwidthOf(observation, 'up'), undefined);
  observation = observeTransfer(observation, {
    direction: 'up',
    bytes: 30 * mebi,
    durationMs: 10 * secondMs,
  });
  observation = observeTransfer(observation, {
    direction: 'up',
    bytes: 10 * mebi,
    durationMs: 30 * secondMs,
  });
  assert.equal(bandwidthOf(observation, 'up'), mebi);
  assert.equal(bandwidthOf(observation, 'down'), undefined);
});

test('C26: a message says nothing of the bandwidth, and old transfers weigh less and less', () => {
  const slow = { direction: 'down', bytes: mebi, durationMs: hourMs } as const;
  const fast = { direction: 'down', bytes: 3_600 * mebi, durationMs: hourMs } as const;
  const message = { direction: 'down', bytes: 200, durationMs: 300 } as const;
  const history = [slow, slow, slow, message, message];
  const before = history.reduce(observeTransfer, beginObservation(start));
  assert.equal(bandwidthOf(before, 'down'), Math.round(mebi / 3_600));
  const averages = [1, 4, 24].map((hours) =>
    bandwidthOf(Array(hours).fill(fast).reduce(observeTransfer, before), 'down'),
  );
  const [first = 0, second = 0, third = 0] = averages;
  assert.ok(first > 0.2 * mebi && first < 0.3 * mebi, `${first}`);
  assert.ok(second > 0.6 * mebi && second < 0.8 * mebi, `${second}`);
  assert.ok(third > 0.99 * mebi && third <= mebi, `${third}`);
});

test('availability follows the last weeks, the lifetime share forgets nothing', () => {
  const there = { from: start, until: start + 56 * dayMs, online: true };
  const away = { from: there.until, until: there.until + 28 * dayMs, online: false };
  const observation = [there, away].reduce(observeStretch, beginObservation(start));
  const recent = availabilityOf(observation) ?? 1;
  assert.ok(recent > 0.3 && recent < 0.4, `${recent}`);
  assert.equal(lifetimeShareOf(observation), 2 / 3);
  assert.equal(observation.lastSeenAt, there.until);
});

test('an absence weighs about the same in one piece as in many', () => {
  const there = { from: start, until: start + 56 * dayMs, online: true };
  const before = observeStretch(beginObservation(start), there);
  const whole = observeStretch(before, {
    from: there.until,
    until: there.until + 10 * dayMs,
    online: false,
  });
  let pieces = before;
  for (let hour = 0; hour < 240; hour += 1) {
    const from = there.until + hour * hourMs;
    pieces = observeStretch(pieces, { from, until: from + hourMs, online: false });
  }
  const [one = 0, many = 1] = [availabilityOf(whole), availabilityOf(pieces)];
  assert.ok(Math.abs(one - many) < 0.01, `${one} ${many}`);
});

test('several proofs of one day count once', () => {
  const times = [0, 1, dayMs - 1, dayMs, 5 * dayMs, 4 * dayMs];
  const observation = times.reduce(
    (before, time) => observeProof(before, instant(start + time)),
    beginObservation(start),
  );
  assert.equal(observation.provenDays, 3);
  assert.equal(observation.lastSeenAt, start + 5 * dayMs);
});
