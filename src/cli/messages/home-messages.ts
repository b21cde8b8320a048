/** Failures of opening a home: its folder, key, configuration and catalogue; and of one whose identity lives on elsewhere. */
import { exitCodes } from '../exit-codes.ts';
import type { MessagesOf } from './message.ts';
import { dataElsewhere, nothingChanged, spoolKept } from './phrases.ts';

export const homeMessages: MessagesOf<
  'home' | 'identity' | 'key' | 'key-file' | 'config' | 'catalogue' | 'network'
> = {
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
  'home.input-output': {
    exit: exitCodes.failed,
    happened: 'The covault home cannot be read or written.',
    meaning: dataElsewhere,
    advice: 'Check who owns the folder and its permissions; `covault doctor` names them.',
  },
  'identity.superseded': {
    exit: exitCodes.failed,
    happened: 'This identity was recovered on another computer, and lives on there.',
    meaning:
      'This home has stopped for good: it does nothing in that name any more. What it can read, it restores.',
    advice:
      'Do this on the other computer. For a backup of this one begin a home of its own: `covault init --home FOLDER`.',
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
  'config.unreadable': {
    exit: exitCodes.usage,
    happened: 'The configuration file cannot be understood.',
    meaning: nothingChanged,
    advice: 'Correct `config.json` in the home; without the file all settings have their defaults.',
  },
  'catalogue.newer-version': {
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
  'catalogue.input-output': {
    exit: exitCodes.failed,
    happened: 'The catalogue cannot be read or written.',
    meaning: dataElsewhere,
    advice: 'Check the disk of the covault home, its permissions and its free space.',
  },
  'network.cannot-listen': {
    exit: exitCodes.failed,
    happened: 'covault cannot listen on the address it was given.',
    meaning: 'Partners cannot reach this computer until it listens; your data is as it was.',
    advice:
      'Stop the program that uses the port, or choose another with `--listen` or `covault config set network.listen`.',
  },
  'home.newer-version': {
    exit: exitCodes.failed,
    happened: 'This home was made by a newer version of covault.',
    meaning: 'Nothing was changed; an older version could misread it.',
    advice: 'Install that version or a newer one.',
  },
  'home.damaged': {
    exit: exitCodes.integrity,
    happened: 'The marker of this home is damaged.',
    meaning: dataElsewhere,
    advice: 'Check the disk; then `covault recover --home NEW` with your recovery kit.',
  },
  'home.not-empty': {
    exit: exitCodes.failed,
    happened: 'The folder for the home holds something else.',
    meaning: 'It was left as it is.',
    advice: 'Name an empty or a new folder with --home DIR.',
  },
  'key-file.missing': {
    exit: exitCodes.integrity,
    happened: 'The key of this home is missing.',
    meaning: `${dataElsewhere} This home alone cannot open them.`,
    advice:
      'Restore the file `key`, or use the 24 words: `covault recover --home NEW --words-file FILE`.',
  },
  'key-file.exists': {
    exit: exitCodes.failed,
    happened: 'There is a key in this home already.',
    meaning: 'It was kept: it may be the only one that opens your backups.',
    advice: 'Use the home as it is, or name another place with --home DIR.',
  },
  'key-file.open-to-others': {
    exit: exitCodes.failed,
    happened: 'Other users of this computer can read the key.',
    meaning: 'Whoever has read it can read your backups; nothing was done with it now.',
    advice:
      'Close it: chmod 600 on the file `key` of the home. If others may have read it, make a new home.',
  },
  'key-file.too-long': {
    exit: exitCodes.integrity,
    happened: 'The key file is not one: it is too long.',
    meaning: `${dataElsewhere} This home alone cannot open them.`,
    advice:
      'Restore the file `key`, or use the 24 words: `covault recover --home NEW --words-file FILE`.',
  },
  'key-file.input-output': {
    exit: exitCodes.failed,
    happened: 'The key file cannot be read or written.',
    meaning: dataElsewhere,
    advice: 'Check who owns it, its permissions, and the disk.',
  },
  'config.input-output': {
    exit: exitCodes.failed,
    happened: 'The configuration file cannot be read or written.',
    meaning: nothingChanged,
    advice: 'Check its permissions and the disk.',
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
};
