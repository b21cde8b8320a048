/** Failures of inviting and joining, and of what is asked of a partner. */
import { exitCodes } from '../exit-codes.ts';
import type { MessagesOf } from './message.ts';
import { nothingChanged, nothingJoined } from './phrases.ts';

export const partnershipMessages: MessagesOf<'invite' | 'partner'> = {
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
  'invite.already-partner': {
    exit: exitCodes.failed,
    happened: 'The computer that invited is your partner already: a search found it.',
    meaning: 'The agreement between you stays as it was; nothing was moved or deleted.',
    advice:
      'Change its sizes with `covault partners terms`; or end it (`covault partners leave`), and then join by a new invitation.',
  },
  'invite.lends-too-little': {
    exit: exitCodes.usage,
    happened: 'The invitation wants more space than you offered.',
    meaning: nothingJoined,
    advice:
      'Without --lend you lend what it wants; or ask for an invitation that wants less (`covault invite --want SIZE`).',
  },
  'invite.nobody-lends': {
    exit: exitCodes.usage,
    happened:
      'By this invitation nobody would lend anything: nothing is lent here, or all of it is promised to others.',
    meaning: nothingJoined,
    advice:
      'Say what you lend (--lend SIZE), or what you want (--want SIZE); `covault config set lend.spaceBytes SIZE` lends more.',
  },
  'invite.no-space': {
    exit: exitCodes.usage,
    happened: 'You would lend more than this computer has left to lend.',
    meaning: nothingJoined,
    advice:
      'Lend less by this invitation (--lend SIZE), or more in all: `covault config set lend.spaceBytes SIZE`.',
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
  'partner.unknown': {
    exit: exitCodes.failed,
    happened: 'There is no such partner.',
    meaning: nothingChanged,
    advice:
      '`covault partners` lists them, `covault agreements` former ones too; the beginning of an id is enough.',
  },
  'partner.ambiguous': {
    exit: exitCodes.failed,
    happened: 'More than one partner is meant by this.',
    meaning: nothingChanged,
    advice: 'Give more digits of the id.',
  },
  'partner.no-space': {
    exit: exitCodes.usage,
    happened: 'You would lend more than this computer has left to lend.',
    meaning: 'The agreement stays as it was; nobody was asked.',
    advice:
      'Lend it less (--lend SIZE), or more in all: `covault config set lend.spaceBytes SIZE`.',
  },
  'partner.wrong-phase': {
    exit: exitCodes.failed,
    happened: 'The partnership is not in a state in which that can be done.',
    meaning: nothingChanged,
    advice: 'See where they stand: `covault agreements show ID`.',
  },
  'partner.unreachable': {
    exit: exitCodes.tooFewPartners,
    happened: 'The partner does not answer.',
    meaning: 'The agreement stays as it was; a proposal that was sent is sent again.',
    advice: 'Try again when it is reachable: `covault partners` shows whether it is.',
  },
  'partner.refused': {
    exit: exitCodes.failed,
    happened: 'The partner did not agree to that.',
    meaning: 'The agreement stays as it was; nothing was moved or deleted.',
    advice: 'Ask for less, or offer more in return; or talk with its owner.',
  },
};
