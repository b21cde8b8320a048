import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PeerId } from '../core/vocabulary/ids.ts';
import type { PartnerAnswer, SnapshotAnswer, StatusAnswer } from '../daemon/answers.ts';
import { protectionLine } from './commands/backup.ts';
import {
  chanceText,
  hindranceLines,
  nextStep,
  outlookLines,
  protectionSentence,
  statusText,
} from './status-text.ts';

const partner: PartnerAnswer = {
  id: 'ab'.repeat(32),
  name: 'attic',
  agreement: 'cd'.repeat(32),
  phase: 'standing',
  addresses: ['/ip4/192.0.2.7/tcp/4747'],
  since: '2026-01-01T00:00:00.000Z',
  lastSeenAt: null,
  reachable: true,
  holdsBytes: 5e9,
  lendsUsBytes: 20e9,
  weHoldBytes: 0,
  weLendBytes: 20e9,
  lacks: { lost: 0, wrong: 0 },
  failing: null,
  availability: 0.9,
  bandwidthTo: 2e6,
  bandwidthFrom: null,
  route: 'lan',
  place: null,
  system: 'linux 6.8',
  commitmentEndsAt: null,
  graceEndsAt: null,
  leavesAt: null,
  provenDays: 12,
};

const latest: SnapshotAnswer = {
  id: 'ef'.repeat(32),
  takenAt: '2026-01-02T00:00:00.000Z',
  phase: 'complete',
  hostName: 'desk',
  userName: 'ada',
  roots: ['/data'],
  tags: [],
  files: 1200,
  directories: 3,
  bytes: 3e9,
  newBytes: 3e9,
  problems: 0,
};

const status: StatusAnswer = {
  peer: '12'.repeat(32),
  name: 'desk',
  daemon: true,
  listening: ['/ip4/192.0.2.1/tcp/4747'],
  partners: Array.from({ length: 4 }, () => partner),
  reneged: [],
  search: { seeks: false, missing: 4, candidates: 0, refused: 0 },
  code: { id: 'reed-solomon', dataShards: 3, parityShards: 1 },
  protection: {
    phase: 'complete',
    packs: 10,
    packsProtected: 10,
    packsComplete: 10,
    shardsHeld: 40,
    shardsWanted: 40,
    bytesHeld: 4e9,
    bytesWanted: 4e9,
  },
  snapshots: 1,
  latest,
  spooledBytes: 0,
  manifest: { incarnation: 1, sequence: 3, receipts: 4 },
  bearableLosses: 1,
  outlook: {
    partners: 4,
    holding: 4,
    measured: 4,
    wantedPartners: 8,
    reasons: [{ code: 'plan.few-partners', partners: 4, wanted: 8 }],
    next: { type: 'find-partners', count: 4 },
    chances: { failsNow: 0.034, failsInWindow: 0.000047, lostInYear: 0.000001 },
    restorableFrom: null,
  },
  hindrances: [],
  health: { stripes: 10, whole: 10, short: [], endangered: 0, below: 0 },
  repair: { stripes: 0, shardsHeld: 0, shardsLeft: 0, bytesLeft: 0 },
  rests: true,
  lastProven: null,
  lastDrill: null,
};

test('partners that failed are named with the reason, and so is what is being mended', () => {
  const text = statusText({
    ...status,
    reneged: [{ id: 'cd'.repeat(32), name: 'attic' }],
    hindrances: [
      {
        ...{ code: 'partner.failing', partner: partner.id as PeerId, cause: 'wrong', shards: 3 },
        ...{ since: '2026-01-02T00:00:00.000Z', answers: true },
      },
      { code: 'partner.lacks', partner: 'cd'.repeat(32) as PeerId, lost: 2, wrong: 1 },
    ],
    health: { stripes: 10, whole: 7, short: [{ by: 1, stripes: 3 }], endangered: 0, below: 0 },
    repair: { stripes: 2, shardsHeld: 6, shardsLeft: 2, bytesLeft: 2e6 },
  });
  assert.match(
    text,
    new RegExp(
      `${partner.name} is suspended: found with wrong or missing shards 2026.*3 shards there do not`,
    ),
  );
  assert.match(text, /attic does not have 3 shards any more \(2 lost, 1 wrong\)/);
  assert.match(text, /7 of 10 packs whole; 3 short of 1 shard; 2 packs being laid out anew/);
  assert.doesNotMatch(statusText(status), /Repair/);
});

test('a complete backup says on how many computers it is, and how many may vanish', () => {
  assert.equal(
    protectionSentence(status),
    'Safe on 4 computers; any 1 may vanish; invite 4 more for full protection.',
  );
  const next = { type: 'none' } as const;
  const outlook = { ...status.outlook, holding: 3, next };
  assert.equal(
    protectionSentence({ ...status, outlook }),
    'Safe on 3 of 4 computers; any 1 may vanish.',
  );
  const young = { ...partner, phase: 'in-commitment' as const };
  assert.match(protectionSentence({ ...status, partners: [young] }), /^Safe on/);
  assert.match(nextStep(status), /invite 4 more/);
});

