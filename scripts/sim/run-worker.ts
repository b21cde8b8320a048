/** A process that runs scenarios one after the other, as `run-pool.ts` asks for them. */
import { runOnce, type SimRun } from './one-run.ts';

function isRun(message: unknown): message is SimRun {
  return (
    typeof message === 'object' && message !== null && 'scenario' in message && 'seed' in message
  );
}

process.on('message', (message) => {
  if (!isRun(message)) throw new Error('a run is asked for by scenario and seed');
  const broken = (reason: unknown): void => {
    console.error(reason);
    process.exit(1);
  };
  runOnce(message).then((report) => process.send?.(report), broken);
});
