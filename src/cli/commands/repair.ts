/** `covault repair`: look everything through now, and make anew what is short. */
import type { RepairResult } from '../../daemon/operations/repair.ts';
import type { RepairProgress } from '../../engine/upkeep/repair-run.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { Program, Run } from '../program.ts';
import type { ProgressState } from '../progress-bar.ts';
import { countedText, countText, durationText, verbText } from '../quantities.ts';
import type { Session } from '../session.ts';
import { hindranceText } from '../status-text.ts';

const help = `
\`covault up\` repairs by itself; this does at once what it would do in time, and waits for it.

Exit code 4: some packs are still short of shards, because too few partners can take them now.
`;

export function addRepair(program: Program, run: Run): void {
  program
    .command('repair')
    .description('make anew what partners lost, now, and wait until everything is whole')
    .addHelpText('after', help)
    .action(() => run(repair));
}

async function repair(session: Session): Promise<ExitCode> {
  const startedAtMs = performance.now();
  const answer = await session.call(
    'repair',
    {},
    { progress: (progress) => session.output.progress(barOf(progress, startedAtMs), progress) },
  );
  if (!answer.ok) return session.fail(answer.error);
  session.output.value(answer.value);
  for (const line of repairLines(answer.value)) session.output.line(line);
  return isWhole(answer.value) ? exitCodes.ok : exitCodes.belowRedundancy;
}

function barOf({ health }: RepairProgress, startedAtMs: number): ProgressState {
  return {
    phase: 'repairing',
    startedAtMs,
    doneBytes: 0,
    totalBytes: undefined,
    doneCount: health.whole,
    totalCount: health.stripes,
    counted: 'packs',
  };
}

function isWhole({ health, work }: RepairResult): boolean {
  return health.whole === health.stripes && work.stripes === 0;
}

/** What was mended, what is left, and why. */
export function repairLines(result: RepairResult): readonly string[] {
  const { health, mended, durationMs, hindrances, partners, work } = result;
  const done =
    mended === 0 ? [] : [`Mended ${countedText(mended, 'pack')} in ${durationText(durationMs)}.`];
  if (health.stripes === 0 && mended === 0 && work.stripes === 0)
    return ['Nothing is with partners yet: there is nothing to repair.'];
  const notes = hindrances.map((hindrance) => `!  ${hindranceText(hindrance, partners)}`);
  if (isWhole(result))
    return [
      ...done,
      `${health.stripes === 1 ? 'The one pack is' : `All ${countedText(health.stripes, 'pack')} are`} whole.`,
      ...notes,
    ];
  const short = health.stripes - health.whole;
  const endangered =
    health.endangered === 0 ? '' : `, ${countText(health.endangered)} of them endangered`;
  const sending =
    work.shardsLeft === 0 ? '' : `; ${countedText(work.shardsLeft, 'shard')} left to send`;
  return [
    ...done,
    `${countText(short)} of ${countedText(health.stripes, 'pack')} ${verbText(short, 'is', 'are')} short of shards${endangered}${sending}.`,
    'Nothing more can be done now: leave `covault up` running, or find more partners (`covault search`, `covault invite`).',
    ...notes,
  ];
}