test('what is only on this disk is not called safe', () => {
  const alone = { ...status, partners: [] };
  assert.match(protectionSentence(alone), /this computer only/);
  assert.match(nextStep(alone), /covault invite/);
  const early = { ...status, protection: { ...status.protection, phase: 'captured' as const } };
  assert.match(protectionSentence(early), /^Not safe yet/);
});

test('a computer without backups is told to make one', () => {
  assert.equal(protectionSentence({ ...status, latest: null }), 'Nothing is backed up yet.');
  assert.match(nextStep({ ...status, latest: null }), /covault backup/);
});

test('a partner that is away is named', () => {
  const away = { ...partner, name: 'cellar', reachable: false };
  assert.match(nextStep({ ...status, partners: [partner, away] }), /cellar/);
});

test('whatever stands in the way is said, before the facts', () => {
  const blocked: StatusAnswer = {
    ...status,
    hindrances: [
      { code: 'identity.elsewhere', partners: [partner.id as PeerId] },
      { code: 'shards.lost', shards: 3, packs: 2 },
      { code: 'packs.short', packs: 2, ofOlder: 1 },
      { code: 'manifest.unsigned', receipts: 1, needed: 3 },
    ],
  };
  const text = statusText(blocked);
  assert.match(text, /attic.*another computer with this identity is ahead/);
  assert.match(text, /3 shards of 2 packs are lost or wrong/);
  assert.match(text, /2 packs that it rests on .*1 of older/);
  assert.match(text, /1 of 3 partners needed have signed/);
  assert.ok(text.indexOf('!  ') < text.indexOf('Latest snapshot'));
});

test('a partner’s name cannot move the cursor', () => {
  const evil = { ...partner, name: 'a\u001b[2J' };
  assert.equal(statusText({ ...status, partners: [evil] }).includes('\u001b'), false);
});

test('a backup below the wanted redundancy says why and what to do', () => {
  const result = {
    dryRun: false as const,
    report: {} as never,
    wanted: 'protected' as const,
    phase: 'captured' as const,
    protection: status.protection,
    partners: 0,
    reachable: 0,
  };
  assert.match(protectionLine(result), /no partners yet. Invite someone/);
  assert.match(protectionLine({ ...result, partners: 3 }), /none of 3 partners can be reached/);
  assert.match(protectionLine({ ...result, partners: 3, reachable: 2 }), /Captured, but not yet/);
  assert.match(protectionLine({ ...result, phase: 'complete', partners: 3 }), /^Complete/);
});

test('chances are told with one digit, on the worse side, and never below one in a million', () => {
  const texts = [1, 0.51, 0.5, 0.1, 0.034, 0.000047, 0.0000011, 1e-6, 0].map(chanceText);
  assert.deepEqual(texts, [
    'more than 1 in 2',
    'more than 1 in 2',
    '1 in 2',
    '1 in 10',
    '1 in 20',
    '1 in 20,000',
    '1 in 900,000',
    'less than 1 in a million',
    'less than 1 in a million',
  ]);
});

test('what may happen is said, and from when on partners honour restores', () => {
  const text = statusText(status);
  assert.match(text, /1 in 20,000 that a restore fails within 7 days\n/);
  assert.match(text, /less than 1 in a million that this computer is lost and cannot/);
  assert.doesNotMatch(text, /Restorable/);
  const restorableFrom = '2026-03-01T12:00:00.000Z';
  const young = outlookLines({ ...status.outlook, restorableFrom, measured: 1 });
  assert.match(young[0] ?? '', /^Restorable {7}from 2026-0[23]-/);
  assert.match(young[1] ?? '', /within 7 days, until that day \(3 partners not measured yet\)$/);
  assert.deepEqual(outlookLines({ ...status.outlook, chances: null }), []);
});

test('the next step is what helps most', () => {
  const advised = (next: StatusAnswer['outlook']['next']): string =>
    nextStep({ ...status, outlook: { ...status.outlook, next } });
  assert.match(advised({ type: 'find-partners', count: 4 }), /invite 4 more .*8 computers/);
  assert.match(advised({ type: 'free-space', partners: 1 }), /1 partner cannot take any more/);
  const diverse = advised({ type: 'diversify', domain: 'system linux 6.8', count: 2 });
  assert.match(diverse, /unlike these: with system linux 6.8/);
  assert.equal(advised({ type: 'none' }), 'nothing.');
});

