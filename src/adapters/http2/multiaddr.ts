/**
 * Addresses as text: `/ip4/192.0.2.7/tcp/4747`, `/ip6/2001:db8::7/tcp/4747`, `/dns/example.org/tcp/4747`.
 *
 * The notation is multiaddr's, of which this is the part that TCP needs. Addresses come from invites, manifests and the network, so
 * reading is strict: one spelling, one meaning, nothing ignored.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';

const kinds = ['ip4', 'ip6', 'dns', 'dns4', 'dns6'] as const;
export type HostKind = (typeof kinds)[number];

export interface Multiaddr {
  readonly kind: HostKind;
  readonly host: string;
  /** 0 only where an address to listen at is meant: any free port. */
  readonly port: number;
}

export type MultiaddrFailure = { readonly code: 'address.malformed'; readonly detail: string };

const longestName = 253;
const longestAddress = longestName + 32;
const label = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?$/i;

export function parseMultiaddr(text: string): Outcome<Multiaddr, MultiaddrFailure> {
  if (text.length > longestAddress) return malformed('longer than any address');
  const [before, kindName, host = '', protocol, portDigits = '', ...rest] = text.split('/');
  if (before !== '' || rest.length > 0) return malformed('not of the form /KIND/HOST/tcp/PORT');
  const kind = kinds.find((known) => known === kindName);
  if (kind === undefined) return malformed('a kind of address that is not spoken here');
  if (!isHost(kind, host)) return malformed(`not a host of kind ${kind}`);
  if (protocol !== 'tcp') return malformed('only tcp is spoken here');
  if (!/^(?:0|[1-9][0-9]{0,4})$/.test(portDigits)) return malformed('not a port');
  const port = Number(portDigits);
  if (port > 65_535) return malformed('not a port');
  return succeeded({ kind, host, port });
}

export function formatMultiaddr(address: Multiaddr): string {
  return `/${address.kind}/${address.host}/tcp/${address.port}`;
}

/** One network interface's address, as `os.networkInterfaces()` gives it. */
export interface InterfaceAddress {
  readonly address: string;
  readonly family: string;
  readonly internal: boolean;
}

/**
 * Where others reach a socket bound to `bound`. The unspecified addresses stand for every address of the machine that another machine
 * may use: neither loopback nor link-local.
 */
export function reachableAddresses(
  bound: Multiaddr,
  interfaces: readonly InterfaceAddress[],
): readonly string[] {
  if (bound.host !== '0.0.0.0' && bound.host !== '::') return [formatMultiaddr(bound)];
  const family = bound.kind === 'ip4' ? 'IPv4' : 'IPv6';
  return interfaces
    .filter((one) => one.family === family && !one.internal && !isLinkLocal(one.address))
    .map((one) => formatMultiaddr({ ...bound, host: one.address }));
}

function isHost(kind: HostKind, host: string): boolean {
  if (kind === 'ip4') return isIPv4(host);
  if (kind === 'ip6') return isIPv6(host) && !host.includes('%');
  if (host.length === 0 || host.length > longestName) return false;
  return host.split('.').every((part) => label.test(part));
}

function isLinkLocal(address: string): boolean {
  return address.startsWith('169.254.') || /^fe[89ab]/i.test(address);
}

function malformed(detail: string): Outcome<Multiaddr, MultiaddrFailure> {
  return failed({ code: 'address.malformed', detail });
}
