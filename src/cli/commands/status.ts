/** `covault status`: protection in plain words, and why. */
import { exitCodes } from '../exit-codes.ts';
import type { Program, Run } from '../program.ts';
import { statusText } from '../status-text.ts';

export function addStatus(program: Program, run: Run): void {
  program
    .command('status')
    .description('how safe your data is, in plain words, and what to do next')
    .option('--probe', 'ask every partner for a sign of life first')
    .addHelpText('after', '\nExample:\n  covault status --probe\n')
    .action((options) =>
      run(async (session) => {
        const answer = await session.call('status', { probe: options.probe ?? false });
        if (!answer.ok) return session.fail(answer.error);
        session.output.value(answer.value);
        session.output.line(statusText(answer.value));
        return exitCodes.ok;
      }),
    );
}
