/** Failures of coming back after total loss, and of the recovery kit. */
import { exitCodes } from '../exit-codes.ts';
import type { MessagesOf } from './message.ts';

export const recoveryMessages: MessagesOf<'recover' | 'recovery' | 'kit' | 'words'> = {
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
    advice:
      'Ask your partners to start covault, then run the same command again; if a date is given, from then on.',
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
  'recovery.unfinished': {
    exit: exitCodes.failed,
    happened: 'The recovery into this home has not ended.',
    meaning:
      'Your data is still with your partners. Until it has come back this home begins nothing new: that would stand in its way.',
    advice:
      'Run `covault recover` again, with the same kit or words; it carries on. When there is nothing to recover, begin a home of its own: `covault init --home DIR`.',
  },
  'kit.malformed': {
    exit: exitCodes.wrongPassphrase,
    happened: 'This is not a recovery kit that covault can read.',
    meaning: 'Your data at your partners is not touched by this.',
    advice:
      'Check that it is the file that `covault kit export --json` wrote, or use the 24 words.',
  },
  'kit.not-written': {
    exit: exitCodes.failed,
    happened: 'The recovery kit could not be written.',
    meaning: 'Without the kit or its 24 words, nothing can be restored once this computer is lost.',
    advice: 'Choose another file: `covault kit export --json FILE`.',
  },
  'kit.unknown-version': {
    exit: exitCodes.wrongPassphrase,
    happened: 'This recovery kit was made by a newer version of covault.',
    meaning: 'Your data at your partners is not touched by this.',
    advice: 'Install that version or a newer one; or use the 24 words.',
  },
  'kit.wrong-owner': {
    exit: exitCodes.wrongPassphrase,
    happened: 'The words in this kit are not those of the computer that it names.',
    meaning: 'Your data at your partners is not touched by this.',
    advice: 'Two kits were mixed up: look for the right file, or use the 24 words on their own.',
  },
  'words.wrong-count': {
    exit: exitCodes.wrongPassphrase,
    happened: 'A recovery kit has 24 words.',
    meaning: 'Your data at your partners is not touched by this.',
    advice: 'Compare them with your paper: one may be missing, or two written as one.',
  },
  'words.unknown-word': {
    exit: exitCodes.wrongPassphrase,
    happened: 'One of the words is not among those that recovery kits are made of.',
    meaning: 'Your data at your partners is not touched by this.',
    advice: 'Compare this word with your paper.',
  },
  'words.bad-checksum': {
    exit: exitCodes.wrongPassphrase,
    happened: 'These words exist, but they do not belong together in this order.',
    meaning: 'Your data at your partners is not touched by this.',
    advice: 'Compare them with your paper, in order: one was misread, or two were swapped.',
  },
};
