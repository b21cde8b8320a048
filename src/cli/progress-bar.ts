/**
 * One line that says how far something is: phase, bar, counts, rate, time left.
 *
 * The line is a pure function of what is known, the width and the time; the renderer beside it writes it to the terminal.
 */
import { countText, durationText, rateText, sizeText } from './quantities.ts';

export interface ProgressState {
  /** What is being done: `reading files`, `sending to partners`. */
  readonly phase: string;
  readonly startedAtMs: number;
  readonly doneBytes: number;
  /** Undefined while it is not known how much there is. */
  readonly totalBytes: number | undefined;
  readonly doneCount: number;
  readonly totalCount: number | undefined;
  /** Noun of the count: `files`. */
  readonly counted: string;
}

const barCells = 20;
const minimumBarWidth = 60;
/** A guess from less than this is worth nothing. */
const estimateAfterMs = 1_500;

/** At most `width` characters, without a line end. */
export function progressLine(state: ProgressState, width: number, nowMs: number): string {
  const elapsedMs = Math.max(nowMs - state.startedAtMs, 0);
  const share = shareDone(state);
  const parts = [state.phase];
  if (share !== undefined) {
    if (width >= minimumBarWidth) parts.push(barText(share));
    parts.push(`${String(Math.floor(share * 100)).padStart(3)} %`);
  }
  parts.push(...amounts(state));
  if (elapsedMs >= estimateAfterMs && state.doneBytes > 0)
    parts.push(rateText((state.doneBytes * 1000) / elapsedMs));
  const left = timeLeftMs(share, elapsedMs);
  parts.push(left === undefined ? durationText(elapsedMs) : `${durationText(left)} left`);
  return fit(parts, width);
}

function shareDone(state: ProgressState): number | undefined {
  const { totalBytes, totalCount } = state;
  if (totalBytes !== undefined && totalBytes > 0) return Math.min(state.doneBytes / totalBytes, 1);
  if (totalCount !== undefined && totalCount > 0) return Math.min(state.doneCount / totalCount, 1);
  return undefined;
}

function amounts(state: ProgressState): readonly string[] {
  const count =
    state.totalCount === undefined
      ? countText(state.doneCount)
      : `${countText(state.doneCount)}/${countText(state.totalCount)}`;
  if (state.totalBytes === undefined && state.doneBytes === 0) return [`${count} ${state.counted}`];
  const bytes =
    state.totalBytes === undefined
      ? sizeText(state.doneBytes)
      : `${sizeText(state.doneBytes)} of ${sizeText(state.totalBytes)}`;
  return [`${count} ${state.counted}`, bytes];
}

function barText(share: number): string {
  const filled = Math.floor(share * barCells);
  return `[${'#'.repeat(filled)}${'-'.repeat(barCells - filled)}]`;
}

function timeLeftMs(share: number | undefined, elapsedMs: number): number | undefined {
  if (share === undefined || share <= 0 || share >= 1 || elapsedMs < estimateAfterMs)
    return undefined;
  return (elapsedMs * (1 - share)) / share;
}

/** Leaves out parts from the middle before it cuts the line. */
function fit(parts: readonly string[], width: number): string {
  const kept = [...parts];
  while (kept.join('  ').length > width && kept.length > 2) kept.splice(-2, 1);
  return kept.join('  ').slice(0, Math.max(width, 0));
}
