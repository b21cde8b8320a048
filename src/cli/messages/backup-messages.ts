/** Failures of a backup. */
import { exitCodes } from '../exit-codes.ts';
import type { MessagesOf } from './message.ts';
import { nothingChanged, spoolKept } from './phrases.ts';

export const backupMessages: MessagesOf<'backup' | 'spool'> = {
  'backup.no-sources': {
    exit: exitCodes.usage,
    happened: 'Nothing was named to back up.',
    meaning: nothingChanged,
    advice:
      'Name folders: `covault backup ~/Documents`; or set them once: `covault config set backup.sources`.',
  },
  'backup.limit-with-daemon': {
    exit: exitCodes.usage,
    happened: 'A running daemon sends for everybody; one command cannot limit it.',
    meaning: nothingChanged,
    advice:
      'Set `covault config set upload.limitBytesPerSecond RATE` and restart the daemon, or stop it first.',
  },
  'backup.nothing': {
    exit: exitCodes.failed,
    happened: 'None of what was named could be read.',
    meaning: 'No snapshot was made; earlier ones stay as they were.',
    advice: 'Check the paths, the permissions and the patterns that leave files out.',
  },
  'backup.running': {
    exit: exitCodes.failed,
    happened: 'Another backup of this home is running.',
    meaning: 'That one goes on undisturbed.',
    advice: 'Wait until it has ended, then try again.',
  },
  'backup.superseded': {
    exit: exitCodes.failed,
    happened: 'This identity was recovered on another computer, and lives on there.',
    meaning:
      'This home has stopped for good: it sends nothing, serves nobody and takes no backups.',
    advice:
      'Back up on the other computer. For a backup of this one begin a home of its own: `covault init --home FOLDER`.',
  },
  'backup.cancelled': {
    exit: exitCodes.failed,
    happened: 'The backup was stopped before it ended.',
    meaning: 'No new snapshot was made; what was read is kept, and the next run carries on.',
    advice: 'Run `covault backup` again when it suits.',
  },
  'spool.no-space': {
    exit: exitCodes.noSpace,
    happened: 'The disk of the spool is full.',
    meaning: spoolKept,
    advice: 'Free some space on that disk, then run the backup again; it carries on.',
  },
  'spool.full': {
    exit: exitCodes.noSpace,
    happened: 'The spool has reached its limit, and no partner is taking anything off it.',
    meaning: spoolKept,
    advice: 'Invite partners (`covault invite`) or wait for them; or raise `spool.capBytes`.',
  },
  'spool.broken': {
    exit: exitCodes.integrity,
    happened: 'What was written to the spool could not be read back as it was written.',
    meaning: 'Nothing that was read back wrong counts as backed up. Earlier snapshots stay.',
    advice: 'The disk may be failing: check it, then run the backup again.',
  },
};
