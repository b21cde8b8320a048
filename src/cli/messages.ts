/**
 * What a failure means to a person: what happened, what it means for the data, what to do; and the exit code that tells a script.
 *
 * One entry for every code, which the compiler holds this table to.
 */
import type { FailureCode } from '../daemon/operation-failure.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

export interface Message {
  readonly exit: ExitCode;
  readonly happened: string;
  readonly meaning: string;
  readonly advice: string;
}

const nothingChanged = 'Nothing was changed; what is backed up stays as it was.';
const spoolKept = 'What was captured before is intact in the spool, and earlier snapshots too.';
const dataElsewhere = 'Your backups at your partners are not touched by this.';
const nothingJoined = 'No agreement was made; your data is as it was.';

const homeMessages = {
  'home.missing': {
    exit: exitCodes.noHome,
    happened: 'There is no covault home here.',
    meaning: 'Nothing of this computer is backed up by covault yet, or the home lies elsewhere.',
    advice: 'Run `covault init` to make one, or name the right one with --home DIR.',
  },
  'home.exists': {
    exit: exitCodes.failed,
    happened: 'There is a covault home here already.',
    meaning: 'Its key and its backups are untouched; a second key would not open them.',
    advice: 'Use it as it is, or name another place with --home DIR.',
  },
  'home.in-use': {
    exit: exitCodes.homeInUse,
    happened: 'Another covault process is using this home and does not answer.',
    meaning: nothingChanged,
    advice: 'Wait until it has ended, or stop it, then try again.',
  },
  'home.no-space': {
    exit: exitCodes.noSpace,
    happened: 'The disk of the covault home is full.',
    meaning: spoolKept,
    advice: 'Free some space on that disk, then try again.',
  },
  'home.not-accessible': {
    exit: exitCodes.failed,
    happened: 'The covault home cannot be read or written.',
    meaning: dataElsewhere,
    advice: 'Check who owns the folder and its permissions; `covault doctor` names them.',
  },
  'key.passphrase-needed': {
    exit: exitCodes.wrongPassphrase,
    happened: 'The key of this home is protected by a passphrase, and none was given.',
    meaning: nothingChanged,
    advice:
      'Give --passphrase-file, --passphrase-command or --passphrase-fd, or set COVAULT_PASSPHRASE.',
  },
  'key.wrong-passphrase': {
    exit: exitCodes.wrongPassphrase,
    happened: 'The passphrase is wrong.',
    meaning: nothingChanged,
    advice:
      'Try again. If it is lost, the 24 words of the recovery kit open everything: `covault recover`.',
  },
  'key.damaged': {
    exit: exitCodes.integrity,
    happened: 'The key file is damaged.',
    meaning: `${dataElsewhere} This home alone cannot open them.`,
    advice:
      'Restore the file `key`, or use the 24 words: `covault recover --home NEW --words-file FILE`.',
  },
  'config.invalid': {
    exit: exitCodes.usage,
    happened: 'The configuration file has a mistake.',
    meaning: nothingChanged,
    advice: 'Correct the named value in the home’s configuration file.',
  },
  'catalogue.newer': {
    exit: exitCodes.failed,
    happened: 'This home was last used by a newer version of covault.',
    meaning: 'Nothing was changed; an older version could misread its catalogue.',
    advice: 'Install that version or a newer one.',
  },
  'catalogue.damaged': {
    exit: exitCodes.integrity,
    happened: 'The catalogue is damaged.',
    meaning: `${dataElsewhere} The catalogue can be rebuilt from them.`,
    advice: 'Run `covault recover --home NEW` with your recovery kit.',
  },
  'network.cannot-listen': {
    exit: exitCodes.failed,
    happened: 'covault cannot listen on the address it was given.',
    meaning: 'Partners cannot reach this computer until it listens; your data is as it was.',
    advice:
      'Stop the program that uses the port, or choose another with `--listen` or `covault config set network.listen`.',
  },
} as const;

