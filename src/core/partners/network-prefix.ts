/**
 * The network that an address belongs to, as coarse as households and small providers are told apart by: /24 of IPv4, /48 of IPv6.
 *
 * Addresses that say nothing of where a computer stands (loopback, private, link-local, shared by a provider) have none.
 */

/** `192.0.2.0/24` or `2001:db8:1::/48`, of a bare address or one of the form `/ip4/192.0.2.7/tcp/4747`; undefined when it says nothing. */
export function networkPrefixOf(address: string): string | undefined {
  const bare = /^\/ip[46]\/(?<ip>[^/]+)/.exec(address)?.groups?.['ip'] ?? address;
  const mapped = /^::ffff:(?<ip>[0-9.]+)$/i.exec(bare)?.groups?.['ip'];
  return prefixOfFour(mapped ?? bare) ?? prefixOfSix(bare);
}

function prefixOfFour(text: string): string | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  if (parts === undefined || parts.some((part) => part > 255)) return undefined;
  const [first = 0, second = 0, third = 0] = parts;
  return isPublicFour(first, second) ? `${first}.${second}.${third}.0/24` : undefined;
}

/** RFC 6890: not this network, private, shared (RFC 6598), loopback, link-local, multicast or reserved. */
function isPublicFour(first: number, second: number): boolean {
  if (first === 0 || first === 10 || first === 127 || first >= 224) return false;
  if (first === 100 && second >= 64 && second < 128) return false;
  if (first === 169 && second === 254) return false;
  if (first === 172 && second >= 16 && second < 32) return false;
  return !(first === 192 && second === 168);
}

function prefixOfSix(text: string): string | undefined {
  const groups = groupsOfSix(text.toLowerCase());
  if (groups === undefined) return undefined;
  const [first = 0] = groups;
  // Only 2000::/3 is routed in public.
  if (first < 0x2000 || first > 0x3fff) return undefined;
  const network = groups.slice(0, 3).map((group) => group.toString(16));
  return `${network.join(':')}::/48`;
}

const groupCount = 8;

function groupsOfSix(text: string): readonly number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head = [], tail = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const written = head.length + tail.length;
  if (halves.length === 1 ? written !== groupCount : written >= groupCount) return undefined;
  const groups = [...head, ...Array(groupCount - written).fill('0'), ...tail];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/.test(group))) return undefined;
  return groups.map((group) => Number.parseInt(group, 16));
}
