/** `covault config`: what is configured, and changing it. */
import { resolve } from 'node:path';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { Program, Run } from '../program.ts';
import { parseDuration, parseRate, parseSize } from '../quantities.ts';
import type { Session } from '../session.ts';
import { settingLines, settingWords } from '../setting-words.ts';

export function addConfig(program: Program, run: Run): void {
  const config = program
    .command('config')
    .description('what is configured, and changing it')
    .addHelpText('after', help)
    .action(() => run((session) => get(session, undefined)));
  config
    .command('get')
    .description('all settings, or one')
    .argument('[name]', 'such as network.listen')
    .action((name) => run((session) => get(session, name)));
  config
    .command('set')
    .description('change a setting; a running daemon takes it up when it is restarted')
    .argument('<name>', 'such as backup.sources')
    .argument('<value...>', 'one value, several for a list, or JSON')
    .action((name, values) => run((session) => set(session, name, values)));
}

const help = `
Examples:
  covault config get
  covault config get partners.graceSeconds   what it is, and what it means
  covault config set backup.sources ~/Documents ~/Pictures
  covault config set lend.spaceBytes 50GB
  covault config set upload.limitBytesPerSecond 5MB/s
  covault config set partners.graceSeconds 30d

To be found by others and to find them: lend something, then name a peer that you know:
  covault config set network.bootstrap /ip4/192.0.2.7/tcp/4747

Settings:
${settingLines().join('\n')}
`;

async function get(session: Session, name: string | undefined): Promise<ExitCode> {
  const answer = await session.call('config-get', { name });
  if (!answer.ok) return session.fail(answer.error);
  session.output.value(name === undefined ? answer.value : answer.value[name]);
  const words = name === undefined ? undefined : settingWords[name];
  if (words !== undefined) session.output.note(words);
  for (const [key, value] of Object.entries(answer.value))
    session.output.line(
      name === undefined ? `${key} = ${JSON.stringify(value)}` : JSON.stringify(value),
    );
  return exitCodes.ok;
}

async function set(session: Session, name: string, values: readonly string[]): Promise<ExitCode> {
  const current = await session.call('config-get', { name });
  if (!current.ok) return session.fail(current.error);
  const typed = name === 'backup.sources' ? values.map((path) => resolve(path)) : values;
  const value = settingText(name, typed, Array.isArray(current.value[name]));
  if (value === undefined) return session.misused(`${name} takes one value.`);
  const answer = await session.call('config-set', { name, value });
  if (!answer.ok) return session.fail(answer.error);
  session.output.value(answer.value);
  session.output.line(`${name} = ${JSON.stringify(answer.value[name])}`);
  if (session.byDaemon)
    session.output.note(
      isReadAtOnce(name)
        ? 'The next backup goes by it.'
        : 'The running daemon takes it up when it is restarted.',
    );
  return exitCodes.ok;
}

/** What a backup asks for anew each time. */
function isReadAtOnce(name: string): boolean {
  return name.startsWith('backup.') && name !== 'backup.compressionLevel';
}

/** The JSON of what was typed: lists from several words, numbers from sizes, rates and durations. */
export function settingText(
  name: string,
  values: readonly string[],
  isList: boolean,
): string | undefined {
  const [only] = values;
  if (isList) {
    if (values.length === 1 && only?.startsWith('[') === true) return only;
    return JSON.stringify(values);
  }
  if (only === undefined || values.length > 1) return undefined;
  const number = name.endsWith('BytesPerSecond')
    ? parseRate(only)
    : name.endsWith('Bytes')
      ? parseSize(only)
      : name.endsWith('Seconds')
        ? secondsIn(only)
        : undefined;
  return number === undefined ? only : String(number);
}

function secondsIn(text: string): number | undefined {
  const milliseconds = parseDuration(text);
  return milliseconds === undefined ? undefined : milliseconds / 1000;
}
