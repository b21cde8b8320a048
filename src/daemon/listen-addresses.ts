/**
 * Addresses for a command that runs without a daemon: as configured where the ports are free, otherwise any port.
 *
 * Such a command needs to reach others more than to be reached, and must not fail because another home of this computer has the usual port.
 */
import { createServer } from 'node:net';

export function freeAddresses(listen: readonly string[]): Promise<readonly string[]> {
  return Promise.all(listen.map(freeAddress));
}

async function freeAddress(address: string): Promise<string> {
  const match = /^\/(ip4|ip6)\/([^/]+)\/tcp\/(\d+)$/.exec(address);
  const [, kind, host = '', port = '0'] = match ?? [];
  if (match === null || port === '0' || (await canListen(host, Number(port)))) return address;
  return `/${kind}/${host}/tcp/0`;
}

function canListen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    // An IPv6 address must not claim the IPv4 port of the same number beside it.
    probe.listen({ host, port, exclusive: true, ipv6Only: true }, () =>
      probe.close(() => resolve(true)),
    );
  });
}
