/** Doctor: every part that can fail, whether it is well, and what to do if not. */
import { z } from 'zod';
import { succeeded } from '../../base/outcome.ts';
import type { Computer } from '../../engine/computer.ts';
import type { PartnerView } from '../../engine/partnerships.ts';
import { type Check, clockCheck, homeChecks, ok } from '../doctor-checks.ts';
import { type Operation, operation } from '../operation.ts';

export interface DoctorAnswer {
  readonly checks: readonly Check[];
}

export const doctor: Operation<Record<string, never>, never, never, DoctorAnswer> = operation({
  input: z.strictObject({}),
  reach: 'network',
  secret: false,
  run: async ({ computer, running }) => {
    await computer.probePartners();
    const local = homeChecks(running.home).filter(({ name }) => name !== 'clock');
    const checks = [
      ...local,
      clockCheck(computer.now(), computer.status().latest?.takenAt),
      listeningCheck(computer, running.daemon),
      ...partnerChecks(computer.partners()),
    ];
    return succeeded({ checks });
  },
});

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

function partnerChecks(partners: readonly PartnerView[]): readonly Check[] {
  if (partners.length === 0)
    return [
      {
        name: 'partners',
        level: 'warn',
        finding: 'none',
        advice: 'Invite somebody: `covault invite`.',
      },
    ];
  return partners.map((partner): Check => {
    const { partnerName, partner: id } = partner.agreement;
    const name = `partner ${partnerName || id.slice(0, 12)}`;
    if (partner.wrongBlocks > 0)
      return {
        name,
        level: 'fail',
        finding: `${partner.wrongBlocks} blocks came back wrong`,
        advice: 'Its disk may be failing: tell its owner. Your other partners make up for it.',
      };
    if (partner.reachable === false)
      return {
        name,
        level: 'warn',
        finding: 'cannot be reached now',
        advice: 'It may be switched off; if it stays away, talk with its owner.',
      };
    return ok(name, 'reachable');
  });
}
