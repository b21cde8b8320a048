/**
 * What operations answer, in plain JSON: ids as hexadecimal text, times as ISO 8601, sizes in bytes, paths as `PathText`, and null for what is not known.
 */

import type { Instant } from '../base/units.ts';
import { isInForce } from '../core/partners/lifecycle-phase.ts';
import type { FailureCause } from '../core/partners/lifecycle-state.ts';
import type { Durability } from '../core/placement/durability.ts';
import type { NextAction, PlanReason } from '../core/placement/planner.ts';
import { contentProblemCount, type FidelityProblem } from '../core/scan/fidelity.ts';
import { decodeSnapshot } from '../core/scan/snapshot.ts';
import type { Code } from '../core/vocabulary/code.ts';
import type {
  BackupReport,
  ListedEntry,
  ProtectionProgress,
  RestoreReport,
  StatusReport,
} from '../engine/computer.ts';
import type { Failing } from '../engine/partners/partner-failings.ts';
import type { PartnerView } from '../engine/partners/partnerships.ts';
import type { SafetyOutlook } from '../engine/partners/safety-outlook.ts';
import type { Hindrance } from '../engine/sending/hindrances.ts';
import type { RepairWork, StripeHealth } from '../engine/upkeep/stripe-health.ts';
import type { AgreementPhase, SnapshotPhase, SnapshotRow } from '../ports/stores.ts';
import type { Route } from '../ports/transport.ts';
import { type DrillAnswer, drillAnswer, type NameOf } from './audit-answers.ts';
import { type PathText, pathTextOf } from './path-text.ts';
import { timeText } from './time-text.ts';

export interface PartnerAnswer {
  readonly id: string;
  readonly name: string;
  readonly agreement: string;
  readonly phase: AgreementPhase | 'paused';
  readonly addresses: readonly string[];
  readonly since: string;
  readonly lastSeenAt: string | null;
  readonly reachable: boolean | null;
  readonly holdsBytes: number;
  readonly lendsUsBytes: number;
  readonly weHoldBytes: number;
  readonly weLendBytes: number;
  /** Shards of ours that it lost, or has wrong, and that were not made up for yet. */
  readonly lacks: { readonly lost: number; readonly wrong: number };
  /** Why it is suspended; null: it is not. */
  readonly failing: FailingAnswer | null;
  /** Share of the time in which it could be reached, 0 … 1. */
  readonly availability: number | null;
  /** Average bytes a second of real transfers. */
  readonly bandwidthTo: number | null;
  readonly bandwidthFrom: number | null;
  /** How it is connected now. */
  readonly route: Route | null;
  /** Household or network, and system, that it may fail together with. */
  readonly place: string | null;
  readonly system: string | null;
  readonly commitmentEndsAt: string | null;
  readonly graceEndsAt: string | null;
  readonly leavesAt: string | null;
  readonly provenDays: number;
}

export interface SnapshotAnswer {
  readonly id: string;
  readonly takenAt: string;
  readonly phase: SnapshotPhase;
  readonly hostName: string;
  readonly userName: string | null;
  readonly roots: readonly PathText[];
  readonly tags: readonly string[];
  readonly files: number;
  readonly directories: number;
  readonly bytes: number;
  readonly newBytes: number;
  /** Files that were left out or changed while they were read. */
  readonly problems: number;
}

export interface StatusAnswer {
  readonly peer: string;
  readonly name: string;
  readonly daemon: boolean;
  readonly listening: readonly string[];
  readonly partners: readonly PartnerAnswer[];
  /** Former partners that reneged and were not forgotten. */
  readonly reneged: readonly FormerPartner[];
  readonly search: SearchOutlook;
  readonly code: Code | null;
  readonly protection: ProtectionProgress;
  readonly snapshots: number;
  readonly latest: SnapshotAnswer | null;
  readonly spooledBytes: number;
  readonly manifest: {
    readonly incarnation: number;
    readonly sequence: number;
    readonly receipts: number;
  } | null;
  readonly bearableLosses: number | null;
  readonly outlook: OutlookAnswer;
  /** Why it is no safer; empty when nothing stands in the way. */
  readonly hindrances: readonly HindranceAnswer[];
  /** How the stripes stand, and what is being done about it. */
  readonly health: StripeHealth;
  readonly repair: RepairWork;
  /** A daemon could send nothing and make nothing anew when it last looked. */
  readonly rests: boolean;
  /** When a drill last restored everything that it drew; null: never. */
  readonly lastProven: string | null;
  readonly lastDrill: DrillAnswer | null;
}

