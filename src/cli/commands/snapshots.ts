/** `covault snapshots`, `ls` and `cat`: what is backed up. */
import type { SnapshotAnswer } from '../../daemon/answers.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { listingLine } from '../listing-text.ts';
import type { Program, Run } from '../program.ts';
import { countText, momentText, sizeText } from '../quantities.ts';
import { argumentBytes, ownCommandLine } from '../raw-arguments.ts';
import type { Session } from '../session.ts';
import { parseSnapshotPath } from '../snapshot-path.ts';
import { snapshotLines } from '../snapshot-text.ts';
import { printablePath, printableText } from '../text-escape.ts';

const snapshotArgument = 'the beginning of an id, latest, or latest~2; then :PATH';

export function addSnapshots(program: Program, run: Run): void {
  program
    .command('snapshots')
    .description(
      'the snapshots there are, newest last; or all about one, and what it could not keep',
    )
    .argument('[snap]', 'the beginning of an id, latest, or latest~2')
    .addHelpText(
      'after',
      '\nExamples:\n  covault snapshots\n  covault snapshots latest\n  covault --json snapshots\n',
    )
    .action((snapshot) =>
      run((session) =>
        snapshot === undefined ? listSnapshots(session) : showSnapshot(session, snapshot),
      ),
    );
}

async function listSnapshots(session: Session): Promise<ExitCode> {
  const answer = await session.call('snapshots', {});
  if (!answer.ok) return session.fail(answer.error);
  session.output.value({ snapshots: answer.value });
  if (answer.value.length === 0)
    session.output.line('No snapshots yet. `covault backup PATH` makes one.');
  for (const snapshot of answer.value) session.output.line(snapshotLine(snapshot));
  return exitCodes.ok;
}

async function showSnapshot(session: Session, snapshot: string): Promise<ExitCode> {
  const answer = await session.call('snapshot-show', { snapshot });
  if (!answer.ok) return session.fail(answer.error);
  session.output.value({ snapshot: answer.value });
  for (const line of snapshotLines(answer.value)) session.output.line(line);
  return exitCodes.ok;
}

function snapshotLine(snapshot: SnapshotAnswer): string {
  const cells = [
    snapshot.id.slice(0, 12),
    momentText(snapshot.takenAt),
    snapshot.phase.padEnd(9),
    `${countText(snapshot.files).padStart(9)} files`,
    sizeText(snapshot.bytes).padStart(8),
    printableText(snapshot.hostName),
    snapshot.roots.map(printablePath).join(' '),
    snapshot.tags.map((tag) => `#${printableText(tag)}`).join(' '),
  ];
  return cells.filter((cell) => cell !== '').join('  ');
}

export function addLs(program: Program, run: Run): void {
  program
    .command('ls')
    .description('what a snapshot holds, like ls -l')
    .argument('<snap[:path]>', snapshotArgument)
    .option('-r, --recursive', 'all below the path too')
    .addHelpText(
      'after',
      '\nExamples:\n  covault ls latest\n  covault ls -r latest~1:/data/ada/Documents\n',
    )
    .action((argument, options) =>
      run((session) => listEntries(session, argument, options.recursive ?? false)),
    );
}

async function listEntries(
  session: Session,
  argument: string,
  recursive: boolean,
): Promise<ExitCode> {
  const { output } = session;
  const place = parseSnapshotPath(argumentBytes(argument, ownCommandLine()));
  let shown = 0;
  const answer = await session.call(
    'list',
    { ...place, recursive },
    {
      data: async (entries) => {
        const lines = output.json
          ? entries.map((entry) => JSON.stringify(entry)).join(',')
          : `${entries.map(listingLine).join('\n')}\n`;
        await output.raw(output.json ? (shown === 0 ? '{"entries":[' : ',') + lines : lines);
        shown += entries.length;
      },
    },
  );
  if (output.json && (shown > 0 || answer.ok)) await output.raw(closing(shown, answer));
  if (answer.ok) return exitCodes.ok;
  if (!output.json || shown === 0) return session.fail(answer.error);
  return exitCodes.failed;
}

/** Ends the one JSON value that began with the first entries. */
function closing(
  shown: number,
  answer:
    | { readonly ok: true; readonly value: { readonly snapshot: string } }
    | { readonly ok: false; readonly error: { readonly code: string } },
): string {
  const opening = shown === 0 ? '{"entries":[' : '';
  const rest = answer.ok
    ? `"snapshot":${JSON.stringify(answer.value.snapshot)}`
    : `"error":${JSON.stringify(answer.error)}`;
  return `${opening}],${rest}}\n`;
}

export function addCat(program: Program, run: Run): void {
  program
    .command('cat')
    .description('the contents of one file of a snapshot, on standard output')
    .argument('<snap:path>', snapshotArgument)
    .addHelpText('after', '\nExample:\n  covault cat latest:/data/ada/notes.txt\n')
    .action((argument) =>
      run(async (session) => {
        const { snapshot, path } = parseSnapshotPath(argumentBytes(argument, ownCommandLine()));
        if (path === undefined) return session.misused('Name a file: covault cat SNAP:/PATH');
        const answer = await session.call(
          'cat',
          { snapshot, path },
          { data: ({ base64 }) => session.output.raw(Buffer.from(base64, 'base64')) },
        );
        return answer.ok ? exitCodes.ok : session.fail(answer.error);
      }),
    );
}
