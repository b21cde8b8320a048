/**
 * Whether an address lies on the local network: which route a connection counts as, and whom it costs nothing to send to.
 *
 * Addresses that carriers share among their customers (100.64.0.0/10, RFC 6598) are not local: other households are behind them.
 */
import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Route } from '../../ports/transport.ts';

const local: BlockList = new BlockList();
/** Loopback, private use (RFC 1918), link-local (RFC 3927). */
for (const [network, bits] of [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
] as const)
  local.addSubnet(network, bits, 'ipv4');
/** Loopback, unique local (RFC 4193), link-local (RFC 4291). */
local.addAddress('::1', 'ipv6');
local.addSubnet('fc00::', 7, 'ipv6');
local.addSubnet('fe80::', 10, 'ipv6');

/** `address` as a socket gives it: IPv4, IPv6, IPv4 written as IPv6, perhaps with a zone. What is no address is not local. */
export function isLocalAddress(address: string): boolean {
  const [bare = ''] = address.split('%');
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1] ?? bare;
  if (isIPv4(mapped)) return local.check(mapped, 'ipv4');
  return isIPv6(mapped) && local.check(mapped, 'ipv6');
}

/**
 * Whether a private address lies in one of the networks that this computer is in itself, by its interfaces. Loopback is none: it has no other computers. A private address in
 * any other network is behind some NAT.
 */
export function isOwnNetwork(
  address: string,
  interfaces: ReturnType<typeof networkInterfaces> = networkInterfaces(),
): boolean {
  if (!isLocalAddress(address)) return false;
  const own = new BlockList();
  for (const one of Object.values(interfaces).flatMap((addresses) => addresses ?? [])) {
    const bits = Number(one.cidr?.split('/')[1] ?? Number.NaN);
    if (one.internal || !Number.isInteger(bits) || !isLocalAddress(one.address)) continue;
    own.addSubnet(one.address, bits, one.family === 'IPv6' ? 'ipv6' : 'ipv4');
  }
  const [bare = ''] = address.split('%');
  return own.check(bare, isIPv6(bare) ? 'ipv6' : 'ipv4');
}

/** The route of a connection with no NAT to get through, by the address of its other end. */
export function routeByAddress(remoteAddress: string | undefined): Route {
  return remoteAddress !== undefined && isLocalAddress(remoteAddress) ? 'lan' : 'direct';
}
