/** What a scenario is: computers, something that goes wrong or somebody who cheats, and what must hold in spite of it. */
import type { Kernels } from '../../primitives/kernels/kernels.ts';

export interface ScenarioParts {
  /** Decides everything: the same seed gives the same trace. */
  readonly seed: string;
  readonly kernels: Kernels;
}

export interface ScenarioEnd {
  /** Hash over everything that happened. */
  readonly hash: string;
  /** Virtual time that went by. */
  readonly virtualMs: number;
  /** What was measured, in words. */
  readonly notes: readonly string[];
}

export interface Scenario {
  readonly name: string;
  /** One sentence: what is tried, and what must come of it. */
  readonly about: string;
  /** Throws `ScenarioFailed` when something that must hold does not. */
  readonly run: (parts: ScenarioParts) => Promise<ScenarioEnd>;
}

/** Something that must hold does not; the message says what, and what happened last. */
export class ScenarioFailed extends Error {
  override readonly name = 'ScenarioFailed';
}
