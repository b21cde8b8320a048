/**
 * What a party may sign (C27): an account that its own bears out, within what two honest accounts differ by.
 *
 * The two look at different moments and see different things, so amounts may differ a little. Where that little could be used to blame or to praise it is
 * nothing at all: who is charged with wrong bytes was told so, and who praises itself is praised by the other first.
 */
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { hourMs, mebi } from '../../base/units.ts';
import { type Conduct, hasReneged } from './conduct.ts';

/** Where the accounts part, in a code that stays. */
export type Disagreement = {
  readonly code: 'record.disagrees';
  readonly about: 'held' | 'audits' | 'on-line' | 'proven-days' | 'outcome';
};

/** Uploads under way are held for one side and not yet for the other. */
const heldSlackBytes: number = 64 * mebi;
const relativeSlack = 0.1;
/** An audit is over for one side before it is for the other. */
const auditSlack = 2;
const daysSlack = 1;
/** Of the time watched, this share may have passed unseen by one who was at work: the way was cut, or the other looked when this one was mostly away. */
const unseenShare = 0.4;
const watchSlackMs: number = hourMs;

/**
 * Whether the one who was observed signs what the other says of it. `own`: its own account of itself, in which `onLineMs` of `watchedMs` is how long it was
 * at work.
 */
export function fairToSelf(claimed: Conduct, own: Conduct): Outcome<Conduct, Disagreement> {
  if (!near(claimed.heldBytes, own.heldBytes, heldSlackBytes)) return disagrees('held');
  if (!auditsFairToSelf(claimed, own)) return disagrees('audits');
  if (!onLineFairToSelf(claimed, own)) return disagrees('on-line');
  if (!near(claimed.provenDays, own.provenDays, daysSlack)) return disagrees('proven-days');
  return outcomeFairToSelf(claimed, own) ? succeeded(claimed) : disagrees('outcome');
}

/** Whether the observer signs, as its own observation, what stands in a receipt. `own` may have grown a little since it was told. */
export function trueToObserver(claimed: Conduct, own: Conduct): Outcome<Conduct, Disagreement> {
  if (!near(claimed.heldBytes, own.heldBytes, heldSlackBytes)) return disagrees('held');
  if (!auditsTrueToObserver(claimed, own)) return disagrees('audits');
  if (!onLineTrueToObserver(claimed, own)) return disagrees('on-line');
  if (claimed.provenDays > own.provenDays || claimed.provenDays < own.provenDays - daysSlack)
    return disagrees('proven-days');
  return claimed.outcome === own.outcome ? succeeded(claimed) : disagrees('outcome');
}

/** It knows which audits it answered and which answers were wrong; of those that never reached it only how long it was away. */
function auditsFairToSelf({ audits }: Conduct, own: Conduct): boolean {
  if (audits.wrong > own.audits.wrong) return false;
  if (!near(audits.passed, own.audits.passed, auditSlack)) return false;
  const missed = audits.asked * (awayShare(own) + relativeSlack) + auditSlack;
  return audits.unanswered <= own.audits.unanswered + missed;
}

function auditsTrueToObserver({ audits }: Conduct, own: Conduct): boolean {
  if (audits.wrong !== own.audits.wrong || audits.passed > own.audits.passed) return false;
  return (['asked', 'passed', 'unanswered'] as const).every((count) =>
    near(audits[count], own.audits[count], auditSlack),
  );
}

function onLineFairToSelf({ onLineMs, watchedMs }: Conduct, own: Conduct): boolean {
  if (watchedMs > own.watchedMs * (1 + relativeSlack) + watchSlackMs) return false;
  const least = watchedMs * (1 - awayShare(own) - unseenShare) - watchSlackMs;
  return onLineMs >= least;
}

function onLineTrueToObserver({ onLineMs, watchedMs }: Conduct, own: Conduct): boolean {
  if (onLineMs > own.onLineMs || watchedMs > own.watchedMs) return false;
  return near(watchedMs, own.watchedMs, watchSlackMs) && near(onLineMs, own.onLineMs, watchSlackMs);
}

/** Nobody signs to have reneged that does not think so; to be let off is fair. */
function outcomeFairToSelf(claimed: Conduct, own: Conduct): boolean {
  switch (claimed.outcome) {
    case 'none':
      return true;
    case 'left':
      return own.outcome !== 'none';
    case 'reneged-by-silence':
      return hasReneged(own.outcome);
    case 'reneged-by-wrong':
      return own.outcome === 'reneged-by-wrong';
  }
}

function awayShare({ onLineMs, watchedMs }: Conduct): number {
  return watchedMs === 0 ? 0 : 1 - onLineMs / watchedMs;
}

function near(claimed: number, own: number, slack: number): boolean {
  return Math.abs(claimed - own) <= slack + own * relativeSlack;
}

function disagrees(about: Disagreement['about']): Outcome<never, Disagreement> {
  return failed({ code: 'record.disagrees', about });
}
