/** Where a partnership stands (C30, C46); what leads from one to the next is in lifecycle.ts. */

export type LifecyclePhase =
  /** Younger than C: shards and audits go both ways, restore reads do not. */
  | 'in-commitment'
  | 'standing'
  /** The partner failed to answer or to prove: its grace period runs. */
  | 'suspended'
  /** One side gave notice: shards are moved before the notice ends. */
  | 'leaving'
  /** The grace period ran out. What it stored here is still served for a while. */
  | 'reneged'
  | 'ended';

export const lifecyclePhases: readonly LifecyclePhase[] = [
  'in-commitment',
  'standing',
  'suspended',
  'leaving',
  'reneged',
  'ended',
];

/** The agreement binds: its parties are partners. */
export function isInForce(phase: LifecyclePhase | 'proposed'): boolean {
  return phase !== 'proposed' && phase !== 'reneged' && phase !== 'ended';
}

/** New shards may go to the partner, unless a person paused it. */
export function takesShards(phase: LifecyclePhase | 'proposed'): boolean {
  return phase === 'in-commitment' || phase === 'standing';
}
