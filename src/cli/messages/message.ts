/** What a failure means to a person, and to a script. */
import type { ExitCode } from '../exit-codes.ts';

export interface Message {
  readonly exit: ExitCode;
  readonly happened: string;
  /** For the data. */
  readonly meaning: string;
  readonly advice: string;
}
