/** Which scenarios are run with which seeds. */
import { randomInt } from 'node:crypto';
import type { SimRun } from './one-run.ts';

export interface SeedWishes {
  /** One seed, whatever text. */
  readonly seed: string | undefined;
  /** So many seeds of each scenario, numbered from `first`. */
  readonly seeds: number;
  readonly first: number;
  /** New seeds until then, by `performance.now()`; at least one of each scenario. */
  readonly untilMs: number | undefined;
  /** So many runs, spread over the scenarios. */
  readonly spread: number | undefined;
  /** So many runs besides, of seeds that nobody has seen. */
  readonly drawn: number;
  /** Each scenario once more with a seed that was run: its trace must be the same. */
  readonly twice: boolean;
}

export function* seedsToRun(names: readonly string[], wishes: SeedWishes): Generator<SimRun> {
  const { spread, drawn, twice, first, seed } = wishes;
  if (spread === undefined) yield* seedsOfEach(names, wishes);
  else
    for (let count = 0; count < spread; count += 1)
      yield {
        scenario: names[count % names.length] ?? '',
        seed: String(first + Math.floor(count / names.length)),
      };
  if (twice) for (const scenario of names) yield { scenario, seed: seed ?? String(first) };
  for (let count = 0; count < drawn; count += 1)
    yield { scenario: names[randomInt(names.length)] ?? '', seed: String(randomInt(1e9, 1e12)) };
}

function* seedsOfEach(
  names: readonly string[],
  { seed, seeds, first, untilMs }: SeedWishes,
): Generator<SimRun> {
  const isLeft = (count: number): boolean =>
    untilMs === undefined ? count < seeds : count === 0 || performance.now() < untilMs;
  for (let count = 0; seed === undefined ? isLeft(count) : count === 0; count += 1)
    for (const scenario of names) yield { scenario, seed: seed ?? String(first + count) };
}