type Timed = Extract<Hindrance, { readonly since: Instant }>;

/** As the engine tells it, with times as text. */
export type HindranceAnswer = Exclude<Hindrance, Timed> | Dated<Timed>;

type Dated<T> = T extends unknown ? Omit<T, 'since'> & { readonly since: string } : never;

export interface FormerPartner {
  readonly id: string;
  readonly name: string;
}

/** Whether partners are looked for, and whom that could find. */
export interface SearchOutlook {
  readonly seeks: boolean;
  /** More partners wanted than there are. */
  readonly missing: number;
  /** Peers heard of that may become partners, and those that may not. */
  readonly candidates: number;
  readonly refused: number;
}

/** What may happen to what is backed up, and what would help most. */
export interface OutlookAnswer {
  /** Partners, and how many of these hold a shard of everything. */
  readonly partners: number;
  readonly holding: number;
  /** Holders of which it was measured how often they are there. */
  readonly measured: number;
  /** Partners that the full code wants. */
  readonly wantedPartners: number;
  readonly reasons: readonly PlanReason[];
  readonly next: NextAction;
  /** Chances, 0.000001 … 1; null while something cannot be restored. */
  readonly chances: Durability | null;
  /** Restores are honoured from then on; null: now. */
  readonly restorableFrom: string | null;
}

export interface ProblemAnswer {
  readonly path: PathText;
  readonly problem: string;
  readonly detail: string;
}

export type BackupAnswer = Omit<BackupReport, 'problems' | 'specials'> & {
  readonly problems: readonly ProblemAnswer[];
  readonly specials: readonly PathText[];
};

export type RestoreAnswer = Omit<RestoreReport, 'problems'> & {
  readonly problems: readonly ProblemAnswer[];
};

export interface EntryAnswer {
  readonly path: PathText;
  readonly kind: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly userName: string | null;
  readonly groupName: string | null;
  readonly sizeBytes: number;
  /** Nanoseconds since 1970, as text: more than a JSON number holds. */
  readonly modifiedNs: string;
  readonly target: PathText | null;
}

export interface FailingAnswer {
  readonly cause: FailureCause;
  readonly since: string;
  /** It is there all the same: it fails to prove, or to serve, what it has. */
  readonly answers: boolean;
}

export function failingAnswer(failing: Failing | undefined): FailingAnswer | null {
  return failing === undefined ? null : { ...failing, since: timeText(failing.since) };
}

type Dates = Pick<PartnerView, 'commitmentEndsAt' | 'graceEndsAt' | 'leavesAt'>;

export function datesAnswer(dates: Dates): Readonly<Record<keyof Dates, string | null>> {
  const textOf = (at: Instant | undefined): string | null =>
    at === undefined ? null : timeText(at);
  return {
    commitmentEndsAt: textOf(dates.commitmentEndsAt),
    graceEndsAt: textOf(dates.graceEndsAt),
    leavesAt: textOf(dates.leavesAt),
  };
}

export function partnerAnswer(view: PartnerView): PartnerAnswer {
  const { agreement } = view;
  return {
    id: agreement.partner,
    name: agreement.partnerName,
    agreement: agreement.agreement,
    phase: agreement.paused && isInForce(agreement.phase) ? 'paused' : agreement.phase,
    addresses: agreement.addresses,
    since: timeText(agreement.since),
    lastSeenAt: agreement.lastSeenAt === undefined ? null : timeText(agreement.lastSeenAt),
    reachable: view.reachable ?? null,
    holdsBytes: view.holdsBytes,
    lendsUsBytes: view.lendsUsBytes,
    weHoldBytes: view.weHoldBytes,
    weLendBytes: view.weLendBytes,
    lacks: view.lacks,
    failing: failingAnswer(view.failing),
    availability: view.availability ?? null,
    bandwidthTo: view.bandwidthTo ?? null,
    bandwidthFrom: view.bandwidthFrom ?? null,
    route: view.route ?? null,
    place: view.place ?? null,
    system: view.system ?? null,
    ...datesAnswer(view),
    provenDays: view.provenDays,
  };
}

