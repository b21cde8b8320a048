/** What operations answer about audits and drills, in plain JSON as in answers.ts. */
import type { AuditFault, AuditOutcome, Finding } from '../core/audits/verdict.ts';
import type { AuditFailureView } from '../engine/audits/answered-audits.ts';
import type { AuditEvent } from '../engine/audits/audit-event.ts';
import type { AuditView, PartnerAudits } from '../engine/audits/audit-views.ts';
import { type DrillPartner, type DrillReport, proves } from '../engine/drills/drill-report.ts';
import { type PathText, pathTextOf } from './path-text.ts';
import { timeText } from './time-text.ts';

export interface FindingAnswer {
  /** Of the shard, as both sides know it. */
  readonly shard: string;
  /** From 0. */
  readonly block: number;
  readonly fault: AuditFault;
}

export interface AuditAnswer {
  readonly partner: string;
  readonly name: string;
  readonly outcome: AuditOutcome;
  /** Stable; empty when it passed. */
  readonly reason: string;
  readonly at: string;
  readonly provenBlocks: number;
  /** How many more may be asked of it today, as was agreed; null when that was not counted. */
  readonly blocksLeft: number | null;
  readonly findings: readonly FindingAnswer[];
  /** Since when the oldest question waits for its answer. */
  readonly pendingSince: string | null;
}

export interface AuditViewAnswer {
  readonly at: string;
  readonly outcome: AuditView['outcome'];
  readonly blocks: number;
  readonly findings: readonly FindingAnswer[];
  readonly isDenied: boolean;
}

export interface AuditFailureAnswer {
  readonly challenge: string;
  readonly at: string;
  readonly findings: readonly FindingAnswer[];
  /** The partner told; otherwise it is our own finding. */
  readonly told: boolean;
}

export interface PartnerAuditsAnswer {
  /** What we asked of it. */
  readonly ofPartner: {
    readonly passed: number;
    readonly wrong: number;
    readonly pending: number;
    readonly lastAt: string | null;
    readonly lastPassedAt: string | null;
    readonly intervalMs: number;
    /** Shards there, and those of them that this round has visited. */
    readonly shards: number;
    readonly visited: number;
    /** Newest first. */
    readonly latest: readonly AuditViewAnswer[];
  };
  /** What it asked of us. */
  readonly ofUs: {
    readonly passed: number;
    readonly wrong: number;
    /** Newest first. */
    readonly failures: readonly AuditFailureAnswer[];
    /** Asked of us and not answered yet, oldest first. */
    readonly waiting: readonly {
      readonly challenge: string;
      readonly at: string;
      readonly blocks: number;
    }[];
    /** Why it got no answer when it asked last. */
    readonly refusal: {
      readonly at: string;
      readonly code: string;
      readonly detail: string;
    } | null;
  };
}

export interface DrillPartnerAnswer extends DrillPartner {
  readonly name: string;
}

export interface DrillAnswer {
  readonly at: string;
  readonly files: number;
  readonly bytes: number;
  readonly packs: number;
  /** Everything that was drawn came back right. */
  readonly proven: boolean;
  readonly announced: boolean;
  readonly partners: readonly DrillPartnerAnswer[];
  readonly problems: readonly {
    readonly path: PathText | null;
    readonly code: string;
    readonly detail: string;
  }[];
}

export type NameOf = (partner: string) => string;

export function auditAnswer(event: AuditEvent, nameOf: NameOf): AuditAnswer {
  const { partner, outcome, reason, at, provenBlocks, blocksLeft, findings, pendingSince } = event;
  return {
    ...{ partner, name: nameOf(partner), outcome, reason, at: timeText(at), provenBlocks },
    blocksLeft: blocksLeft ?? null,
    findings: findings.map(findingAnswer),
    pendingSince: momentOf(pendingSince),
  };
}

export function partnerAuditsAnswer({ ofPartner, ofUs }: PartnerAudits): PartnerAuditsAnswer {
  return {
    ofPartner: {
      ...ofPartner,
      lastAt: momentOf(ofPartner.lastAt),
      lastPassedAt: momentOf(ofPartner.lastPassedAt),
      latest: ofPartner.latest.map((view) => ({
        ...view,
        at: timeText(view.at),
        findings: view.findings.map(findingAnswer),
      })),
    },
    ofUs: {
      ...ofUs,
      failures: ofUs.failures.map(failureAnswer),
      waiting: ofUs.waiting.map((view) => ({ ...view, at: timeText(view.at) })),
      refusal:
        ofUs.refusal === undefined ? null : { ...ofUs.refusal, at: timeText(ofUs.refusal.at) },
    },
  };
}

export function drillAnswer(report: DrillReport, nameOf: NameOf): DrillAnswer {
  const { at, partners, problems, ...counts } = report;
  return {
    ...counts,
    at: timeText(at),
    proven: proves(report),
    partners: partners.map((partner) => ({ ...partner, name: nameOf(partner.partner) })),
    problems: problems.map(({ path, code, detail }) => ({
      path: path === undefined ? null : pathTextOf(path),
      ...{ code, detail },
    })),
  };
}

function failureAnswer({ challenge, at, findings, told }: AuditFailureView): AuditFailureAnswer {
  return { challenge, at: timeText(at), findings: findings.map(findingAnswer), told };
}

function findingAnswer({ name, number, fault }: Finding): FindingAnswer {
  return { shard: name, block: number, fault };
}

function momentOf(at: number | undefined): string | null {
  return at === undefined ? null : timeText(at);
}
