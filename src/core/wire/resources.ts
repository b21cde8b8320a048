/**
 * What can be asked of a peer, as paths (docs/protocol.md#resources).
 *
 * A path has exactly one spelling: lower-case digits, no empty or extra parts, no unknown parameters. What is not served is unknown.
 */
import { assertNever } from '../../base/assert.ts';
import type { AgreementId, PeerId, ShardName } from '../vocabulary/ids.ts';
import { parseCount } from './count.ts';

export type Resource =
  /** Who the peer is: GET. */
  | { readonly resource: 'profile' }
  /** Redeeming an invite, queries and offers: POST. */
  | { readonly resource: 'negotiation' }
  /** One shard of the asker's: PUT, HEAD, GET, DELETE. */
  | { readonly resource: 'shard'; readonly name: ShardName }
  /** The asker's shards, those after a name: GET. */
  | { readonly resource: 'inventory'; readonly after: ShardName | undefined }
  /** Entries of the ledger that the peer signs, those of an epoch after a sequence: GET. */
  | {
      readonly resource: 'ledger';
      readonly agreement: AgreementId;
      readonly epoch: number;
      readonly after: number;
    }
  /** A receipt of the track record, to be countersigned: POST. */
  | { readonly resource: 'records' }
  /** How a peer has behaved with the one that is asked: GET. */
  | { readonly resource: 'record'; readonly about: PeerId }
  /** Something a partner wants known: POST. */
  | { readonly resource: 'notices' }
  /** Proof that shards are held: POST. */
  | { readonly resource: 'audits' }
  /** The newest manifest of an owner: PUT, GET. */
  | { readonly resource: 'manifest'; readonly owner: PeerId };

export function pathOf(resource: Resource): string {
  switch (resource.resource) {
    case 'profile':
    case 'negotiation':
    case 'records':
    case 'notices':
    case 'audits':
      return `/v1/${resource.resource}`;
    case 'record':
      return `/v1/records/${resource.about}`;
    case 'shard':
      return `/v1/shards/${resource.name}`;
    case 'inventory':
      return resource.after === undefined ? '/v1/shards' : `/v1/shards?after=${resource.after}`;
    case 'ledger':
      return `/v1/ledgers/${resource.agreement}/${resource.epoch}?after=${resource.after}`;
    case 'manifest':
      return `/v1/manifests/${resource.owner}`;
    default:
      return assertNever(resource);
  }
}

const pathForm =
  /^\/v1\/(?<kind>[a-z]{1,16})(?:\/(?<id>[0-9a-f]{1,64})(?:\/(?<epoch>[0-9]{1,16}))?)?(?:\?after=(?<after>[0-9a-f]{1,32}))?$/;
const idLength = 64;
const shardNameLength = 32;

/** What the path names, or undefined. */
export function parsePath(path: string): Resource | undefined {
  const parts = pathForm.exec(path)?.groups;
  if (parts === undefined) return undefined;
  const { kind, id, epoch, after } = parts;
  const hasId = id !== undefined && id.length === idLength;
  if (kind === 'ledgers') return hasId ? ledgerResource(id, epoch, after) : undefined;
  if (epoch !== undefined) return undefined;
  switch (kind) {
    case 'profile':
    case 'negotiation':
    case 'notices':
    case 'audits':
      return id === undefined && after === undefined ? { resource: kind } : undefined;
    case 'shards':
      return shardsResource(id, after);
    case 'records':
      if (after !== undefined) return undefined;
      if (id === undefined) return { resource: 'records' };
      return hasId ? { resource: 'record', about: id as PeerId } : undefined;
    case 'manifests':
      if (!hasId || after !== undefined) return undefined;
      return { resource: 'manifest', owner: id as PeerId };
    default:
      return undefined;
  }
}

function ledgerResource(
  id: string,
  epochText: string | undefined,
  afterText: string | undefined,
): Resource | undefined {
  const [epoch, after] = [parseCount(epochText), parseCount(afterText)];
  if (epoch === undefined || after === undefined) return undefined;
  return { resource: 'ledger', agreement: id as AgreementId, epoch, after };
}

function shardsResource(id: string | undefined, after: string | undefined): Resource | undefined {
  if (after !== undefined && after.length !== shardNameLength) return undefined;
  if (id === undefined) return { resource: 'inventory', after: after as ShardName | undefined };
  if (id.length !== shardNameLength || after !== undefined) return undefined;
  return { resource: 'shard', name: id as ShardName };
}
