/** What a failure means to a person, and to a script. */
import type { FailureCode } from '../../daemon/operation-failure.ts';
import type { ExitCode } from '../exit-codes.ts';

export interface Message {
  readonly exit: ExitCode;
  readonly happened: string;
  /** For the data. */
  readonly meaning: string;
  readonly advice: string;
}

/** A message for every failure whose code begins with one of these words. */
export type MessagesOf<Noun extends string> = Readonly<
  Record<Extract<FailureCode, `${Noun}.${string}`>, Message>
>;
