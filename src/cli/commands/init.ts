/** `covault init`: an identity, its key, and the words that bring everything back. */
import { hostname } from 'node:os';
import { Option } from '@commander-js/extra-typings';
import { usualLendBytes } from '../../daemon/lending-again.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { writeKitFile } from '../kit-file.ts';
import { sizeValue } from '../option-values.ts';
import { chooseNewPassphrase } from '../passphrase.ts';
import type { Program, Run } from '../program.ts';
import { roundSizeText } from '../quantities.ts';
import type { Session } from '../session.ts';
import { wordGrid } from '../word-grid.ts';

/** What 4+4 stores for every byte. */
const circleRedundancy = 2;

export function addInit(program: Program, run: Run): void {
  program
    .command('init')
    .description('make this computer’s key and show its 24 words')
    .option('--name <name>', 'what partners see (default: the name of this computer)')
    .addOption(
      new Option('--lend <size>', 'what you lend to others')
        .default(usualLendBytes, roundSizeText(usualLendBytes).replace(' ', ''))
        .argParser(sizeValue),
    )
    .option('--kit <file>', 'also write the recovery kit to a file that only you can read')
    .option('--no-passphrase', 'leave the key on this disk unprotected')
    .addHelpText(
      'after',
      '\nExamples:\n  covault init --lend 50GB\n  covault init --no-passphrase --kit /media/stick/kit.json\n\nWithout a terminal, --no-passphrase or a passphrase source is needed.\n',
    )
    .action((options) => run((session) => init(session, options)));
}

interface InitOptions {
  readonly name?: string | undefined;
  readonly lend: number;
  readonly kit?: string | undefined;
  readonly passphrase: boolean;
}

/** What stands for "no passphrase" besides one. */
export async function newPassphrase(
  session: Session,
  wanted: boolean,
): Promise<{ readonly value: string | undefined } | ExitCode> {
  if (!wanted) return { value: undefined };
  const chosen = await chooseNewPassphrase(session.options);
  if (!chosen.ok) return session.fail(chosen.error);
  if (chosen.value !== undefined) return { value: chosen.value };
  return session.misused(
    'A passphrase protects the key on this disk. Give one (--passphrase-file, --passphrase-command, --passphrase-fd, COVAULT_PASSPHRASE), or say --no-passphrase.',
  );
}

async function init(session: Session, options: InitOptions): Promise<ExitCode> {
  const { homeStands, createHome } = await import('../../daemon/home-creation.ts');
  if (homeStands(session.options.home))
    return session.fail({ code: 'home.exists', detail: session.options.home });
  const passphrase = await newPassphrase(session, options.passphrase);
  if (typeof passphrase === 'number') return passphrase;
  const created = await createHome({
    home: session.options.home,
    passphrase: passphrase.value,
    name: options.name ?? hostname(),
    lendBytes: options.lend,
    rootSeed: undefined,
  });
  if (!created.ok) return session.fail(created.error);
  const { peer, words, kit } = created.value;
  const written = options.kit === undefined ? undefined : writeKitFile(options.kit, kit);
  if (written !== undefined && !written.ok) session.fail(written.error);
  session.output.value({
    home: session.options.home,
    peer,
    words,
    lendBytes: options.lend,
    kit: written?.ok === true ? written.value : null,
  });
  session.output.line(welcomeText({ ...options, words, home: session.options.home }));
  if (written?.ok === true) session.output.line(`The recovery kit is in ${written.value}.`);
  return written?.ok === false ? exitCodes.failed : exitCodes.ok;
}

function welcomeText(made: {
  readonly home: string;
  readonly words: readonly string[];
  readonly lend: number;
}): string {
  return `This computer has a key now, in ${made.home}.

Write these 24 words down on paper, in order. Whoever has them can read your backups; without them,
nobody can bring your data back once this computer is lost.

${wordGrid(made.words)}

${sizeMeaning(made.lend)}
On a new computer these words need the address of one partner too, or the kit file, which knows them:
\`covault kit export --json FILE\`.

Next: find partners: \`covault invite\` for somebody you know, or let this computer find them, by the
address of any that runs covault: \`covault config set network.bootstrap ADDRESS\`.
Then \`covault backup PATH\` and \`covault up\`.`;
}

/** What lending a size brings. */
export function sizeMeaning(lendBytes: number): string {
  if (lendBytes === 0)
    return 'You lend nothing; partners must agree to hold your data for nothing.\n';
  return `${roundSizeText(lendBytes)} lent protects about ${roundSizeText(lendBytes / circleRedundancy)} at 4+4: partners lend you as much in return, and
every byte is stored ${circleRedundancy} times over, so that any 4 of 8 partners may vanish.\n`;
}
