/** Doctor: every part that can fail, whether it is well, and what to do if not. */
import { z } from 'zod';
import { succeeded } from '../../base/outcome.ts';
import type { Computer } from '../../engine/computer.ts';
import { type Check, clockCheck, homeChecks, ok } from '../doctor-checks.ts';
import { dhtCheck, mappingCheck, partnerChecks, searchCheck } from '../network-checks.ts';
import { type Operation, operation } from '../operation.ts';
import { waysToMeet } from '../partnership-config.ts';
import { searchOutlook } from './status.ts';

export interface DoctorAnswer {
  readonly checks: readonly Check[];
}

export const doctor: Operation<Record<string, never>, never, never, DoctorAnswer> = operation({
  input: z.strictObject({}),
  reach: 'network',
  secret: false,
  run: async (context) => {
    const { computer, running } = context;
    const local = homeChecks(running.home).filter(({ name }) => name !== 'clock');
    // Nothing of the network is amiss where nothing is to be reached.
    if (computer.supersededBy() !== undefined)
      return succeeded({ checks: [...local, supersededCheck] });
    await computer.probePartners();
    const { network } = running.config;
    const found = running.network();
    const search = searchOutlook(running, computer.status());
    const checks = [
      ...local,
      ...(computer.isRecovering() ? [unfinishedCheck] : []),
      clockCheck(computer.now(), computer.status().latest?.takenAt),
      listeningCheck(computer, running.daemon),
      mappingCheck(network.portMapping, running.daemon, found.mapped),
      dhtCheck(network.dht, found.dht, running.daemon),
      searchCheck(search, waysToMeet(running.config)),
      ...partnerChecks(computer.partners()),
    ];
    return succeeded({ checks });
  },
});

const supersededCheck: Check = {
  name: 'identity',
  level: 'fail',
  finding:
    'recovered on another computer, and lives on there: this home has stopped, and listens on no address',
  advice: 'Begin a home of its own for this computer: `covault init --home DIR`.',
};

const unfinishedCheck: Check = {
  name: 'recovery',
  level: 'warn',
  finding: 'not ended: nothing new begins here until it has',
  advice: 'Run `covault recover` again, with the same kit or words, once more partners are up.',
};

function listeningCheck(computer: Computer, daemon: boolean): Check {
  const { listening } = computer.status();
  if (listening.length === 0)
    return {
      name: 'network',
      level: 'warn',
      finding: 'listening on no address',
      advice: 'Partners cannot reach this computer: see `covault config get network.listen`.',
    };
  const finding = `listening on ${listening.join(', ')}`;
  if (daemon) return ok('network', finding);
  return {
    name: 'network',
    level: 'warn',
    finding: `${finding} during this command only`,
    advice: 'Run `covault up`, so that partners reach this computer at any time.',
  };
}
