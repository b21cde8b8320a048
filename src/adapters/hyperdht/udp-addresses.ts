/**
 * Where peers' DHT nodes listen: on the UDP port with the number of the TCP port of their address, so that whoever knows a peer's address knows a way into
 * the private network.
 */

import { isLocalAddress } from '../http2/address-scope.ts';
import { parseMultiaddr } from '../http2/multiaddr.ts';
import type { UdpAddress } from './hyperdht-shapes.ts';

/** The DHT speaks IPv4 only; names are looked up by it. */
export function udpAddresses(addresses: readonly string[]): readonly UdpAddress[] {
  return addresses.flatMap((text) => {
    const address = parseMultiaddr(text);
    if (!address.ok || address.value.port === 0) return [];
    const { kind, host, port } = address.value;
    return kind === 'ip4' || kind === 'dns' || kind === 'dns4' ? [{ host, port }] : [];
  });
}

/**
 * The address at which others certainly reach this computer, of those that it listens at or announces: one that no NAT translates, or undefined.
 * `named` are the addresses that a person gave, which count even where they are of a private network.
 */
export function certainAddress(
  listening: readonly string[],
  named: readonly string[],
): UdpAddress | undefined {
  const own = udpAddresses(listening).filter(isNumeric);
  const given = udpAddresses(named).filter(isNumeric);
  const isNamed = (one: UdpAddress): boolean => given.some((each) => isSame(each, one));
  return given[0] ?? own.find((one) => isNamed(one) || !isLocalAddress(one.host));
}

export function isLoopback({ host }: UdpAddress): boolean {
  return host.startsWith('127.');
}

export function isSame(one: UdpAddress, other: UdpAddress): boolean {
  return one.host === other.host && one.port === other.port;
}

/** Not a name that has to be looked up. */
export function isNumeric({ host }: UdpAddress): boolean {
  return /^[0-9.]+$/.test(host);
}
