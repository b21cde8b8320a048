/** Every way in which something that a person asked for can fail. The codes are stable; the command line has words for each. */
import type {
  BackupFailure,
  JoinFailure,
  RecoverFailure,
  RestoreFailure,
} from '../engine/computer.ts';

export type HomeFailureCode =
  | 'home.missing'
  | 'home.exists'
  | 'home.in-use'
  | 'home.no-space'
  | 'home.not-accessible'
  | 'key.passphrase-needed'
  | 'key.wrong-passphrase'
  | 'key.damaged'
  | 'config.invalid'
  | 'catalogue.newer'
  | 'catalogue.damaged'
  | 'network.cannot-listen';

export type RequestFailureCode =
  | 'operation.unknown'
  | 'operation.bad-input'
  | 'operation.forbidden'
  | 'operation.cancelled'
  | 'operation.internal'
  | 'daemon.unreachable'
  | 'daemon.broke-off'
  | 'partner.unknown'
  | 'partner.ambiguous'
  | 'snapshot.unknown'
  | 'snapshot.ambiguous'
  | 'backup.no-sources'
  | 'backup.limit-with-daemon'
  | 'config.unknown-key'
  | 'config.bad-value'
  | 'kit.malformed'
  | 'kit.wrong-words'
  | 'kit.not-written';

export type FailureCode =
  | HomeFailureCode
  | RequestFailureCode
  | BackupFailure['code']
  | RestoreFailure['code']
  | JoinFailure['code']
  | RecoverFailure['code'];

export interface OperationFailure {
  readonly code: FailureCode;
  readonly detail: string;
}

export function failure(code: FailureCode, detail = ''): OperationFailure {
  return { code, detail };
}
