/**
 * What must hold between an owner and its partners whenever nobody is in the middle of a step (docs/format.md, DESIGN §5 "order of writes"), read from what
 * lies durably on every disk. Each check gives what is wrong, in words; nothing when all is well.
 */

import { present } from '../base/assert.ts';
import { type Bytes, equalBytes } from '../base/bytes.ts';
import type { LedgerPlace } from '../core/agreements/acknowledgement.ts';
import { readEntry } from '../core/agreements/acknowledgement.ts';
import {
  bytesLentTo,
  decodeAgreement,
  decodeSignedAgreement,
} from '../core/agreements/agreement.ts';
import { isInForce } from '../core/partners/lifecycle-phase.ts';
import { ShardSealer } from '../core/sealing/block.ts';
import { ShardNamer } from '../core/sealing/shard-name.ts';
import { type AgreementId, bytesOf, type ShardName } from '../core/vocabulary/ids.ts';
import { blockBytes } from '../core/vocabulary/limits.ts';
import { parseSuite } from '../core/vocabulary/suite.ts';
import type { AgreementRow, LedgerSide, ShardRow, Stores } from '../ports/stores.ts';
import { sha256 } from '../primitives/hash.ts';
import { MerkleBuilder } from '../primitives/merkle.ts';
import type { SimPeer } from './sim-peer.ts';
import { twinStores } from './twin-stores.ts';

const noEntry: LedgerPlace = { epoch: 0, sequence: 0 };

/** Everything that must hold of an owner and those it has agreements with. */
export function violations(owner: SimPeer, partners: readonly SimPeer[]): readonly string[] {
  return [
    ...packsLost(owner),
    ...partners.flatMap((partner) => [
      ...shardsNotKept(owner, partner),
      ...ledgersApart(owner, partner),
      ...quotaBroken(owner, partner),
    ]),
  ];
}

/** Every pack of the catalogue lies whole in the spool, or has enough shards that were acknowledged. */
export function packsLost(owner: SimPeer): readonly string[] {
  const stores = durable(owner);
  return stores.packs.all().flatMap((row) => {
    const blob = owner.home.spool.whole(row.pack);
    const here = row.spooled && blob !== undefined && equalBytes(sha256(blob), bytesOf(row.pack));
    if (row.spooled && !here) return [`${owner.name}: pack ${row.pack} is not in the spool`];
    const held = stores.shards.ofPack(row.pack).filter(({ phase }) => phase === 'held').length;
    const out = row.code !== undefined && held >= row.code.dataShards;
    return here || out ? [] : [`${owner.name}: pack ${row.pack} is nowhere`];
  });
}

/** What the owner counts as held is whole at the partner, as its acknowledgement says, is not on its way out, and is the shard that it is called. */
export function shardsNotKept(owner: SimPeer, partner: SimPeer): readonly string[] {
  const stores = durable(owner);
  const there = durable(partner);
  const roots = acknowledgedRoots(owner, partner);
  const namer = new ShardNamer(owner.keys.shardNameKey, partner.keys.peerId);
  return stores.shards.ofPartner(partner.keys.peerId).flatMap((shard) => {
    if (shard.phase !== 'held') return [];
    const where = `${partner.name}: shard ${shard.index} of ${shard.pack}`;
    const name = nameOf(stores, namer, shard);
    if (name === undefined) return [`${where} has no stripe`];
    const row = there.held.get(owner.keys.peerId, name);
    const blob = partner.home.held.whole(`${owner.keys.peerId}/${name}`);
    if (row === undefined || blob === undefined) return [`${where} is gone`];
    if (row.trashedAt !== undefined) return [`${where} is in the trash`];
    const root = merkleRootOf(blob);
    if (!equalBytes(root, row.merkleRoot)) return [`${where} is not what it was`];
    if (!opens(owner, partner, { shard, blob })) return [`${where} is another shard`];
    const acknowledged = roots.get(name);
    if (acknowledged === undefined) return [`${where} was never acknowledged`];
    return equalBytes(root, acknowledged) ? [] : [`${where} is not what was acknowledged`];
  });
}

