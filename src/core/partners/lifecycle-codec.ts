/** The state of a partnership as the catalogue keeps it (AgreementRow.lifecycle); it is never sent. */
import type { Bytes } from '../../base/bytes.ts';
import {
  type DocumentFailure,
  decodeDocument,
  encodeDocument,
  type FieldReader,
  orNull,
} from '../../base/document.ts';
import type { Outcome } from '../../base/outcome.ts';
import { lifecyclePhases } from './lifecycle-phase.ts';
import type { CommitmentStep, Leaving, LifecycleState, LossDebt } from './lifecycle-state.ts';

const kind = { magic: 'covault/lifecycle', version: 1, limitBytes: 2_048 };
const stepsMaximum = 8;
/** Times that only ever add up are kept in whole milliseconds. */
const timeMaximum = Number.MAX_SAFE_INTEGER;

export function encodeLifecycle(state: LifecycleState): Bytes {
  const { leaving, lossDebt } = state;
  return encodeDocument(kind, [
    state.phase,
    state.since,
    Math.floor(state.committedMs),
    orNull(state.committedAt),
    orNull(state.recommittedAt),
    state.steps.map(stepFields),
    state.settled.map(stepFields),
    state.unanswered,
    state.unproved,
    state.refusedMs === undefined ? null : Math.floor(Math.min(timeMaximum, state.refusedMs)),
    orNull(state.cause),
    orNull(state.failingFrom),
    Math.floor(state.failingMs),
    state.fresh,
    state.unjudgedMs === undefined ? null : Math.floor(Math.min(timeMaximum, state.unjudgedMs)),
    Math.floor(Math.min(timeMaximum, state.unaskedMs)),
    state.proofsOwed,
    state.relapses,
    state.spared,
    state.provenDays,
    state.lastProvenDay,
    state.cleanSince,
    orNull(state.pausedUntil),
    orNull(state.lossNoticedAt),
    lossDebt === undefined ? null : lossDebtFields(lossDebt),
    leaving === undefined ? null : [leaving.by, leaving.until],
    Math.floor(state.pastEndMs),
    Math.ceil(state.keptLeftMs),
  ]);
}

export function decodeLifecycle(bytes: Uint8Array): Outcome<LifecycleState, DocumentFailure> {
  return decodeDocument(kind, bytes, readState);
}

function readState(fields: FieldReader): LifecycleState {
  return {
    phase: fields.choice(lifecyclePhases),
    since: fields.instant(),
    committedMs: fields.uint(),
    committedAt: fields.optional((field) => field.instant()),
    recommittedAt: fields.optional((field) => field.instant()),
    steps: fields.list(stepsMaximum, readStep),
    settled: fields.list(stepsMaximum, readStep),
    unanswered: fields.flag(),
    unproved: fields.flag(),
    refusedMs: fields.optional((field) => field.uint()),
    cause: fields.optional((field) => field.choice(['silence', 'wrong', 'losses'])),
    failingFrom: fields.optional((field) => field.instant()),
    failingMs: fields.uint(),
    fresh: fields.flag(),
    unjudgedMs: fields.optional((field) => field.uint()),
    unaskedMs: fields.uint(),
    proofsOwed: fields.uint(),
    relapses: fields.uint(),
    spared: fields.flag(),
    provenDays: fields.uint(),
    lastProvenDay: fields.uint(),
    cleanSince: fields.instant(),
    pausedUntil: fields.optional((field) => field.instant()),
    lossNoticedAt: fields.optional((field) => field.instant()),
    lossDebt: fields.optional(readLossDebt),
    leaving: fields.optional(readLeaving),
    pastEndMs: fields.uint(),
    keptLeftMs: fields.uint(),
  };
}

function stepFields({
  theirs,
  ours,
  readableBytes,
  committedMs,
}: CommitmentStep): readonly number[] {
  return [
    ...[theirs.epoch, theirs.sequence, ours.epoch, ours.sequence],
    ...[readableBytes, Math.floor(committedMs)],
  ];
}

function readStep(fields: FieldReader): CommitmentStep {
  return fields.record((record) => ({
    theirs: { epoch: record.uint(), sequence: record.uint() },
    ours: { epoch: record.uint(), sequence: record.uint() },
    readableBytes: record.uint(),
    committedMs: record.uint(),
  }));
}

function lossDebtFields({ leftMs, owedMs, isUnproved }: LossDebt): readonly (number | boolean)[] {
  return [Math.ceil(leftMs), Math.ceil(owedMs), isUnproved];
}

function readLossDebt(fields: FieldReader): LossDebt {
  return fields.record((record) => ({
    leftMs: record.uint(),
    owedMs: record.uint(),
    isUnproved: record.flag(),
  }));
}

function readLeaving(fields: FieldReader): Leaving {
  return fields.record((record) => ({
    by: record.choice(['us', 'partner']),
    until: record.instant(),
  }));
}
