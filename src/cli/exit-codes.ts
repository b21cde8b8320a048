/** Exit codes: a contract with scripts; they never change their meaning. */

export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  filesSkipped: 3,
  belowRedundancy: 4,
  noHome: 10,
  homeInUse: 11,
  wrongPassphrase: 12,
  tooFewPartners: 13,
  integrity: 14,
  noSpace: 15,
  internal: 70,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
