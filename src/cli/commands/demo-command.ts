/** `covault demo`: eight partners on this computer, a disaster, and everything back. */
import type { Program, Run } from '../program.ts';

export function addDemo(program: Program, run: Run): void {
  program
    .command('demo')
    .description('see it work: eight partners in processes on this one, a disaster, a recovery')
    .argument('[dir]', 'what to back up; only read (default: a generated tree of about 300 MB)')
    .option('--keep', 'keep the homes and the restored files, to look at them')
    .addHelpText(
      'after',
      '\nNothing leaves this computer, and nothing stays behind. It takes under a minute.\n',
    )
    .action((folder, options) =>
      run(async (session) => {
        const { runDemo } = await import('./demo.ts');
        return runDemo(session, { folder, keep: options.keep ?? false });
      }),
    );
}
