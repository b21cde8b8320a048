/** Disks and coders that take their time now and then, until the world heals: what one part of a program waits for, another may change meanwhile. */
import type { SimComputer } from './world.ts';

/** To be awaited around each piece of work of this kind. */
export function slowWork(computer: SimComputer, kind: string): () => Promise<void> {
  const { world, clock, name } = computer;
  const { share, mostMs } = world.plan.work;
  const draws = world.prng.fork(`${name}/${kind}/slow/${world.nowMs}`);
  return async () => {
    if (share > 0 && !world.healed && draws.chance(share))
      await clock.sleep(draws.between(1, mostMs));
  };
}
