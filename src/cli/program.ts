/** The command line: global options, commands, help that tells the story. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { Command, CommanderError, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { addAgreements } from './commands/agreements.ts';
import { addAudit, addDrill } from './commands/audits.ts';
import { addBackup } from './commands/backup.ts';
import { addConfig } from './commands/config.ts';
import { addDemo } from './commands/demo-command.ts';
import { addDoctor } from './commands/doctor.ts';
import { addInit } from './commands/init.ts';
import { addInvite, addJoin } from './commands/invitations.ts';
import { addKit, withKitFile } from './commands/kit.ts';
import { addPartners } from './commands/partners.ts';
import { addRecover } from './commands/recover.ts';
import { addRepair } from './commands/repair.ts';
import { addRestore } from './commands/restore.ts';
import { addSearch } from './commands/search.ts';
import { addCat, addLs, addSnapshots } from './commands/snapshots.ts';
import { addStatus } from './commands/status.ts';
import { addUp } from './commands/up.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { laterCommands } from './later-commands.ts';
import { Output } from './output.ts';
import { type GlobalOptions, Session } from './session.ts';

/** Runs a command's action in a session and keeps its exit code. */
export type Run = (action: (session: Session) => Promise<ExitCode>) => Promise<void>;

export interface Surroundings {
  /** Usage errors are told in JSON alone. */
  readonly json: boolean;
  readonly version: string;
  readonly folder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

const story = `Computers keep each other’s backups, encrypted and spread. No server, no account. Three steps:

  1. covault init                this computer’s key; it shows 24 words: write them down
  2. covault invite              a code for a friend, who types: covault join CODE
     or let it find partners     covault config set network.bootstrap ADDRESS (of one that you know)
  3. covault backup ~/Documents  out to your partners; keep \`covault up\` running

And back:
  covault restore latest --target DIR             files, on this computer
  covault recover --words-file FILE --peer ADDR   everything, on a new one
`;

const examples = '\n`covault help COMMAND` explains one command, with examples.\n';
const helpColumns = 100;

export async function runProgram(
  typed: readonly string[],
  given: Omit<Surroundings, 'json'>,
): Promise<ExitCode> {
  const argv = withKitFile(typed);
  const later = laterCommand(argv);
  const json = argv.includes('--json');
  const surroundings = { ...given, json };
  if (later !== undefined) return misused(json, `\`covault ${later}\` comes in a later version.`);
  let exit: ExitCode = exitCodes.ok;
  const program = createProgram(surroundings, (code) => {
    exit = code;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exit;
  } catch (problem) {
    if (!(problem instanceof CommanderError)) throw problem;
    if (problem.exitCode === 0) return exitCodes.ok;
    if (json) misused(true, problem.message);
    return exitCodes.usage;
  }
}

function misused(json: boolean, message: string): ExitCode {
  if (json) process.stdout.write(`${JSON.stringify({ error: { code: 'usage', message } })}\n`);
  else process.stderr.write(`${message}\n`);
  return exitCodes.usage;
}

const valueOptions: ReadonlySet<string> = new Set([
  '--home',
  '--passphrase-file',
  '--passphrase-command',
  '--passphrase-fd',
]);

/** The first word that is a command, when it is one that this version does not have yet. */
function laterCommand(argv: readonly string[]): string | undefined {
  let index = 0;
  while (index < argv.length) {
    const word = argv[index] ?? '';
    if (!word.startsWith('-')) {
      const two = `${word} ${argv[index + 1] ?? ''}`;
      return [two, word].find((name) => laterCommands.has(name));
    }
    index += valueOptions.has(word) ? 2 : 1;
  }
  return undefined;
}

export type Program = Command;

export function createProgram(
  surroundings: Surroundings,
  ended: (exit: ExitCode) => void,
): Program {
  const program = createGlobal(surroundings);
  const run: Run = async (action) => {
    const options = globalOptions(program.opts() as ProgramOptions, surroundings);
    const session = new Session(options, new Output(options), surroundings.signal);
    try {
      ended(await action(session));
    } finally {
      session.output.clearBar();
      await session.close();
    }
  };
  for (const add of additions) add(program, run);
  if (surroundings.json) silence(program);
  return program;
}

/** With --json a usage error is one JSON value, which `runProgram` writes. */
function silence(program: Program): void {
  program.configureOutput({ writeErr: () => undefined });
  for (const command of program.commands) silence(command as unknown as Program);
}

const additions: readonly ((program: Program, run: Run) => void)[] = [
  addInit,
  addUp,
  addStatus,
  addInvite,
  addJoin,
  addPartners,
  addAgreements,
  addSearch,
  addBackup,
  addSnapshots,
  addLs,
  addCat,
  addRestore,
  addRecover,
  addRepair,
  addAudit,
  addDrill,
  addKit,
  addConfig,
  addDoctor,
  addDemo,
];

function createGlobal({ version }: Surroundings): Program {
  const program = new Command('covault')
    .version(version)
    .addHelpText('before', story)
    .addHelpText('after', examples)
    .option(
      '--home <dir>',
      'where covault keeps its state (default: COVAULT_HOME, else the data directory)',
    )
    .option('--json', 'answer in JSON on standard output')
    .option('--quiet', 'say nothing beside the answer')
    .option('--yes', 'do not ask before something is lost (partners forget, restore --delete)')
    .option('--passphrase-file <file>', 'read the passphrase from the first line of a file')
    .option('--passphrase-command <command>', 'read it from what a command prints')
    .addOption(
      new Option('--passphrase-fd <number>', 'read it from a file descriptor').argParser(
        descriptor,
      ),
    )
    .exitOverride()
    .showHelpAfterError('(covault help COMMAND explains)')
    .configureHelp({ helpWidth: helpColumns });
  return program as unknown as Program;
}

function descriptor(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('a number of 0 or more');
  return Number(text);
}

interface ProgramOptions {
  readonly home?: string | undefined;
  readonly json?: true | undefined;
  readonly quiet?: true | undefined;
  readonly yes?: true | undefined;
  readonly passphraseFile?: string | undefined;
  readonly passphraseCommand?: string | undefined;
  readonly passphraseFd?: number | undefined;
}

function globalOptions(options: ProgramOptions, surroundings: Surroundings): GlobalOptions {
  const home = options.home ?? surroundings.environment['COVAULT_HOME'];
  return {
    home:
      home === undefined || home === ''
        ? defaultHome(surroundings.environment)
        : resolve(surroundings.folder, home),
    json: options.json ?? false,
    quiet: options.quiet ?? false,
    yes: options.yes ?? false,
    passphraseFile: options.passphraseFile,
    passphraseCommand: options.passphraseCommand,
    passphraseFd: options.passphraseFd,
  };
}

/** The platform's folder for an application's data. */
export function defaultHome(environment: Surroundings['environment']): string {
  if (process.platform === 'darwin')
    return join(homedir(), 'Library', 'Application Support', 'covault');
  const data = environment['XDG_DATA_HOME'];
  const base = data === undefined || data === '' ? join(homedir(), '.local', 'share') : data;
  return join(base, 'covault');
}
