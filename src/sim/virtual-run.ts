/** Virtual time for a single piece of asynchronous code, without a whole world around it. */
import { setImmediate } from 'node:timers';
import { EventQueue, VirtualClock } from './virtual-clock.ts';

/** What `work` gives; sleeps on its clock take no real time. Throws when it waits for something that never happens. */
export async function onVirtualTime<T>(
  work: (clock: VirtualClock, events: EventQueue) => Promise<T>,
): Promise<T> {
  const events = new EventQueue();
  let isSettled = false;
  const working = work(new VirtualClock(events), events).finally(() => {
    isSettled = true;
  });
  // Whoever waits for `working` below hears of its failure.
  working.catch(() => undefined);
  for (;;) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
    if (isSettled) return await working;
    if (!events.step()) throw new Error('nothing is left that could happen');
  }
}
