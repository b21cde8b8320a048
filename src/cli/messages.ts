/**
 * What a failure means to a person: what happened, what it means for the data, what to do; and the exit code that tells a script.
 *
 * One entry for every code, which the compiler holds this table to.
 */
import type { FailureCode } from '../daemon/operation-failure.ts';
import { auditMessages } from './messages/audit-messages.ts';
import { backupMessages } from './messages/backup-messages.ts';
import { homeMessages } from './messages/home-messages.ts';
import type { Message } from './messages/message.ts';
import { partnershipMessages } from './messages/partnership-messages.ts';
import { recoveryMessages } from './messages/recovery-messages.ts';
import { requestMessages } from './messages/request-messages.ts';
import { restoreMessages } from './messages/restore-messages.ts';

export const messages: Readonly<Record<FailureCode, Message>> = {
  ...homeMessages,
  ...requestMessages,
  ...backupMessages,
  ...restoreMessages,
  ...partnershipMessages,
  ...recoveryMessages,
  ...auditMessages,
};
