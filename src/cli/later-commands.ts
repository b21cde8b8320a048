/** Commands of the contract that this version does not have yet: typed by somebody who read ahead, they get a clear answer. */

export const laterCommands: ReadonlySet<string> = new Set([
  'find',
  'diff',
  'dump',
  'check',
  'forget',
  'prune',
  'sources',
  'pause',
  'service',
  'completion',
  'kit verify',
  'kit split',
]);
