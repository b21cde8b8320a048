/** Failures of a restore. */
import { exitCodes } from '../exit-codes.ts';
import type { MessagesOf } from './message.ts';

export const restoreMessages: MessagesOf<'restore'> = {
  'restore.no-such-snapshot': {
    exit: exitCodes.failed,
    happened: 'There is no such snapshot.',
    meaning: 'Nothing was written.',
    advice: '`covault snapshots` lists them.',
  },
  'restore.bad-target': {
    exit: exitCodes.failed,
    happened: 'The target is not a folder, and none can be made there.',
    meaning: 'Nothing was written; your backups are not touched.',
    advice: 'Name another folder with --target.',
  },
  'restore.no-such-path': {
    exit: exitCodes.failed,
    happened: 'The snapshot holds nothing at this path.',
    meaning: 'Nothing was written.',
    advice:
      'Look with `covault ls SNAP:/folder`; paths are those of the computer that was backed up.',
  },
  'restore.too-few-partners': {
    exit: exitCodes.tooFewPartners,
    happened: 'Too few partners could be reached to rebuild all of it.',
    meaning:
      'Nothing is lost by this: what could be restored is there, the rest waits at the partners.',
    advice:
      'See who is missing with `covault partners`, and run the same restore again later; it carries on.',
  },
  'restore.integrity': {
    exit: exitCodes.integrity,
    happened: 'Some of what came back is not what was backed up, and no partner had it right.',
    meaning:
      'No wrong bytes were written in place of right ones; the files named are not restored.',
    advice: 'Try again when more partners are reachable, or restore from an older snapshot.',
  },
  'restore.no-space': {
    exit: exitCodes.noSpace,
    happened: 'The disk of the target is full.',
    meaning: 'Files that were finished are whole; your backups are not touched.',
    advice:
      'Free some space or choose another target, and run the same restore again; it carries on.',
  },
  'restore.cancelled': {
    exit: exitCodes.failed,
    happened: 'The restore was stopped before it ended.',
    meaning: 'Files that were finished are whole; your backups are not touched.',
    advice: 'Run the same restore again; it carries on.',
  },
};