/** A body that cannot be read leaves the row's own facts: the catalogue's word is enough to list it. */
export function snapshotAnswer(row: SnapshotRow): SnapshotAnswer {
  const decoded = decodeSnapshot(row.body);
  const facts = { id: row.snapshot, takenAt: timeText(row.takenAt), phase: row.phase };
  if (!decoded.ok) return { ...facts, ...unreadableSnapshot };
  const { value } = decoded;
  return {
    ...facts,
    hostName: value.hostName,
    userName: value.userName ?? null,
    roots: value.roots.map(pathTextOf),
    tags: value.tags,
    files: value.counts.files,
    directories: value.counts.directories,
    bytes: value.counts.bytes,
    newBytes: value.counts.newBytes,
    problems: contentProblemCount(value.fidelity),
  };
}

/** One snapshot and its fidelity report: what it could not keep. */
export interface SnapshotDetails extends SnapshotAnswer {
  readonly excludes: readonly string[];
  /** The version of covault that made it. */
  readonly program: string;
  readonly notKept: readonly { readonly problem: FidelityProblem; readonly count: number }[];
  /** The first of them. */
  readonly problemPaths: readonly { readonly path: PathText; readonly problem: FidelityProblem }[];
}

/** So many paths are named; all are counted. */
const problemPathsMaximum = 1_000;

export function snapshotDetails(row: SnapshotRow): SnapshotDetails | undefined {
  const decoded = decodeSnapshot(row.body);
  if (!decoded.ok) return undefined;
  const { excludes, program, fidelity } = decoded.value;
  return {
    ...snapshotAnswer(row),
    excludes,
    program,
    notKept: [...fidelity.counts].map(([problem, count]) => ({ problem, count })),
    problemPaths: fidelity.entries
      .slice(0, problemPathsMaximum)
      .map(({ path, problem }) => ({ path: pathTextOf(path), problem })),
  };
}

const unreadableSnapshot = {
  hostName: '',
  userName: null,
  roots: [],
  tags: [],
  files: 0,
  directories: 0,
  bytes: 0,
  newBytes: 0,
  problems: 0,
} as const;

/** What a status says besides what the engine reports. */
export interface StatusSurroundings extends Pick<StatusAnswer, 'daemon' | 'reneged' | 'search'> {
  readonly nameOf: NameOf;
}

export function statusAnswer(report: StatusReport, around: StatusSurroundings): StatusAnswer {
  return {
    peer: report.self,
    name: report.name,
    daemon: around.daemon,
    listening: report.listening,
    partners: report.partners.map(partnerAnswer),
    reneged: around.reneged,
    search: around.search,
    code: report.code ?? null,
    protection: report.protection,
    snapshots: report.snapshots,
    latest: report.latest === undefined ? null : snapshotAnswer(report.latest),
    spooledBytes: report.spooledBytes,
    manifest: report.manifest ?? null,
    bearableLosses: report.bearableLosses ?? null,
    outlook: outlookAnswer(report.outlook),
    hindrances: report.hindrances.map(hindranceAnswer),
    health: report.health,
    repair: report.repair,
    rests: report.rests,
    lastProven: report.lastProven === undefined ? null : timeText(report.lastProven),
    lastDrill: report.lastDrill === undefined ? null : drillAnswer(report.lastDrill, around.nameOf),
  };
}

export function hindranceAnswer(hindrance: Hindrance): HindranceAnswer {
  if (!('since' in hindrance)) return hindrance;
  return { ...hindrance, since: timeText(hindrance.since) };
}

function outlookAnswer({ chances, restorableFrom, ...outlook }: SafetyOutlook): OutlookAnswer {
  return {
    ...outlook,
    chances: chances ?? null,
    restorableFrom: restorableFrom === undefined ? null : timeText(restorableFrom),
  };
}

export function problemAnswer(problem: {
  readonly path: Uint8Array;
  readonly problem: string;
  readonly detail: string;
}): ProblemAnswer {
  return {
    path: pathTextOf(problem.path),
    problem: problem.problem,
    detail: problem.detail,
  };
}

export function backupAnswer(report: BackupReport): BackupAnswer {
  return {
    ...report,
    problems: report.problems.map(problemAnswer),
    specials: report.specials.map(pathTextOf),
  };
}

export function restoreAnswer(report: RestoreReport): RestoreAnswer {
  return { ...report, problems: report.problems.map(problemAnswer) };
}

export function entryAnswer({ path, entry }: ListedEntry): EntryAnswer {
  return {
    path: pathTextOf(path),
    kind: entry.kind,
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    userName: entry.userName ?? null,
    groupName: entry.groupName ?? null,
    sizeBytes: entry.sizeBytes,
    modifiedNs: entry.modifiedNs.toString(),
    target: entry.target === undefined ? null : pathTextOf(entry.target),
  };
}
