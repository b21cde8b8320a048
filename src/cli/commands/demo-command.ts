/** `covault demo`: eight computers on this one, a disaster, and everything back. */
import type { Program, Run } from '../program.ts';

export function addDemo(program: Program, run: Run): void {
  program
    .command('demo')
    .description('see it work: eight computers in processes on this one, a disaster, a recovery')
    .argument('[dir]', 'what to back up (default: a generated tree of about 300 MB)')
    .addHelpText(
      'after',
      '\nExamples:\n  covault demo\n  covault demo ~/Documents\n\nNothing leaves this computer, and nothing stays behind. It takes under a minute.\n',
    )
    .action((folder) =>
      run(async (session) => {
        const { runDemo } = await import('./demo.ts');
        return runDemo({ folder, output: session.output, signal: session.signal });
      }),
    );
}
