/**
 * How long it takes until a cheat is found out, by the formulas (RESEARCH §2, docs/economics.md "How many audits"): what the scenarios hold the engine to.
 *
 * An audit draws c blocks; who kept the share d of what may be drawn passes with d^c. So it takes interval ÷ (1 − d^c) on the average, as populations are held to
 * (population/followed-pair.ts), and one run is one draw from that: what is asserted of it is the time in which the formula finds with 99 % (459 blocks for 1 %). For
 * who kept nothing both are one audit. Silence takes T_r from the first audit that was not answered.
 */
import { present } from '../../base/assert.ts';
import { type AuditCadence, auditCadence } from '../../core/audits/audit-cadence.ts';
import { agreementOf } from '../../engine/partners/partner-space.ts';
import type { SimPeer } from '../sim-peer.ts';

/** Predictions hold within this factor. */
const tolerance = 2;
/** Of 100 cheats so many are found within the time of `surelyFoundMs`. */
const certainty = 0.99;

/** How often, and for how many blocks, `owner` audits `partner` now. */
export function cadenceOf(owner: SimPeer, partner: SimPeer): AuditCadence {
  const { peerId } = partner.keys;
  const row = present(owner.home.stores.agreements.ofPartner(peerId), 'an agreement');
  const now = present(owner.computer, 'it runs').now();
  return auditCadence(agreementOf(row).terms, {
    ageMs: now - row.since,
    shardCount: owner.home.stores.shards.ofPartner(peerId).length,
  });
}

/** An audit interval as it was agreed: whoever was never audited before is left alone for so long. */
export function firstAuditMs(owner: SimPeer, partner: SimPeer): number {
  const row = owner.home.stores.agreements.ofPartner(partner.keys.peerId);
  return agreementOf(present(row, 'an agreement')).terms.auditIntervalMs;
}

/** On the average: interval ÷ (1 − kept^blocks). */
export function foundOnAverageMs(cadence: AuditCadence, kept: number): number {
  return cadence.intervalMs / (1 - kept ** blocksOf(cadence));
}

/** With 99 %: as many audits as draw ln 0.01 ÷ ln kept blocks. */
export function surelyFoundMs(cadence: AuditCadence, kept: number): number {
  if (kept === 0) return cadence.intervalMs;
  const blocks = Math.log(1 - certainty) / Math.log(kept);
  return Math.ceil(blocks / blocksOf(cadence)) * cadence.intervalMs;
}

/** What was predicted, within a factor of 2; the next audit may be a whole interval away when it begins. */
export function latestMs(predictedMs: number, { intervalMs }: AuditCadence): number {
  return tolerance * predictedMs + intervalMs;
}

function blocksOf({ coverageCount, uniformCount }: AuditCadence): number {
  return coverageCount + uniformCount;
}
