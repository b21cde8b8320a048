/** An owner and a holder with a standing agreement, and the holder's side of it: where the parts that serve partners are tested by themselves. */
import type { Bytes } from '../base/bytes.ts';
import { type Instant, instant } from '../base/units.ts';
import {
  agreementIdOf,
  encodeAgreement,
  encodeSignedAgreement,
  signAgreement,
} from '../core/agreements/agreement.ts';
import { circleTerms } from '../core/agreements/terms.ts';
import { deriveKeys, type OwnerKeys } from '../core/sealing/keys.ts';
import type { PeerId } from '../core/vocabulary/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventLog } from '../ports/event-log.ts';
import type { AgreementRow } from '../ports/stores.ts';
import { TwinDisk } from './twin-disk.ts';
import { type TwinStores, twinStores } from './twin-stores.ts';

export interface AgreedPair {
  readonly owner: OwnerKeys;
  readonly holder: OwnerKeys;
  /** The agreement as the holder keeps it. */
  readonly agreement: AgreementRow;
  readonly stores: TwinStores;
  readonly disk: TwinDisk;
  readonly clock: Clock;
  readonly log: EventLog;
}

const begin: Instant = instant(1_700_000_000_000);

export function keysOf(name: string): OwnerKeys {
  return deriveKeys(new Uint8Array(32).fill(name.charCodeAt(0)));
}

/** The clock stands still; `lendsBytes` is what the holder lends. */
export function agreedPair(lendsBytes: number): AgreedPair {
  const [owner, holder] = [keysOf('owner'), keysOf('holder')];
  const stores = twinStores();
  const agreement = agreementRow({
    first: holder,
    second: owner,
    partner: owner.peerId,
    lendsBytes,
  });
  stores.agreements.put(agreement);
  return {
    owner,
    holder,
    agreement,
    stores,
    disk: new TwinDisk({ random: { bytes: (count) => new Uint8Array(count) } }),
    clock: { now: () => begin, sleep: async () => undefined },
    log: { write: () => undefined },
  };
}

function agreementRow(parties: {
  readonly first: OwnerKeys;
  readonly second: OwnerKeys;
  readonly partner: PeerId;
  readonly lendsBytes: number;
}): AgreementRow {
  const { first, second, partner, lendsBytes } = parties;
  const body: Bytes = encodeAgreement({
    first: first.peerId,
    second: second.peerId,
    start: begin,
    terms: circleTerms({ firstLendsBytes: lendsBytes, secondLendsBytes: lendsBytes }),
  });
  const half = signAgreement({ body, signatures: {} }, 'second', second.identitySeed);
  return {
    agreement: agreementIdOf(body),
    partner,
    document: encodeSignedAgreement(signAgreement(half, 'first', first.identitySeed)),
    phase: 'standing',
    paused: false,
    lifecycle: undefined,
    partnerName: 'owner',
    addresses: ['/dns/owner.sim/tcp/1'],
    since: begin,
    lastSeenAt: undefined,
  };
}
