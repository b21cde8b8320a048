/** Runs of the simulator on several processes. Whatever becomes of one, the others go on; what is reported comes in the order in which it was asked for. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { failedRun, type RunReport, runOnce, type SimRun } from './one-run.ts';

/** No run takes so long, however busy the computer is. */
const hangingMs = 20 * 60_000;
/** A process is replaced after so many runs: whole worlds are left behind in it, and what they held is not all let go of. */
const runsPerProcess = 20;

export async function runAll(
  runs: Iterator<SimRun>,
  options: {
    readonly jobs: number;
    readonly onReport: (run: SimRun, report: RunReport) => void;
  },
): Promise<void> {
  const reports = new Map<number, { readonly run: SimRun; readonly report: RunReport }>();
  let [asked, told] = [0, 0];
  const tell = (): void => {
    for (let next = reports.get(told); next !== undefined; next = reports.get(told)) {
      reports.delete(told);
      told += 1;
      options.onReport(next.run, next.report);
    }
  };
  const work = async (runner: Runner): Promise<void> => {
    for (let next = runs.next(); next.done !== true; next = runs.next()) {
      const number = asked;
      asked += 1;
      reports.set(number, { run: next.value, report: await runner.run(next.value) });
      tell();
    }
    runner.end();
  };
  const runners = Array.from({ length: options.jobs }, () =>
    options.jobs === 1 ? inThisProcess : new Worker(),
  );
  await Promise.all(runners.map(work));
}

interface Runner {
  run(run: SimRun): Promise<RunReport>;
  end(): void;
}

const inThisProcess: Runner = { run: runOnce, end: () => undefined };

class Worker implements Runner {
  #process: ChildProcess | undefined;
  #runs = 0;

  async run(run: SimRun): Promise<RunReport> {
    this.#runs += 1;
    if (this.#runs % runsPerProcess === 0) this.end();
    const worker = this.#process ?? fork(new URL('run-worker.ts', import.meta.url));
    this.#process = worker;
    const signal = AbortSignal.timeout(hangingMs);
    const over = new AbortController();
    const ending = { signal: AbortSignal.any([signal, over.signal]) };
    const replied = once(worker, 'message', ending).then(([report]): RunReport => report);
    const ended = once(worker, 'exit', ending).then(([code, name]) => {
      this.#process = undefined;
      return failedRun(run, `its process ended with ${code ?? name}`);
    });
    worker.send(run);
    try {
      return await Promise.race([replied, ended]);
    } catch {
      this.end();
      return failedRun(run, `no end in ${hangingMs / 60_000} minutes`);
    } finally {
      over.abort();
      // Whichever came second was broken off.
      await Promise.allSettled([replied, ended]);
    }
  }

  end(): void {
    this.#process?.kill('SIGKILL');
    this.#process = undefined;
  }
}
