/**
 * An owner and a partner that holds its shards, as the audits' bench needs them: two homes on disk whose ledgers and catalogues say that so many shards are held.
 *
 * The shards are sealed to know the roots that the partner signs, and thrown away: they would fill the disk. Whoever reads one gets it sealed again.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Catalogue, openCatalogue } from '../../src/adapters/sqlite/catalogue.ts';
import { present } from '../../src/base/assert.ts';
import { type Bytes, bigEndian } from '../../src/base/bytes.ts';
import { dayMs, gibi, type Instant, instant } from '../../src/base/units.ts';
import {
  agreementIdOf,
  encodeAgreement,
  encodeSignedAgreement,
  signAgreement,
} from '../../src/core/agreements/agreement.ts';
import { circleTerms, openTerms, type Terms } from '../../src/core/agreements/terms.ts';
import type { PackContents } from '../../src/core/packing/directory.ts';
import { ShardSealer } from '../../src/core/sealing/block.ts';
import { deriveKeys, type OwnerKeys } from '../../src/core/sealing/keys.ts';
import { ShardNamer } from '../../src/core/sealing/shard-name.ts';
import { idOf, type PackId, type ShardName, type StripeId } from '../../src/core/vocabulary/ids.ts';
import { payloadBytes } from '../../src/core/vocabulary/limits.ts';
import { suiteAesGcm } from '../../src/core/vocabulary/suite.ts';
import { appendHolderEntry } from '../../src/engine/holding/held-ledger.ts';
import type { AgreementRow } from '../../src/ports/stores.ts';
import { sha256 } from '../../src/primitives/hash.ts';

export const cadences = ['circle', 'open', 'newcomer'] as const;
/** `newcomer`: strangers in their first 21 days. */
export type CadenceName = (typeof cadences)[number];

export interface AuditLoad {
  readonly cadence: CadenceName;
  readonly shards: number;
  readonly blocksPerShard: number;
}

export const owner: OwnerKeys = deriveKeys(new Uint8Array(32).fill(1));
export const holder: OwnerKeys = deriveKeys(new Uint8Array(32).fill(2));

const namer = new ShardNamer(owner.shardNameKey, holder.peerId);
/** Entries of a ledger that are written together. */
const sliceShards = 500;
const tebi = 1_024 * gibi;

function stripeOf(number: number): StripeId {
  return idOf<StripeId>(sha256(bigEndian(number, 8)));
}

export function nameOf(number: number): ShardName {
  return namer.nameOf(stripeOf(number), 0);
}

/** The shard as the owner would send it. */
export function sealedShard(
  number: number,
  blockCount: number,
): { readonly bytes: Bytes; readonly merkleRoot: Bytes } {
  const place = { suite: suiteAesGcm, owner: owner.peerId, partner: holder.peerId, index: 0 };
  const sealer = new ShardSealer(owner.sealKey, { ...place, stripeId: stripeOf(number) });
  return sealer.sealShard(new Uint8Array(blockCount * payloadBytes).fill(number & 0xff));
}

export function termsOf(cadence: CadenceName): Terms {
  const lending = { firstLendsBytes: tebi, secondLendsBytes: tebi };
  return cadence === 'circle' ? circleTerms(lending) : openTerms(lending);
}

export function cataloguePath(folder: string, side: 'owner' | 'holder'): string {
  return join(folder, side, 'catalog.db');
}

export function openedCatalogue(path: string): Catalogue {
  const opened = openCatalogue(path);
  if (!opened.ok) throw new Error(opened.error.detail);
  return opened.value;
}

/** Makes both homes below `folder`; `roots` are those of the shards, in order. */
export function makePair(folder: string, load: AuditLoad, roots: readonly Bytes[]): void {
  const [owned, held] = (['owner', 'holder'] as const).map((side) => {
    mkdirSync(join(folder, side), { recursive: true });
    return openedCatalogue(cataloguePath(folder, side));
  });
  const stores = { owner: present(owned, 'a catalogue'), holder: present(held, 'a catalogue') };
  const since = instant(Date.now() - (load.cadence === 'newcomer' ? 0 : 60 * dayMs));
  const { agreement } = agree(stores, since, termsOf(load.cadence));
  const clock = { now: () => since, sleep: async () => undefined };
  const hand = { identitySeed: holder.identitySeed, stores: stores.holder, clock };
  for (let first = 0; first < roots.length; first += sliceShards) {
    const slice = roots.slice(first, first + sliceShards);
    stores.owner.transact(() =>
      stores.holder.transact(() => {
        slice.forEach((merkleRoot, place) => {
          const number = first + place;
          const subject = { name: nameOf(number), blockCount: load.blocksPerShard, merkleRoot };
          const entry = appendHolderEntry(hand, agreement, { action: 'put', ...subject });
          stores.owner.ledger.append({ ...entry, side: 'owner' });
          const { epoch, sequence } = entry;
          stores.holder.held.put({
            ...{ owner: owner.peerId, ...subject, sha256: merkleRoot },
            ...{ epoch, sequence, trashedAt: undefined },
          });
          catalogue(stores.owner, number, since);
        });
      }),
    );
  }
  stores.owner.close();
  stores.holder.close();
}

function agree(
  stores: { readonly owner: Catalogue; readonly holder: Catalogue },
  since: Instant,
  terms: Terms,
): AgreementRow {
  const parties = { first: holder.peerId, second: owner.peerId };
  const body = encodeAgreement({ ...parties, start: since, terms });
  const half = signAgreement({ body, signatures: {} }, 'second', owner.identitySeed);
  const row: AgreementRow = {
    ...{ agreement: agreementIdOf(body), partner: holder.peerId, phase: 'standing', paused: false },
    document: encodeSignedAgreement(signAgreement(half, 'first', holder.identitySeed)),
    ...{ lifecycle: undefined, partnerName: '', addresses: [], since, lastSeenAt: undefined },
  };
  stores.owner.agreements.put(row);
  stores.holder.agreements.put({ ...row, partner: owner.peerId });
  return row;
}

const noContents: PackContents = {
  frames: [],
  chunkIds: new Uint8Array(0),
  chunkFrames: new Uint32Array(0),
  chunkOffsets: new Uint32Array(0),
  chunkLengths: new Uint32Array(0),
};

function catalogue(stores: Catalogue, number: number, storedAt: Instant): void {
  const pack = idOf<PackId>(sha256(bigEndian(number, 8), Uint8Array.of(1)));
  const code = { id: 'reed-solomon', dataShards: 4, parityShards: 4 } as const;
  const stripe = stripeOf(number);
  const row = {
    pack,
    kind: 'data',
    suite: suiteAesGcm,
    salt: sha256(bigEndian(number, 8)),
  } as const;
  stores.packs.add(
    { ...row, lengthBytes: 1, storedAt, indexed: true, spooled: false, code, stripe },
    noContents,
  );
  stores.shards.put({ pack, index: 0, partner: holder.peerId, phase: 'held' });
}
