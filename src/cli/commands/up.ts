/** `covault up`: the daemon, in the foreground. */
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import {
  addressValue,
  gathered,
  type HostPort,
  hostPortValue,
  isLoopback,
} from '../option-values.ts';
import { readPassphrase } from '../passphrase.ts';
import type { Program, Run } from '../program.ts';
import { joinedLine, lookingLine } from '../search-text.ts';
import type { Session } from '../session.ts';
import { barText } from '../status-text.ts';
import { changedTermsLine } from '../terms-text.ts';
import { reachProblem } from './invitations.ts';

export function addUp(program: Program, run: Run): void {
  program
    .command('up')
    .description('serve your partners and send out your backups, until stopped')
    .option(
      '--listen <multiaddr>',
      'where partners reach this computer, such as /ip4/0.0.0.0/tcp/4747; may be repeated',
      (text: string, before: readonly string[] | undefined) => gathered(addressValue(text), before),
    )
    .option(
      '--http <host:port>',
      'serve the local API on HTTP too, guarded by a token',
      hostPortValue,
    )
    .option(
      '--http-anywhere',
      'let --http listen beyond this computer (no encryption: behind a tunnel only)',
    )
    .addHelpText(
      'after',
      '\nExample:\n  covault up --listen /ip4/0.0.0.0/tcp/4747\n\nCtrl-C stops it cleanly.\n',
    )
    .action((options) => run((session) => up(session, options)));
}

interface UpOptions {
  readonly listen?: readonly string[] | undefined;
  readonly http?: HostPort | undefined;
  readonly httpAnywhere?: true | undefined;
}

async function up(session: Session, options: UpOptions): Promise<ExitCode> {
  const { http } = options;
  if (http !== undefined && !isLoopback(http.host) && options.httpAnywhere !== true)
    return session.misused(
      `--http ${http.host} would let other computers in, unencrypted. Use 127.0.0.1, or say --http-anywhere too.`,
    );
  const { runDaemon } = await import('../../daemon/daemon-run.ts');
  const ended = await runDaemon({
    home: session.options.home,
    passphrase: () => readPassphrase(session.options),
    listen: options.listen,
    http,
    signal: session.signal,
    ready: (started) => {
      const { output } = session;
      output.value(started);
      output.line(`covault is up: ${started.name} (${started.peer.slice(0, 12)})`);
      output.line(`Partners reach it at ${started.listening.join(', ') || 'no address'}`);
      if (started.http !== null)
        output.line(`Local API at ${started.http}; its token is in ${started.tokenFile}`);
      if (started.bar !== null) output.warn(`!  ${barText(started.bar)}`);
      const looking = started.bar === null ? lookingLine(started.search) : undefined;
      if (looking !== undefined) output.line(looking);
      const problem = reachProblem(started.listening);
      if (problem !== undefined && started.bar !== 'identity.superseded') output.note(problem);
    },
    superseded: () => session.output.warn(`!  ${barText('identity.superseded')}`),
    joined: (partner) => session.output.line(joinedLine(partner)),
    changed: (now, before) => session.output.line(changedTermsLine(now, before)),
  });
  return ended.ok ? exitCodes.ok : session.fail(ended.error);
}
