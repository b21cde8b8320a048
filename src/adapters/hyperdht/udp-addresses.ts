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
 * The address at which others certainly reach this computer, or undefined: one that a person named, of a port at which it listens, or one of its own that no NAT
 * translates.
 */
export function certainAddress(
  listening: readonly string[],
  named: readonly string[],
): UdpAddress | undefined {
  const own = udpAddresses(listening).filter(isNumeric);
  const given = udpAddresses(named).filter(isNumeric);
  const forwarded = given.find(({ port }) => own.some((one) => one.port === port));
  return forwarded ?? own.find(({ host }) => !isLocalAddress(host) && !isCarrierShared(host));
}

/** 100.64.0.0/10 (RFC 6598): behind the translation of a carrier. */
function isCarrierShared(host: string): boolean {
  const [first, second] = host.split('.').map(Number);
  return first === 100 && second !== undefined && second >= 64 && second < 128;
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
