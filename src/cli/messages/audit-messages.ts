/** Failures of drills. What audits find is an answer, not a failure. */
import { exitCodes } from '../exit-codes.ts';
import type { MessagesOf } from './message.ts';
import { nothingChanged } from './phrases.ts';

export const auditMessages: MessagesOf<'drill'> = {
  'drill.nothing': {
    exit: exitCodes.failed,
    happened: 'There is nothing yet that could be restored from partners.',
    meaning: 'Whether it can be restored is not tried; what is backed up stays as it was.',
    advice: 'See `covault status`: whether a snapshot is out, and from when on it is restorable.',
  },
  'drill.running': {
    exit: exitCodes.failed,
    happened: 'Another drill is under way.',
    meaning: nothingChanged,
    advice: 'Wait for it: `covault status` shows what came of the last one.',
  },
  'drill.cancelled': {
    exit: exitCodes.failed,
    happened: 'The drill was stopped before it ended.',
    meaning: nothingChanged,
    advice: 'Run `covault drill` again when it suits.',
  },
};
