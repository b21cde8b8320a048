/** Failures of asking: the daemon, what a snapshot’s name means, the demo. */
import { exitCodes } from '../exit-codes.ts';
import type { MessagesOf } from './message.ts';
import { nothingChanged } from './phrases.ts';

export const requestMessages: MessagesOf<'operation' | 'daemon' | 'snapshot' | 'demo'> = {
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
    advice: 'Try again; if it happens again, report it with `log/covault.log` of the home.',
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
  'demo.failed': {
    exit: exitCodes.failed,
    happened: 'The demo did not end as it must.',
    meaning: 'Your own files and homes are not touched by it; they were only read.',
    advice: 'Run it again with --keep, look at the logs in its homes, and please report it.',
  },
};
