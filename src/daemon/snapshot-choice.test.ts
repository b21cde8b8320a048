import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyBytes } from '../base/bytes.ts';
import { instant } from '../base/units.ts';
import type { SnapshotId } from '../core/vocabulary/ids.ts';
import type { SnapshotRow } from '../ports/stores.ts';
import { chooseSnapshot } from './snapshot-choice.ts';

function row(id: string): SnapshotRow {
  return {
    snapshot: id.padEnd(64, '0') as SnapshotId,
    body: emptyBytes,
    takenAt: instant(0),
    phase: 'captured',
  };
}

const rows = [row('aa11'), row('aa22'), row('bb33')];

function chosen(text: string): string {
  const choice = chooseSnapshot(rows, text);
  return choice.ok ? choice.value.snapshot.slice(0, 4) : choice.error.code;
}

test('latest is the newest, latest~N the Nth before it', () => {
  assert.equal(chosen('latest'), 'bb33');
  assert.equal(chosen('latest~0'), 'bb33');
  assert.equal(chosen('latest~2'), 'aa11');
});

test('a prefix that names one snapshot is enough, in any case of letters', () => {
  assert.equal(chosen('b'), 'bb33');
  assert.equal(chosen('AA2'), 'aa22');
});

test('a prefix of several snapshots, of none, or nonsense is refused', () => {
  assert.equal(chosen('aa'), 'snapshot.ambiguous');
  assert.equal(chosen('cc'), 'snapshot.unknown');
  assert.equal(chosen('latest~3'), 'snapshot.unknown');
  assert.equal(chosen('latest~-1'), 'snapshot.unknown');
  assert.equal(chosen(''), 'snapshot.unknown');
});