test('a home that has stopped, or waits for its recovery, is told that before all else', () => {
  const hindered = (code: 'identity.superseded' | 'recovery.unfinished', daemon = true): string =>
    statusText({
      ...{ ...status, daemon, latest: null, partners: [] },
      hindrances: [code === 'recovery.unfinished' ? { code } : { code, incarnation: 2 }],
    });
  const stopped = hindered('identity.superseded');
  assert.match(stopped, /^Stopped: this identity lives on/m);
  assert.match(stopped, /^Next: begin a home of its own for this computer/m);
  const waiting = hindered('recovery.unfinished', false);
  assert.match(waiting, /^Not recovered yet: /m);
  assert.match(waiting, /^Next: run `covault recover` again, with the same kit or words/m);
  assert.match(hindered('recovery.unfinished'), /^Next: stop `covault up`, and run `covault rec/m);
  for (const text of [stopped, waiting]) assert.doesNotMatch(text, /invite|covault backup/);
});

test('what nobody has a place for is not said to be on its way', () => {
  const short: StatusAnswer = {
    ...status,
    protection: { ...status.protection, phase: 'protected', packsComplete: 3, shardsHeld: 33 },
  };
  assert.match(nextStep(short), /^find another partner \(`covault invite`/);
  assert.match(protectionSentence(short), /not all of it where it should be \(33 of 40 shards\)/);
  assert.match(nextStep({ ...short, rests: false }), /^nothing; the daemon goes on sending/);
  assert.match(protectionSentence({ ...short, rests: false }), /still sending/);
  const away = [partner, { ...partner, reachable: false }];
  assert.match(nextStep({ ...short, partners: away }), /^nothing; the daemon goes on sending/);
  assert.match(nextStep({ ...short, daemon: false }), /^run `covault up`/);
  const full = [{ code: 'plan.partners-full', partners: 2 }] as const;
  const crammed = nextStep({ ...short, outlook: { ...status.outlook, reasons: full } });
  assert.match(crammed, /^ask for more room .*: 2 partners cannot take any more; or find another/);
});

test('one of something is told as one', () => {
  const id = partner.id as PeerId;
  const since = '2026-01-02T00:00:00.000Z';
  const lines = hindranceLines({
    ...status,
    hindrances: [
      { code: 'shards.lost', shards: 1, packs: 1 },
      { code: 'packs.lost', packs: 1 },
      { code: 'packs.short', packs: 1, ofOlder: 0 },
      { code: 'partner.lacks', partner: id, lost: 1, wrong: 0 },
      { code: 'partner.failing', partner: id, cause: 'wrong', since, answers: true, shards: 1 },
      { code: 'shards.deleted', partner: id, since, shards: 1 },
    ],
  }).join('\n');
  assert.match(lines, /1 shard of 1 pack is lost or wrong at partners, and does not count/);
  assert.match(lines, /1 pack was damaged/);
  assert.match(lines, /1 pack that it rests on has too few/);
  assert.match(lines, /\(1 lost, 0 wrong\): it has to be made anew/);
  assert.match(lines, /1 shard there does not count/);
  assert.match(lines, /1 shard at attic was deleted .* takes it back/);
});

test('a search that is on says what it found, and how to help it along', () => {
  const searching = { seeks: true, missing: 3, candidates: 0, refused: 0 };
  assert.match(
    statusText({ ...status, search: searching }),
    /^Search {11}looking for 3 more partners: no candidates known yet \(`covault search --dry-run` looks now\)$/m,
  );
  const found = { ...searching, candidates: 5, refused: 2 };
  assert.match(
    statusText({ ...status, search: found }),
    /looking for 3 more partners: 5 candidates known, 2 refused \(`covault search --dry-run`\)/,
  );
  assert.match(statusText({ ...status, daemon: false, search: found }), /`covault up` would look/);
  assert.doesNotMatch(statusText(status), /^Search/m);
});

test('partners that are not as usual have a line each, with the day on which that changes', () => {
  const text = statusText({
    ...status,
    partners: [
      partner,
      {
        ...partner,
        name: 'barn',
        phase: 'suspended',
        lastSeenAt: '2026-01-03T00:00:00.000Z',
        graceEndsAt: '2026-02-01T12:00:00.000Z',
      },
      {
        ...partner,
        name: 'cave',
        phase: 'in-commitment',
        commitmentEndsAt: '2026-02-02T12:00:00.000Z',
      },
    ],
    reneged: [{ id: 'fe'.repeat(32), name: 'dune' }],
  });
  assert.match(text, /^barn is suspended: silent since 2026-01-0\d .*, grace ends 2026-02-0\d /m);
  assert.match(text, /^cave is in commitment until 2026-02-0\d .* \(no restores before\)\.$/m);
  assert.match(text, /^dune reneged: `covault partners forgive fefefefefefe` takes that back/m);
  assert.doesNotMatch(text, /^attic is/m);
});
