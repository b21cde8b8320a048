/** `covault kit`: what to keep elsewhere, to come back after total loss. */
import { Option } from '@commander-js/extra-typings';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { writeKitFile } from '../kit-file.ts';
import type { Program, Run } from '../program.ts';
import type { Session } from '../session.ts';
import { printableText } from '../text-escape.ts';
import { wordGrid } from '../word-grid.ts';

/** `--json` has a file behind it here and none elsewhere, so the arguments are rewritten to this before they are parsed. */
const kitFileOption = '--file';

export function withKitFile(argv: readonly string[]): readonly string[] {
  const words = argv.findIndex((word, index) => word === 'export' && argv[index - 1] === 'kit');
  const at =
    words < 0 ? -1 : argv.findIndex((word, index) => index > words && /^--json(=|$)/.test(word));
  if (at < 0) return argv;
  return argv.map((word, index) => (index === at ? word.replace('--json', kitFileOption) : word));
}

export function addKit(program: Program, run: Run): void {
  const kit = program
    .command('kit')
    .description('the recovery kit: the words, your partners, their addresses')
    .addHelpText('after', '\nExample:\n  covault kit export --json /media/stick/kit.json\n')
    .action(() => run(show));
  kit
    .command('show')
    .description('show it')
    .action(() => run(show));
  kit
    .command('export')
    .description('write it to a file that only you can read')
    .usage('--json <file>')
    .addOption(new Option(`${kitFileOption} <file>`).hideHelp())
    .action((options) => run((session) => write(session, options.file)));
}

async function show(session: Session): Promise<ExitCode> {
  const answer = await session.call('kit', {});
  if (!answer.ok) return session.fail(answer.error);
  const { words, owner, name, partners, file } = answer.value;
  session.output.value(JSON.parse(file));
  session.output.line(`Recovery kit of ${printableText(name)} (${owner.slice(0, 12)})\n`);
  session.output.line(`${wordGrid(words)}\n`);
  if (partners.length === 0)
    session.output.line('No partners yet: make the kit anew once there are some.');
  for (const partner of partners)
    session.output.line(
      `${partner.peer}  ${printableText(partner.name ?? '')}  ${partner.addresses.map(printableText).join(' ')}`,
    );
  session.output.note(
    '\nWhoever has these words can read your backups. Keep them off this computer.',
  );
  return exitCodes.ok;
}

async function write(session: Session, file: string | undefined): Promise<ExitCode> {
  if (file === undefined) return session.misused('Name the file: covault kit export --json FILE');
  const answer = await session.call('kit', {});
  if (!answer.ok) return session.fail(answer.error);
  const written = writeKitFile(file, answer.value.file);
  if (!written.ok) return session.fail(written.error);
  session.output.value({ kit: written.value });
  session.output.line(`The recovery kit is in ${written.value}.`);
  session.output.note('Whoever has it can read your backups. Keep it off this computer.');
  return exitCodes.ok;
}
