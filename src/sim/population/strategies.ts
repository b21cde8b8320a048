/**
 * Ways to be a partner, honest and not: one small table each (RESEARCH §2). What becomes of them, the honest side's own lifecycle and audits decide.
 */

/** When a strategy decides, in days of the partnership. */
export interface StrategyMoment {
  readonly ageDays: number;
  readonly commitmentDays: number;
  readonly noticeDays: number;
}

export interface Strategy {
  readonly name: string;
  /** Share of the blocks that it keeps. */
  readonly kept: (at: StrategyMoment) => number;
  /** Asked for a block that it has not: it says so (wrong), or says nothing (silent). */
  readonly whenLacking: 'admits' | 'falls-silent';
  /** Whether it answers anything at all. */
  readonly isThere: (at: StrategyMoment) => boolean;
  /** Restore reads: it refuses those that a restoring notice announced. */
  readonly refusesRestores: boolean;
  /** Gives notice to leave at this age, in days; undefined: never. */
  readonly leavesWithNotice: (at: StrategyMoment) => boolean;
  /** Takes a new identity, and a new partner, for each that it lost. */
  readonly comesBack: boolean;
}

const always = (): boolean => true;
const never = (): boolean => false;
const everything = (): number => 1;

const honest: Strategy = {
  name: 'honest',
  kept: everything,
  whenLacking: 'admits',
  isThere: always,
  refusesRestores: false,
  leavesWithNotice: never,
  comesBack: true,
};

/** Keeps so much, and answers truthfully. */
function freeloader(name: string, kept: number): Strategy {
  return { ...honest, name, kept: () => kept };
}

/** Keeps nothing, and nothing is to be had from it; a new name for each that is burnt. */
const whitewasher: Strategy = {
  ...honest,
  name: 'whitewasher',
  kept: () => 0,
  whenLacking: 'falls-silent',
};

/** Answers only what it has. */
const dodger: Strategy = {
  ...honest,
  name: 'dodger 10 %',
  kept: () => 0.9,
  whenLacking: 'falls-silent',
};

/** Honest for so long, then gone with everything, living on what the others still keep for it. */
function hopper(name: string, staysDays: (at: StrategyMoment) => number): Strategy {
  const stays = (at: StrategyMoment): boolean => at.ageDays < staysDays(at);
  return { ...honest, name, kept: (at) => (stays(at) ? 1 : 0), isThere: stays };
}

const graceHopper: Strategy = hopper('grace-hopper', ({ commitmentDays }) => commitmentDays);

/** Waits until it has earned all the days of service that there are. */
const longHopper: Strategy = hopper('grace-hopper 90 d', () => 90);

const silentLeaver: Strategy = { ...hopper('silent leaver', () => 60), comesBack: false };

/** Leaves in good order as early as it may, and lives on what lies in the trash. */
const noticeHopper: Strategy = {
  ...honest,
  name: 'notice-hopper',
  leavesWithNotice: ({ ageDays, commitmentDays, noticeDays }) =>
    ageDays >= commitmentDays - noticeDays,
};

/** Keeps everything, proves it, and gives nothing back to who is in need. */
const hostageTaker: Strategy = { ...honest, name: 'hostage-taker', refusesRestores: true };

export const strategies: readonly Strategy[] = [
  honest,
  freeloader('freeloader, all', 0),
  freeloader('freeloader, 10 %', 0.9),
  freeloader('freeloader, 1 %', 0.99),
  dodger,
  whitewasher,
  graceHopper,
  longHopper,
  noticeHopper,
  hostageTaker,
  silentLeaver,
];
