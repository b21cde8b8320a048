/**
 * How much a partner may lose and tell of before it counts like being caught.
 *
 * Disks rot a block now and then, and whoever says so is thanked. A partner that stores nothing and tells of each loss in time would be thanked for ever, so
 * what is told of in one grace period is counted, durably. So is what it says it does not have when it is read: the same number is forgiven of both together, but
 * nobody's told loss weighs more for what was read before it could be told.
 */
import { assert } from '../../base/assert.ts';
import { equalBytes } from '../../base/bytes.ts';
import { decodeCbor, encodeCbor } from '../../base/codec.ts';
import type { Instant } from '../../base/units.ts';
import type { AgreementId } from '../../core/vocabulary/ids.ts';
import type { Stores } from '../../ports/stores.ts';
import { sha256 } from '../../primitives/hash.ts';

/** Shards forgiven in any case, and this share of what the partner has of ours. */
const forgivenLeast = 4;
const forgivenShare = 0.1;

interface Tally {
  readonly since: number;
  readonly told: number;
  readonly denied: number;
}

/** Adds to the account of this grace period; whether it is still within what is forgiven. */
export function staysWithin(
  stores: Stores,
  agreement: AgreementId,
  loss: {
    readonly count: number;
    /** It came out by a read; left out: the partner told of it. */
    readonly isDenied?: boolean;
    /** Shards of ours that the partner has or should have. */
    readonly held: number;
    readonly graceMs: number;
    readonly now: Instant;
  },
): boolean {
  const name = `losses-admitted ${agreement}`;
  const known = read(stores, name);
  const goesOn = known !== undefined && Math.abs(loss.now - known.since) < loss.graceMs;
  const before = goesOn ? known : { since: loss.now, told: 0, denied: 0 };
  const isDenied = loss.isDenied === true;
  const told = before.told + (isDenied ? 0 : loss.count);
  const denied = before.denied + (isDenied ? loss.count : 0);
  if (loss.count > 0) stores.facts.put(name, encodeCbor([before.since, told, denied]));
  const shards = isDenied ? told + denied : told;
  return shards <= Math.max(forgivenLeast, forgivenShare * loss.held);
}

/** Told losses of one agreement that are known again. */
const heardMaximum = 64;

/** Whether this very notice was heeded before: one whose answer got lost is sent again, maybe when all is there again. */
export function wasHeard(stores: Stores, agreement: AgreementId, document: Uint8Array): boolean {
  const hash = sha256(document);
  return heard(stores, agreement).some((known) => equalBytes(known, hash));
}

/** After it was heeded: a crash in between has it heeded again, before anything could be sent anew. */
export function rememberHeard(stores: Stores, agreement: AgreementId, document: Uint8Array): void {
  const kept = [...heard(stores, agreement), sha256(document)].slice(-heardMaximum);
  stores.facts.put(heardName(agreement), encodeCbor(kept));
}

function heardName(agreement: AgreementId): string {
  return `losses-heard ${agreement}`;
}

function heard(stores: Stores, agreement: AgreementId): readonly Uint8Array[] {
  const value = stores.facts.get(heardName(agreement));
  if (value === undefined) return [];
  const decoded = decodeCbor(value, heardMaximum * 40);
  assert(decoded.ok && Array.isArray(decoded.value), 'told losses are known by their hashes');
  return decoded.value as readonly Uint8Array[];
}

function read(stores: Stores, name: string): Tally | undefined {
  const value = stores.facts.get(name);
  if (value === undefined) return undefined;
  const decoded = decodeCbor(value, 32);
  assert(decoded.ok && Array.isArray(decoded.value), 'a tally of losses is three numbers');
  const [since, told, denied = 0] = decoded.value as [number, number, number?];
  return { since, told, denied };
}