const requestMessages = {
  'operation.unknown': {
    exit: exitCodes.usage,
    happened: 'The running daemon does not know this command.',
    meaning: nothingChanged,
    advice: 'The daemon is of another version: restart `covault up`.',
  },
  'operation.bad-input': {
    exit: exitCodes.usage,
    happened: 'The command was given something that it does not understand.',
    meaning: nothingChanged,
    advice: 'See `covault help COMMAND` for what it takes.',
  },
  'operation.forbidden': {
    exit: exitCodes.usage,
    happened: 'This answer holds the key, and is not given over HTTP.',
    meaning: nothingChanged,
    advice: 'Ask on the computer itself, with `covault kit show`.',
  },
  'operation.cancelled': {
    exit: exitCodes.failed,
    happened: 'The command was stopped before it ended.',
    meaning: 'What it had finished by then is kept; the next run carries on from there.',
    advice: 'Run it again when it suits.',
  },
  'operation.internal': {
    exit: exitCodes.internal,
    happened: 'covault met a mistake of its own.',
    meaning: 'What was acknowledged before is safe; the command did not finish.',
    advice: 'Try again; if it happens again, report it with the log file.',
  },
  'daemon.unreachable': {
    exit: exitCodes.homeInUse,
    happened: 'The daemon of this home does not answer.',
    meaning: nothingChanged,
    advice: 'Restart `covault up`, then try again.',
  },
  'daemon.broke-off': {
    exit: exitCodes.failed,
    happened: 'The daemon ended while it was working on this command.',
    meaning: 'What was acknowledged before is safe; the next run carries on from there.',
    advice: 'Start `covault up` again and repeat the command.',
  },
  'partner.unknown': {
    exit: exitCodes.failed,
    happened: 'There is no such partner.',
    meaning: nothingChanged,
    advice: '`covault partners` lists them; the beginning of an id is enough.',
  },
  'partner.ambiguous': {
    exit: exitCodes.failed,
    happened: 'More than one partner is meant by this.',
    meaning: nothingChanged,
    advice: 'Give more digits of the id.',
  },
  'snapshot.unknown': {
    exit: exitCodes.failed,
    happened: 'There is no such snapshot.',
    meaning: nothingChanged,
    advice:
      '`covault snapshots` lists them; the beginning of an id is enough, or `latest`, `latest~1`.',
  },
  'snapshot.ambiguous': {
    exit: exitCodes.failed,
    happened: 'More than one snapshot is meant by this.',
    meaning: nothingChanged,
    advice: 'Give more digits of the id.',
  },
  'config.unknown-key': {
    exit: exitCodes.usage,
    happened: 'There is no such setting.',
    meaning: nothingChanged,
    advice: '`covault config get` lists all settings.',
  },
  'config.bad-value': {
    exit: exitCodes.usage,
    happened: 'The setting cannot have this value.',
    meaning: 'The setting keeps the value that it had.',
    advice: 'See what `covault config get` shows for the kind of value it has.',
  },
  'kit.malformed': {
    exit: exitCodes.wrongPassphrase,
    happened: 'This is not a recovery kit that covault can read.',
    meaning: 'Your data at your partners is not touched by this.',
    advice:
      'Check that it is the file that `covault kit export --json` wrote, or use the 24 words.',
  },
  'kit.wrong-words': {
    exit: exitCodes.wrongPassphrase,
    happened: 'These are not the 24 words of a recovery kit.',
    meaning: 'Your data at your partners is not touched by this.',
    advice: 'Compare them with your paper, in order; one wrong word or place is enough to fail.',
  },
  'kit.not-written': {
    exit: exitCodes.failed,
    happened: 'The recovery kit could not be written.',
    meaning: 'Without the kit or its 24 words, nothing can be restored once this computer is lost.',
    advice: 'Choose another file: `covault kit export --json FILE`.',
  },
} as const;

const backupMessages = {
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
      'Set `covault config set network.uploadLimit RATE` and restart the daemon, or stop it first.',
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
} as const;

const restoreMessages = {
  'restore.no-such-snapshot': {
    exit: exitCodes.failed,
    happened: 'There is no such snapshot.',
    meaning: 'Nothing was written.',
    advice: '`covault snapshots` lists them.',
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
} as const;

const partnershipMessages = {
  'invite.malformed': {
    exit: exitCodes.usage,
    happened: 'This is not an invitation code, or a part of it is missing.',
    meaning: nothingJoined,
    advice: 'Copy the whole code as `covault invite` printed it.',
  },
  'invite.expired': {
    exit: exitCodes.failed,
    happened: 'The invitation has run out.',
    meaning: nothingJoined,
    advice: 'Ask for a new one: `covault invite --days 7` makes one that lasts longer.',
  },
  'invite.used': {
    exit: exitCodes.failed,
    happened: 'The invitation was used by another computer.',
    meaning: nothingJoined,
    advice: 'Each code serves once: ask for one of your own.',
  },
  'invite.unknown': {
    exit: exitCodes.failed,
    happened: 'The computer that this code names does not know it.',
    meaning: nothingJoined,
    advice: 'Ask for a new code; the other computer may have been set up anew.',
  },
  'invite.own': {
    exit: exitCodes.failed,
    happened: 'This is an invitation of your own.',
    meaning: nothingJoined,
    advice: 'Give it to somebody else: a computer cannot be its own partner.',
  },
  'invite.refused': {
    exit: exitCodes.failed,
    happened: 'The other computer refused.',
    meaning: nothingJoined,
    advice: 'Talk with its owner: it may lack the space, or want other terms.',
  },
  'invite.inviter-unreachable': {
    exit: exitCodes.tooFewPartners,
    happened: 'The computer that invited cannot be reached.',
    meaning: `${nothingJoined} The code stays valid.`,
    advice:
      'It must be running `covault up` or `covault invite`, and be reachable from here; then try again.',
  },
} as const;

const recoverMessages = {
  'recover.no-partner': {
    exit: exitCodes.tooFewPartners,
    happened: 'No partner could be reached.',
    meaning: 'Your data is still with your partners; only the way to them is missing.',
    advice:
      'Give an address you know: --peer /ip4/ADDRESS/tcp/PORT, or use the kit file, and try again.',
  },
  'recover.no-manifest': {
    exit: exitCodes.tooFewPartners,
    happened: 'Those that answered hold nothing for these words.',
    meaning: 'Either these are other words, or the partners that hold your data did not answer.',
    advice: 'Check the words; then give the address of another partner with --peer.',
  },
  'recover.too-few-partners': {
    exit: exitCodes.tooFewPartners,
    happened: 'Too few partners answered to read the index of your backups.',
    meaning: 'Your data is still with your partners; more of them are needed.',
    advice: 'Ask your partners to start covault, then run the same command again.',
  },
  'recover.integrity': {
    exit: exitCodes.integrity,
    happened: 'What the partners sent is not what you gave them.',
    meaning: 'Nothing wrong was taken in. Other partners may have it right.',
    advice: 'Try again when more partners are reachable.',
  },
  'recover.home-not-empty': {
    exit: exitCodes.failed,
    happened: 'This home is in use by a computer already.',
    meaning: 'It was left as it is.',
    advice: 'Recover into an empty one: --home DIR.',
  },
} as const;

export const messages: Readonly<Record<FailureCode, Message>> = {
  ...homeMessages,
  ...requestMessages,
  ...backupMessages,
  ...restoreMessages,
  ...partnershipMessages,
  ...recoverMessages,
};
