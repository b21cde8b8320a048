/** All operations by name. The local API serves exactly these; the command line calls nothing else. */
import { agreementShow, agreements } from './agreements.ts';
import { audit, drill, partnerAudits } from './audits.ts';
import { backup } from './backup.ts';
import { getConfiguration, setConfiguration } from './configuration.ts';
import { doctor } from './doctor.ts';
import { invite, join } from './invitations.ts';
import { kit } from './kit.ts';
import { changeTerms, decidePartner, partners, pausePartner } from './partners.ts';
import { repair } from './repair.ts';
import { restore } from './restore.ts';
import { search } from './search.ts';
import { cat, list, snapshotShow, snapshots } from './snapshots.ts';
import { status } from './status.ts';
import { undelete } from './undelete.ts';

export interface Operations {
  readonly status: typeof status;
  readonly invite: typeof invite;
  readonly join: typeof join;
  readonly partners: typeof partners;
  readonly 'partners-pause': typeof pausePartner;
  readonly 'partners-decide': typeof decidePartner;
  readonly 'partners-terms': typeof changeTerms;
  readonly 'partner-audits': typeof partnerAudits;
  readonly audit: typeof audit;
  readonly drill: typeof drill;
  readonly agreements: typeof agreements;
  readonly 'agreement-show': typeof agreementShow;
  readonly search: typeof search;
  readonly backup: typeof backup;
  readonly snapshots: typeof snapshots;
  readonly 'snapshot-show': typeof snapshotShow;
  readonly list: typeof list;
  readonly cat: typeof cat;
  readonly repair: typeof repair;
  readonly restore: typeof restore;
  readonly undelete: typeof undelete;
  readonly kit: typeof kit;
  readonly doctor: typeof doctor;
  readonly 'config-get': typeof getConfiguration;
  readonly 'config-set': typeof setConfiguration;
}

export type OperationName = keyof Operations;

export const operations: Operations = {
  status,
  invite,
  join,
  partners,
  'partners-pause': pausePartner,
  'partners-decide': decidePartner,
  'partners-terms': changeTerms,
  'partner-audits': partnerAudits,
  audit,
  drill,
  agreements,
  'agreement-show': agreementShow,
  search,
  backup,
  snapshots,
  'snapshot-show': snapshotShow,
  list,
  cat,
  repair,
  restore,
  undelete,
  kit,
  doctor,
  'config-get': getConfiguration,
  'config-set': setConfiguration,
};

type Run<Name extends OperationName> = Operations[Name]['run'];
export type InputOf<Name extends OperationName> = Parameters<Run<Name>>[1];
export type ProgressOf<Name extends OperationName> = Parameters<
  Parameters<Run<Name>>[2]['progress']
>[0];
export type DataOf<Name extends OperationName> = Parameters<Parameters<Run<Name>>[2]['send']>[0];
export type ResultOf<Name extends OperationName> =
  Awaited<ReturnType<Run<Name>>> extends infer Answer
    ? Extract<Answer, { readonly ok: true }> extends { readonly value: infer Value }
      ? Value
      : never
    : never;
