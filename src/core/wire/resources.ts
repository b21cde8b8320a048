/** What peers ask each other for: the paths of `docs/protocol.md`, parsed once and strictly. */
import { type AgreementId, type PeerId, parsePeerId, type ShardName } from '../vocabulary/ids.ts';

export type Resource =
  | { readonly resource: 'profile' }
  | { readonly resource: 'negotiation' }
  | { readonly resource: 'shard'; readonly name: ShardName }
  /** Names from `after` on, in order; from the first when it is undefined. */
  | { readonly resource: 'inventory'; readonly after: ShardName | undefined }
  /** Entries of the ledger of an agreement after a sequence number. */
  | { readonly resource: 'ledger'; readonly agreement: AgreementId; readonly after: number }
  | { readonly resource: 'manifest'; readonly owner: PeerId };

const root = '/v1';
const nameForm = /^[0-9a-f]{32}$/;
const idForm = /^[0-9a-f]{64}$/;
const numberForm = /^(?:0|[1-9][0-9]{0,14})$/;

export function pathOf(resource: Resource): string {
  switch (resource.resource) {
    case 'profile':
    case 'negotiation':
      return `${root}/${resource.resource}`;
    case 'shard':
      return `${root}/shards/${resource.name}`;
    case 'inventory':
      return resource.after === undefined
        ? `${root}/shards`
        : `${root}/shards?after=${resource.after}`;
    case 'ledger':
      return `${root}/ledgers/${resource.agreement}?after=${resource.after}`;
    case 'manifest':
      return `${root}/manifests/${resource.owner}`;
  }
}

/** The resource at a path, or undefined when there is none of this form. */
export function parsePath(path: string): Resource | undefined {
  const [place = '', query, ...more] = path.split('?');
  if (more.length > 0 || !place.startsWith(`${root}/`)) return undefined;
  const [noun, id, ...rest] = place.slice(root.length + 1).split('/');
  if (rest.length > 0) return undefined;
  const after = query === undefined ? undefined : /^after=([0-9a-f]{1,32})$/.exec(query)?.[1];
  if (query !== undefined && after === undefined) return undefined;
  return resourceOf(noun ?? '', id, after);
}

function resourceOf(
  noun: string,
  id: string | undefined,
  after: string | undefined,
): Resource | undefined {
  if (noun === 'ledgers') return ledgerOf(id, after);
  if (noun === 'shards' && id === undefined) {
    if (after === undefined) return { resource: 'inventory', after };
    return nameForm.test(after) ? { resource: 'inventory', after: after as ShardName } : undefined;
  }
  if (after !== undefined) return undefined;
  if (noun === 'shards' && id !== undefined && nameForm.test(id))
    return { resource: 'shard', name: id as ShardName };
  if (noun === 'manifests' && id !== undefined) {
    const owner = parsePeerId(id);
    return owner === undefined ? undefined : { resource: 'manifest', owner };
  }
  if ((noun === 'profile' || noun === 'negotiation') && id === undefined) return { resource: noun };
  return undefined;
}

function ledgerOf(id: string | undefined, after: string | undefined): Resource | undefined {
  if (id === undefined || !idForm.test(id) || after === undefined || !numberForm.test(after))
    return undefined;
  return { resource: 'ledger', agreement: id as AgreementId, after: Number(after) };
}
