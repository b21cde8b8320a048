/** One life of the daemon: open the home, serve peers and the local API, wait to be stopped, end cleanly. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Outcome, succeeded } from '../base/outcome.ts';
import { type PartnerAnswer, partnerAnswer } from './answers.ts';
import { openComputer } from './composition.ts';
import type { PassphraseSource } from './key-opening.ts';
import { type HttpListen, serveLocalApi, tokenName } from './local-api-server.ts';
import type { OperationFailure } from './operation-failure.ts';
import { searchOutlook } from './operations/status.ts';
import { PartnerLookout } from './partner-news.ts';
import { waysToMeet } from './partnership-config.ts';
import type { RunningComputer } from './running-computer.ts';

const lookPauseMs = 500;

export interface DaemonOptions {
  readonly home: string;
  readonly passphrase: PassphraseSource;
  /** Undefined: as configured. */
  readonly listen: readonly string[] | undefined;
  readonly http: HttpListen | undefined;
  /** Aborting it stops the daemon. */
  readonly signal: AbortSignal;
  readonly ready: (started: DaemonStarted) => void;
  /** Somebody became a partner while it ran. */
  readonly joined?: (partner: PartnerAnswer) => void;
  /** Other terms were signed, whoever asked for them. */
  readonly changed?: (now: PartnerAnswer, before: PartnerAnswer) => void;
  /** It was seen that the identity lives on elsewhere: from here on the daemon does nothing. */
  readonly superseded?: () => void;
}

export interface DaemonStarted {
  readonly peer: string;
  readonly name: string;
  readonly listening: readonly string[];
  readonly socket: string;
  readonly http: string | null;
  readonly tokenFile: string | null;
  readonly pid: number;
  readonly search: StartedSearch;
  /** What keeps it from its work; null: nothing. */
  readonly bar: DaemonBar | null;
}

/** This home has stopped for good, or waits for its recovery to end. */
export type DaemonBar = 'identity.superseded' | 'recovery.unfinished';

/** What the daemon sets out to find. */
export interface StartedSearch {
  readonly seeks: boolean;
  /** More partners wanted than there are. */
  readonly missing: number;
  readonly partners: number;
  /** Settings that lead to others: `network.bootstrap` and the like. */
  readonly ways: readonly string[];
}

export async function runDaemon(options: DaemonOptions): Promise<Outcome<void, OperationFailure>> {
  const opened = await openComputer({ ...options, daemon: true, uploadLimit: undefined });
  if (!opened.ok) return opened;
  const running = opened.value;
  try {
    const started = await running.start();
    if (!started.ok) return started;
    // Partners learn where this computer is now, and it learns who is there.
    void running.computer.probePartners();
    const api = await serveLocalApi(running, options.http);
    if (!api.ok) return api;
    const report = running.computer.status();
    const { self, name, listening } = report;
    const { seeks, missing } = searchOutlook(running, report);
    options.ready({
      peer: self,
      name,
      listening,
      socket: api.value.socket,
      http: api.value.http ?? null,
      tokenFile: api.value.http === undefined ? null : join(running.home, tokenName),
      pid: process.pid,
      search: {
        ...{ seeks, missing, partners: report.partners.length },
        ways: waysToMeet(running.config),
      },
      bar: barOf(running),
    });
    await tellChanges(running, options);
    await api.value.close();
    return succeeded(undefined);
  } finally {
    await running.close();
  }
}

function barOf({ computer }: RunningComputer): DaemonBar | null {
  if (computer.supersededBy() !== undefined) return 'identity.superseded';
  return computer.isRecovering() ? 'recovery.unfinished' : null;
}

/** Until the daemon is stopped. */
async function tellChanges(
  { computer }: RunningComputer,
  { signal, joined, changed, superseded }: DaemonOptions,
): Promise<void> {
  let isSuperseded = computer.supersededBy() !== undefined;
  const lookout = new PartnerLookout(computer.partners().map(partnerAnswer));
  while (!signal.aborted) {
    await computer.changed(signal);
    // Much changes while shards are sent, and partners seldom.
    await delay(lookPauseMs, undefined, { signal }).catch(() => undefined);
    if (!isSuperseded && computer.supersededBy() !== undefined) {
      isSuperseded = true;
      superseded?.();
    }
    const news = lookout.look(computer.partners().map(partnerAnswer));
    for (const partner of news.joined) joined?.(partner);
    for (const { now, before } of news.changed) changed?.(now, before);
  }
}
