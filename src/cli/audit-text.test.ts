import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AuditAnswer } from '../daemon/audit-answers.ts';
import { type DrillResult, extentOf } from '../daemon/operations/audits.ts';
import { auditLines, drillLines, provenLines } from './audit-text.ts';
import { auditExit, drillExit } from './commands/audits.ts';
import { undeleteExit, undeleteLines } from './commands/undelete.ts';
import { exitCodes } from './exit-codes.ts';

const passed: AuditAnswer = {
  ...{ partner: 'ab'.repeat(32), name: 'attic', outcome: 'passed', reason: '' },
  ...{ at: '2026-01-02T00:00:00.000Z', provenBlocks: 2, findings: [], pendingSince: null },
  blocksLeft: 18,
};

const drill: DrillResult = {
  ...{ drawn: 7, leftOut: 0 },
  ...{ at: '2026-01-02T00:00:00.000Z', files: 4, bytes: 3e6, packs: 2 },
  ...{ proven: true, announced: false, partners: [], problems: [] },
};

const result = (audits: readonly AuditAnswer[]) => ({ audits, holdNothing: [] });

test('one wrong answer gives 14 whatever the others did; 13 is for nobody having answered', () => {
  const wrong: AuditAnswer = { ...passed, outcome: 'wrong' };
  const offline: AuditAnswer = { ...passed, outcome: 'offline' };
  const unclear: AuditAnswer = { ...passed, outcome: 'unclear', reason: 'request.quota' };
  assert.equal(auditExit(result([])), exitCodes.ok);
  assert.equal(auditExit(result([passed, wrong])), exitCodes.integrity);
  assert.equal(auditExit(result([passed, offline])), exitCodes.ok);
  assert.equal(auditExit(result([offline, unclear])), exitCodes.tooFewPartners);
  assert.equal(auditExit(result([unclear])), exitCodes.failed);
  assert.match(auditLines(result([unclear])).join('\n'), /ask again tomorrow \(18 blocks left/);
  assert.match(auditLines(result([passed])).join('\n'), /proved 2 blocks.*\(18 blocks left for/);
});

test('many findings are counted, and names from others are escaped', () => {
  const findings = Array.from({ length: 11 }, (_, block) => {
    return { shard: 'cd'.repeat(16), block, fault: 'bad-tag' as const };
  });
  const lines = auditLines(
    result([{ ...passed, outcome: 'wrong', name: 'a\u001b[31m', findings }]),
  );
  assert.equal(lines.length, 1 + 8 + 1);
  assert.match(lines.join('\n'), /block 0 of shard cdcdcdcdcdcd: its keyed hash does not match/);
  assert.equal(lines.at(-1), '   and 3 blocks more');
  assert.ok(!lines.join('').includes('\u001b'));
});

test('a drill that brought something back wrong ends with 14, one that was not served with 13', () => {
  const partner = {
    ...{ partner: passed.partner as never, name: 'attic', blocks: 3, refusals: 0 },
    ...{ wrongBlocks: 1, code: '' },
  };
  const problem = { path: '/data/file', code: 'restore.too-few-partners', detail: '' };
  assert.equal(drillExit(drill), exitCodes.ok);
  assert.equal(drillExit({ ...drill, partners: [partner] }), exitCodes.integrity);
  const failed: DrillResult = { ...drill, proven: false, problems: [problem] };
  assert.equal(drillExit(failed), exitCodes.tooFewPartners);
  assert.match(drillLines(failed).join('\n'), /!\s+\/data\/file: restore\.too-few-partners/);
  const lines = provenLines({ latest: {} as never, lastProven: null, lastDrill: failed });
  assert.match(lines.join('\n'), /not yet .*\n.* could not restore 1 thing$/);
});

test('undeleting says what is back, what is gone, and who did not answer', () => {
  const silent = [{ id: passed.partner, name: 'attic' }];
  const some = { partnersAsked: 2, silent, deleted: 5, restored: 3, gone: 1 };
  assert.equal(undeleteExit(some), exitCodes.belowRedundancy);
  assert.equal(undeleteExit({ ...some, partnersAsked: 1 }), exitCodes.tooFewPartners);
  assert.equal(undeleteExit({ ...some, silent: [], restored: 5, gone: 0 }), exitCodes.ok);
  const text = undeleteLines(some).join('\n');
  assert.match(text, /3 of 5 deleted shards are held again/);
  assert.match(text, /1 shard could not be asked for/);
  assert.match(text, /No answer from attic/);
});

test('a drill that read all that it may says so', () => {
  assert.doesNotMatch(drillLines(drill).join('\n'), /stopped/);
  const counts = { items: 101, itemsDone: 5, fetchedBytes: 4e7 };
  const stopped = { ...drill, ...extentOf(counts) };
  assert.match(drillLines(stopped).join('\n'), /95 of 101 things drawn were not asked for/);
  assert.equal(extentOf({ ...counts, itemsDone: 101 }).leftOut, 0);
  assert.equal(extentOf(undefined).leftOut, 0);
});
