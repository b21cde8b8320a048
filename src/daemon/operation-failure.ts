/** Every way in which something that a person asked for can fail. The codes are stable; the command line has words for each. */
import type { ConfigFailure } from '../adapters/disk/config-file.ts';
import type { HomeFailure } from '../adapters/disk/home.ts';
import type { KeyFileFailure } from '../adapters/disk/key-file.ts';
import type { CatalogueFailure } from '../adapters/sqlite/catalogue.ts';
import type { KitFailure } from '../core/recovery/kit.ts';
import type {
  BackupFailure,
  JoinFailure,
  RecoverFailure,
  RestoreFailure,
} from '../engine/computer.ts';
import type { DrillFailure } from '../engine/drills/drill-run.ts';
import type { PartnerFailure } from '../engine/partners/partnerships.ts';

/** Of opening a home, besides what its files can be like. */
export type OpeningFailureCode =
  | 'home.no-space'
  | 'key.passphrase-needed'
  | 'key.wrong-passphrase'
  | 'key.damaged'
  | 'network.cannot-listen';

export type RequestFailureCode =
  | 'operation.unknown'
  | 'operation.bad-input'
  | 'operation.forbidden'
  | 'operation.cancelled'
  | 'operation.internal'
  | 'identity.superseded'
  | 'recovery.unfinished'
  | 'daemon.unreachable'
  | 'daemon.broke-off'
  | 'partner.ambiguous'
  | 'partner.no-space'
  | 'snapshot.unknown'
  | 'snapshot.ambiguous'
  | 'backup.no-sources'
  | 'backup.limit-with-daemon'
  | 'restore.bad-target'
  | 'invite.nobody-lends'
  | 'invite.no-space'
  | 'kit.not-written'
  | 'demo.failed';

export type FailureCode =
  | OpeningFailureCode
  | HomeFailure['code']
  | KeyFileFailure['code']
  | ConfigFailure['code']
  | CatalogueFailure['code']
  | KitFailure['code']
  | RequestFailureCode
  | BackupFailure['code']
  | RestoreFailure['code']
  | JoinFailure['code']
  | PartnerFailure['code']
  | DrillFailure['code']
  | RecoverFailure['code'];

export interface OperationFailure {
  readonly code: FailureCode;
  readonly detail: string;
}

export function failure(code: FailureCode, detail = ''): OperationFailure {
  return { code, detail };
}
