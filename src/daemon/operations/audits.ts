/** Audits and drills on request, and what came of those before. */
import { z } from 'zod';
import { failed, succeeded } from '../../base/outcome.ts';
import { blocksPerAuditMaximum } from '../../core/audits/challenge.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import type { Computer } from '../../engine/computer.ts';
import type { DrillProgress } from '../../engine/drills/drill-run.ts';
import {
  type AuditAnswer,
  auditAnswer,
  type DrillAnswer,
  drillAnswer,
  type NameOf,
  type PartnerAuditsAnswer,
  partnerAuditsAnswer,
} from '../audit-answers.ts';
import { type Operation, operation } from '../operation.ts';
import { failure } from '../operation-failure.ts';
import { choosePartner } from '../snapshot-choice.ts';

const idMaximumLength = 255;
const idSchema = z.string().min(1).max(idMaximumLength);
const drilledFilesMaximum = 10_000;

export interface AuditInput {
  /** Id prefix or name; undefined: all of them. */
  readonly partner?: string | undefined;
  readonly blocks?: number | undefined;
}

export interface AuditProgress {
  readonly asked: number;
  readonly done: number;
}

export interface AuditResult {
  readonly audits: readonly AuditAnswer[];
  /** Partners that hold nothing of ours yet, so there is nothing to ask. */
  readonly holdNothing: readonly { readonly id: string; readonly name: string }[];
}

export const audit: Operation<AuditInput, AuditProgress, never, AuditResult> = operation({
  input: z.strictObject({
    partner: idSchema.optional(),
    blocks: z.int().positive().max(blocksPerAuditMaximum).optional(),
  }),
  reach: 'network',
  secret: false,
  inItsName: true,
  run: async ({ computer }, { partner, blocks }, { signal, progress }) => {
    const all = computer.partners();
    const chosen = partner === undefined ? undefined : choosePartner(all, partner);
    if (chosen?.ok === false) return chosen;
    const views = chosen === undefined ? all : [chosen.value];
    const partners = views.map(({ agreement }) => agreement.partner);
    let done = 0;
    progress({ asked: partners.length, done });
    const events = await computer.audit({
      partners,
      blocks,
      signal,
      progress: () => {
        done += 1;
        progress({ asked: partners.length, done });
      },
    });
    signal.throwIfAborted();
    const nameOf = namesOf(computer);
    const asked = new Set(events.map((event) => event.partner));
    const order = (id: PeerId): number => partners.indexOf(id);
    return succeeded({
      audits: [...events]
        .sort((left, right) => order(left.partner) - order(right.partner))
        .map((event) => auditAnswer(event, nameOf)),
      holdNothing: partners.filter((id) => !asked.has(id)).map((id) => ({ id, name: nameOf(id) })),
    });
  },
});

export interface PartnerAuditsInput {
  readonly partner: string;
}

export const partnerAudits: Operation<PartnerAuditsInput, never, never, PartnerAuditsAnswer> =
  operation({
    input: z.strictObject({ partner: idSchema }),
    reach: 'local',
    secret: false,
    run: async ({ computer }, { partner }) => {
      const chosen = choosePartner(computer.partners(), partner);
      if (!chosen.ok) return chosen;
      const audits = computer.auditsOf(chosen.value.agreement.partner);
      if (audits === undefined) return failed(failure('partner.unknown', partner));
      return succeeded(partnerAuditsAnswer(audits));
    },
  });

export interface DrillInput {
  /** Undefined: as on any day. */
  readonly files?: number | undefined;
}

export type DrillResult = DrillAnswer & {
  /** Files and pieces that chance drew, and those of them that were left out because as much was read as a drill reads in a day. */
  readonly drawn: number;
  readonly leftOut: number;
};

export const drill: Operation<DrillInput, DrillProgress, never, DrillResult> = operation({
  input: z.strictObject({ files: z.int().positive().max(drilledFilesMaximum).optional() }),
  reach: 'network',
  secret: false,
  // Partners are told of a restore, of which they honour few: those belong to the later life.
  inItsName: true,
  run: async ({ computer }, { files }, { signal, progress }) => {
    let last: DrillProgress | undefined;
    const drilled = await computer.drill({
      ...{ files, signal },
      progress: (counts) => {
        last = counts;
        progress(counts);
      },
    });
    if (!drilled.ok) return failed(failure(drilled.error.code, drilled.error.detail));
    return succeeded({ ...drillAnswer(drilled.value, namesOf(computer)), ...extentOf(last) });
  },
});

/** A drill tells before each thing how many it has done, and at its end that it has done all, unless it stopped. */
export function extentOf(last: DrillProgress | undefined): Pick<DrillResult, 'drawn' | 'leftOut'> {
  if (last === undefined) return { drawn: 0, leftOut: 0 };
  return { drawn: last.items, leftOut: Math.max(0, last.items - last.itemsDone - 1) };
}

/** Former partners too. */
export function namesOf(computer: Pick<Computer, 'agreements'>): NameOf {
  const names = new Map<string, string>(
    computer.agreements().map(({ row }) => [row.partner, row.partnerName]),
  );
  return (partner) => names.get(partner) ?? '';
}
