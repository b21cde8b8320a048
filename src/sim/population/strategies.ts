/**
 * Ways to be a partner, honest and not: one small table each (RESEARCH §2). What becomes of them, the honest side's own lifecycle and audits decide.
 *
 * A cheat knows more here than it could: how far the other side has counted its commitment and its silence. What it does follows from the moment alone.
 */

/** When a strategy decides. */
export interface StrategyMoment {
  /** Days of the calendar since the pair began, or began anew. */
  readonly ageDays: number;
  /** Its commitment is over: it is given back what it stored first. */
  readonly isCommitted: boolean;
  /** Growths of the terms that have their commitment behind them. */
  readonly stepsOver: number;
  /** Of G, how much has been counted against it. */
  readonly graceShare: number;
  /** After the end: days for which what it stored is still kept. */
  readonly keptDays: number;
}

export interface Strategy {
  readonly name: string;
  /** Share of the blocks that it keeps while it is there; whoever is gone keeps nothing. */
  readonly kept: number;
  /** It takes shards at all; else it says that its disk is full. */
  readonly takesShards: boolean;
  /** Asked for a block that it has not: it says so (wrong), or says nothing (silent). */
  readonly whenLacking: 'admits' | 'falls-silent';
  /** Whether it answers anything at all. */
  readonly isThere: (at: StrategyMoment) => boolean;
  /** Restore reads: it refuses those that a restoring notice announced. */
  readonly refusesRestores: boolean;
  /** Gives notice to leave. */
  readonly leavesWithNotice: (at: StrategyMoment) => boolean;
  /** It says that it lost everything, honestly as it were: before it goes, or when it comes back. */
  readonly tellsLoss: 'never' | 'before-leaving' | 'on-return';
  /** After the end it wants to be a partner again when this is so; undefined: never. */
  readonly renews: ((at: StrategyMoment) => boolean) | undefined;
  /** Takes a new identity, and a new partner, for each that it lost. */
  readonly comesBack: boolean;
}

const always = (): boolean => true;
const never = (): boolean => false;

/** The first two of `strategies`: always on as the cheats are, and as other people's computers. */
export const honestStrategies = 2;

const honest: Strategy = {
  name: 'honest',
  kept: 1,
  takesShards: true,
  whenLacking: 'admits',
  isThere: always,
  refusesRestores: false,
  leavesWithNotice: never,
  tellsLoss: 'never',
  renews: undefined,
  comesBack: true,
};

/** Keeps so much, and answers truthfully. */
function freeloader(name: string, kept: number): Strategy {
  return { ...honest, name, kept };
}

/** Keeps nothing, and nothing is to be had from it; a new name for each that is burnt. */
const whitewasher: Strategy = {
  ...honest,
  name: 'whitewasher',
  kept: 0,
  whenLacking: 'falls-silent',
};

/** Answers only what it has. */
const dodger: Strategy = {
  ...honest,
  name: 'dodger 10 %',
  kept: 0.9,
  whenLacking: 'falls-silent',
};

/** Honest for so long, then gone with everything, living on what the others still give it. */
function hopper(name: string, stays: (at: StrategyMoment) => boolean): Strategy {
  return { ...honest, name, isThere: stays };
}

const graceHopper: Strategy = hopper('grace-hopper', ({ isCommitted }) => !isCommitted);

function longHopper(days: number): Strategy {
  return hopper(`grace-hopper ${days} d`, ({ ageDays }) => ageDays < days);
}

/** Gone as soon as what so many growths of the terms added can be had. */
function stepHopper(steps: number): Strategy {
  return hopper(`hopper after step ${steps}`, ({ stepsOver }) => stepsOver < steps);
}

const silentLeaver: Strategy = {
  ...hopper('silent leaver', ({ ageDays }) => ageDays < 60),
  comesBack: false,
};

/** Leaves in good order as early as it pays, and lives on what the notice leaves it. */
const noticeHopper: Strategy = {
  ...honest,
  name: 'notice-hopper',
  leavesWithNotice: ({ isCommitted }) => isCommitted,
};

/** Hops as soon as it may, and comes back by a renewal just before what it stored would be let go of. */
const renewer: Strategy = {
  ...graceHopper,
  name: 'renewer',
  renews: ({ keptDays }) => keptDays < 2,
};

/** Gone for most of G again and again, each time with an honest loss to tell when it comes back. */
function lossCrier(name: string, share: number): Strategy {
  return {
    ...hopper(name, ({ isCommitted, graceShare }) => !isCommitted || graceShare >= share),
    tellsLoss: 'on-return',
  };
}

/** Says that it lost everything, so that time stands still, and is gone. */
const lossHopper: Strategy = { ...graceHopper, name: 'loss-hopper', tellsLoss: 'before-leaving' };

const firstDayLossHopper: Strategy = {
  ...hopper('loss-hopper, first day', ({ ageDays }) => ageDays < 1),
  tellsLoss: 'before-leaving',
};

/** Has signed for space and never has room: it holds nothing, and so has nothing to prove. */
const fullDisk: Strategy = { ...honest, name: 'full disk', kept: 0, takesShards: false };

/** Keeps everything, proves it, and gives nothing back to who is in need. */
const hostageTaker: Strategy = { ...honest, name: 'hostage-taker', refusesRestores: true };

export const strategies: readonly Strategy[] = [
  honest,
  { ...honest, name: 'honest desktops' },
  freeloader('freeloader, all', 0),
  freeloader('freeloader, 10 %', 0.9),
  freeloader('freeloader, 1 %', 0.99),
  dodger,
  whitewasher,
  hostageTaker,
  graceHopper,
  ...[30, 60, 90, 180].map(longHopper),
  ...[1, 2, 3].map(stepHopper),
  noticeHopper,
  silentLeaver,
  renewer,
  lossHopper,
  firstDayLossHopper,
  lossCrier('loss-crier', 0.8),
  lossCrier('loss-crier, to the last', 0.97),
  fullDisk,
];
