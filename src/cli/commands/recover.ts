/** `covault recover`: a new computer becomes the lost one. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { RecoveryAnswer } from '../../daemon/recovery-run.ts';
import type { RecoverProgress } from '../../engine/computer.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { addressValue, gathered, sizeValue } from '../option-values.ts';
import { readPassphrase } from '../passphrase.ts';
import type { Program, Run } from '../program.ts';
import type { ProgressState } from '../progress-bar.ts';
import { countedText, roundSizeText } from '../quantities.ts';
import type { Session } from '../session.ts';
import { newPassphrase } from './init.ts';

export function addRecover(program: Program, run: Run): void {
  program
    .command('recover')
    .description('make this new computer the lost one, from its recovery kit or its 24 words')
    .option('--kit <file>', 'the recovery kit, as `covault kit export` wrote it')
    .option('--words-file <file>', 'the 24 words in a file')
    .option(
      '--peer <multiaddr>',
      'where a partner is, such as /ip4/192.0.2.7/tcp/4747; may be repeated',
      (text: string, before: readonly string[] | undefined) => gathered(addressValue(text), before),
    )
    .option(
      '--listen <multiaddr>',
      'where partners reach this computer meanwhile; may be repeated',
      (text: string, before: readonly string[] | undefined) => gathered(addressValue(text), before),
    )
    .option('--name <name>', 'what partners see (default: as in the kit)')
    .option(
      '--lend <size>',
      'what you lend to others (default: what the agreements promise that come back)',
      sizeValue,
    )
    .option('--no-passphrase', 'leave the key on this disk unprotected')
    .option('--undelete', 'on the computer itself: take back what was deleted at partners')
    .addHelpText(
      'after',
      '\nExamples:\n  covault recover --kit /media/stick/kit.json\n  covault recover --words-file words.txt --peer /ip4/192.0.2.7/tcp/4747\n\nAfterwards: covault snapshots, covault restore latest --target DIR\n\n`covault recover --undelete` is for a computer that is not lost: whoever had its key may have deleted what lies at partners. They keep that for the agreed time.\n',
    )
    .action((options) => run((session) => recover(session, options)));
}

interface RecoverOptions {
  readonly kit?: string | undefined;
  readonly wordsFile?: string | undefined;
  readonly peer?: readonly string[] | undefined;
  readonly listen?: readonly string[] | undefined;
  readonly name?: string | undefined;
  readonly lend?: number | undefined;
  readonly passphrase: boolean;
  readonly undelete?: true | undefined;
}

async function recover(session: Session, options: RecoverOptions): Promise<ExitCode> {
  const { kit, wordsFile } = options;
  if (options.undelete === true) {
    if (kit !== undefined || wordsFile !== undefined)
      return session.misused('--undelete works on a computer that has its key: without --kit.');
    const { undelete } = await import('./undelete.ts');
    return undelete(session);
  }
  if ((kit === undefined) === (wordsFile === undefined))
    return session.misused('Give either --kit FILE or --words-file FILE.');
  const { keyOfKit, keyOfWords, runRecovery } = await import('../../daemon/recovery-run.ts');
  const { homeStands } = await import('../../daemon/home-creation.ts');
  let text: string;
  try {
    text = readFileSync(kit ?? wordsFile ?? '', 'utf8');
  } catch (problem) {
    return session.misused((problem as Error).message);
  }
  const key = kit === undefined ? keyOfWords(text) : keyOfKit(text);
  if (!key.ok) return session.fail(key.error);
  const { home } = session.options;
  const chosen = homeStands(home)
    ? { value: undefined }
    : await newPassphrase(session, options.passphrase);
  if (typeof chosen === 'number') return chosen;
  const startedAtMs = performance.now();
  const done = await runRecovery({
    home,
    newPassphrase: chosen.value,
    passphrase: async () =>
      chosen.value === undefined
        ? readPassphrase(session.options)
        : { ok: true, value: chosen.value },
    key: key.value,
    name: options.name ?? key.value.kit?.name ?? hostname(),
    lendBytes: options.lend,
    peers: options.peer ?? [],
    listen: options.listen,
    signal: session.signal,
    progress: (progress) => session.output.progress(recoverBar(progress, startedAtMs), progress),
  });
  if (!done.ok) return session.fail(done.error);
  session.output.value(done.value);
  session.output.line(recoveredText(done.value));
  return exitCodes.ok;
}

const phaseWords: Readonly<Record<RecoverProgress['phase'], string>> = {
  'asking-partners': 'asking partners',
  'reading-index': 'reading the index',
  'reading-inventories': 'reading what partners hold',
  done: 'done',
};

function recoverBar(progress: RecoverProgress, startedAtMs: number): ProgressState {
  return {
    phase: phaseWords[progress.phase],
    startedAtMs,
    doneBytes: 0,
    totalBytes: undefined,
    doneCount: progress.partnersAnswered,
    totalCount: progress.partnersAsked,
    counted: 'partners',
  };
}

/** How sure it is that nothing newer exists, besides what came back. */
export function recoveredText(report: RecoveryAnswer): string {
  return `This computer is the lost one again: ${countedText(report.snapshots, 'snapshot')} in ${countedText(report.packs, 'pack')}.
Confirmed by ${report.confirmations} of ${report.partnersAsked} partners.
It lends others ${roundSizeText(report.lendBytes)} in all; \`covault config set lend.spaceBytes SIZE\` changes that.
Next: \`covault snapshots\`, then \`covault restore latest --target DIR\`; keep \`covault up\` running.`;
}
