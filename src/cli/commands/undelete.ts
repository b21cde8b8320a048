/** `covault recover --undelete`: what somebody deleted at partners comes back from their trash. */
import type { UndeleteResult } from '../../daemon/operations/undelete.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { countedText, countText } from '../quantities.ts';
import type { Session } from '../session.ts';
import { printableText } from '../text-escape.ts';

const idShown = 12;

export async function undelete(session: Session): Promise<ExitCode> {
  const bar = { phase: 'taking back', startedAtMs: performance.now(), doneBytes: 0 };
  const answer = await session.call(
    'undelete',
    {},
    {
      progress: (progress) => {
        const counts = { doneCount: progress.done, totalCount: progress.deleted };
        const state = { ...bar, ...counts, totalBytes: undefined, counted: 'shards' };
        session.output.progress(state, progress);
      },
    },
  );
  if (!answer.ok) return session.fail(answer.error);
  session.output.value(answer.value);
  for (const line of undeleteLines(answer.value)) session.output.line(line);
  return undeleteExit(answer.value);
}

export function undeleteExit(result: UndeleteResult): ExitCode {
  const { partnersAsked, silent, deleted, restored } = result;
  if (partnersAsked > 0 && silent.length === partnersAsked) return exitCodes.tooFewPartners;
  return restored < deleted || silent.length > 0 ? exitCodes.belowRedundancy : exitCodes.ok;
}

export function undeleteLines(result: UndeleteResult): readonly string[] {
  const { partnersAsked, silent, deleted, restored, gone } = result;
  const left = deleted - restored - gone;
  const names = silent.map(({ id, name }) => printableText(name) || id.slice(0, idShown));
  const lines =
    deleted === 0
      ? [
          `Nothing that your snapshots need was deleted at the ${countedText(partnersAsked - silent.length, 'partner')} that answered.`,
        ]
      : [
          `${countText(restored)} of ${countedText(deleted, 'deleted shard')} are held again.`,
          'It was not this home that deleted them: somebody else may have your key, or an older copy of this home ran.',
        ];
  if (gone > 0)
    lines.push(
      `${countedText(gone, 'shard')} are gone for good; \`covault repair\` makes them anew while enough others are left.`,
    );
  if (left > 0) lines.push(`${countedText(left, 'shard')} could not be asked for: try again.`);
  if (names.length > 0) lines.push(`No answer from ${names.join(', ')}: try again later.`);
  return lines;
}