/** Its first block is of the stripe that its pack lies in now. */
function opens(
  owner: SimPeer,
  partner: SimPeer,
  { shard, blob }: { readonly shard: ShardRow; readonly blob: Bytes },
): boolean {
  const row = present(durable(owner).packs.get(shard.pack), 'the pack of a shard');
  const sealer = new ShardSealer(owner.keys.sealKey, {
    suite: present(parseSuite(row.suite), 'a suite of ours'),
    stripeId: present(row.stripe, 'the stripe of a shard'),
    owner: owner.keys.peerId,
    partner: partner.keys.peerId,
    index: shard.index,
  });
  return sealer.openBlock(0, blob.subarray(0, blockBytes)).ok;
}

/** The owner's copy of the partner's ledger is the beginning of it, entry by entry; nothing binds a partner to what it signed before it lost all. */
export function ledgersApart(owner: SimPeer, partner: SimPeer): readonly string[] {
  return agreementsWith(owner, partner).flatMap(({ agreement }) => {
    const there = durable(partner);
    const epoch = there.ledger.head(agreement, 'holder')?.epoch ?? 0;
    const ours = ledgerOf(durable(owner), { agreement, side: 'owner', epoch });
    const theirs = ledgerOf(there, { agreement, side: 'holder', epoch });
    const apart = ours.some((hash, index) => {
      const other = theirs[index];
      return other === undefined || !equalBytes(hash, other);
    });
    return apart ? [`${owner.name} and ${partner.name}: ledgers are apart`] : [];
  });
}

/** A partner holds no more than it lends. */
export function quotaBroken(owner: SimPeer, partner: SimPeer): readonly string[] {
  const there = durable(partner);
  const taken = there.held.blockCount(owner.keys.peerId) * blockBytes;
  const lent = agreementsWith(partner, owner)
    .map(lentBytes)
    .reduce((sum, bytes) => sum + bytes, 0);
  return taken <= lent ? [] : [`${partner.name} holds ${taken} of ${lent} bytes`];
}

/** What the peer would find after a crash at this moment. */
export function durable(peer: SimPeer): Stores {
  return twinStores(peer.home.image());
}

function agreementsWith(peer: SimPeer, other: SimPeer): readonly AgreementRow[] {
  const rows = durable(peer).agreements.all();
  return rows.filter((row) => row.partner === other.keys.peerId && isInForce(row.phase));
}

function lentBytes(row: AgreementRow): number {
  const signed = decodeSignedAgreement(row.document);
  const agreement = signed.ok ? decodeAgreement(signed.value.body) : signed;
  return agreement.ok ? bytesLentTo(agreement.value, row.partner) : 0;
}

function nameOf(stores: Stores, namer: ShardNamer, shard: ShardRow): ShardName | undefined {
  const stripe = stores.packs.get(shard.pack)?.stripe;
  return stripe === undefined ? undefined : namer.nameOf(stripe, shard.index);
}

/** Hashes of the entries of one epoch. */
function ledgerOf(
  { ledger }: Stores,
  of: { readonly agreement: AgreementId; readonly side: LedgerSide; readonly epoch: number },
): readonly Bytes[] {
  const hashes: Bytes[] = [];
  for (let sequence = 1; ; sequence += 1) {
    const row = ledger.get(of.agreement, of.side, { epoch: of.epoch, sequence });
    if (row === undefined) return hashes;
    hashes.push(row.hash);
  }
}

/** Merkle roots that the partner signed for since it last lost everything, by name of shard. */
function acknowledgedRoots(owner: SimPeer, partner: SimPeer): ReadonlyMap<string, Bytes> {
  const stores = durable(owner);
  const holder = partner.keys.peerId;
  const roots = new Map<string, Bytes>();
  for (const { agreement } of agreementsWith(owner, partner)) {
    const { epoch, sequence: last } = stores.ledger.head(agreement, 'owner') ?? noEntry;
    for (let sequence = 1; sequence <= last; sequence += 1) {
      const document = stores.ledger.get(agreement, 'owner', { epoch, sequence })?.document;
      const entry = document && readEntry({ agreement, holder }, document);
      if (entry?.ok !== true) continue;
      roots.set(entry.value.acknowledgement.name, entry.value.acknowledgement.merkleRoot);
    }
  }
  return roots;
}

function merkleRootOf(shard: Bytes): Bytes {
  const merkle = new MerkleBuilder();
  for (let at = 0; at < shard.length; at += blockBytes)
    merkle.addBlock(shard.subarray(at, at + blockBytes));
  return merkle.root();
}
