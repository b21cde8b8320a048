/**
 * A small internet of network namespaces: a switch, a host that everybody reaches, and two homes, each behind a router that translates addresses.
 *
 * Routers translate as `nftables` masquerades: keeping the port where they can (a cone, RFC 4787 §4.1), or with a port of its own for every destination
 * (symmetric). Like routers that people have, they drop whatever nobody inside asked for.
 */
import { spawnSync } from 'node:child_process';

export type NatKind = 'cone' | 'symmetric';

export interface NatWorld {
  /** Namespaces, to be entered with `ip netns exec`. */
  readonly meeting: string;
  readonly left: string;
  readonly right: string;
  /** Of the host that everybody reaches. */
  readonly meetingAddress: string;
  remove(): void;
}

const meetingHost = '5.5.0.3';

/** Undefined when it worked, otherwise what was said. */
function said(program: string, words: readonly string[]): string | undefined {
  const { status, stderr, error } = spawnSync(program, words, { encoding: 'utf8' });
  if (error !== undefined) return error.message;
  return status === 0 ? undefined : `${program} ${words.join(' ')}: ${stderr.trim()}`;
}

interface CableEnd {
  readonly namespace: string;
  readonly end: string;
}

class Builder {
  readonly #prefix: string;
  readonly namespaces: string[] = [];
  /** The first thing that went wrong. */
  problem: string | undefined;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  run(program: string, ...words: string[]): void {
    this.problem ??= said(program, words);
  }

  namespace(name: string): string {
    const full = `${this.#prefix}-${name}`;
    this.run('ip', 'netns', 'add', full);
    this.namespaces.push(full);
    this.run('ip', '-n', full, 'link', 'set', 'lo', 'up');
    return full;
  }

  inside(namespace: string, ...words: string[]): void {
    this.run('ip', 'netns', 'exec', namespace, ...words);
  }

  /** Joins two namespaces by a virtual cable. */
  cable(one: CableEnd, other: CableEnd): void {
    const there = ['type', 'veth', 'peer', 'name', other.end, 'netns', other.namespace];
    this.run('ip', '-n', one.namespace, 'link', 'add', one.end, ...there);
    for (const { namespace, end } of [one, other])
      this.run('ip', '-n', namespace, 'link', 'set', end, 'up');
  }

  address(namespace: string, end: string, address: string): void {
    this.run('ip', '-n', namespace, 'addr', 'add', address, 'dev', end);
  }

  router(
    name: string,
    kind: NatKind,
    inside: string,
  ): { readonly router: string; readonly home: string } {
    const router = this.namespace(`${name}-router`);
    const home = this.namespace(name);
    this.cable({ namespace: router, end: 'lan' }, { namespace: home, end: 'lan' });
    this.address(router, 'lan', `${inside}.1/24`);
    this.address(home, 'lan', `${inside}.2/24`);
    this.run('ip', '-n', home, 'route', 'add', 'default', 'via', `${inside}.1`);
    this.inside(router, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward');
    const nft = (...words: string[]): void => this.inside(router, 'nft', ...words);
    nft('add', 'table', 'ip', 'nat');
    nft('add', 'chain', 'ip', 'nat', 'out', '{ type nat hook postrouting priority 100 ; }');
    const ports = kind === 'symmetric' ? ['fully-random'] : [];
    nft('add', 'rule', 'ip', 'nat', 'out', 'oifname', 'wan', 'masquerade', ...ports);
    nft('add', 'chain', 'ip', 'nat', 'in', '{ type filter hook input priority 0 ; }');
    nft('add', 'rule', 'ip', 'nat', 'in', 'iifname', 'wan', 'ct', 'state', 'new', 'drop');
    return { router, home };
  }
}

/** The world, or why there is none on this machine. */
export function makeNatWorld(name: string, left: NatKind, right: NatKind): NatWorld | string {
  const build = new Builder(`cv${process.pid}${name}`);
  const remove = (): void => {
    for (const namespace of build.namespaces) said('ip', ['netns', 'del', namespace]);
  };
  const middle = build.namespace('switch');
  build.run('ip', '-n', middle, 'link', 'add', 'name', 'switch', 'type', 'bridge');
  build.run('ip', '-n', middle, 'link', 'set', 'switch', 'up');
  const join = (namespace: string, end: string, address: string): void => {
    build.cable({ namespace: middle, end }, { namespace, end: 'wan' });
    build.run('ip', '-n', middle, 'link', 'set', end, 'master', 'switch');
    build.address(namespace, 'wan', `${address}/24`);
  };
  const meeting = build.namespace('meeting');
  join(meeting, 'meeting', meetingHost);
  const one = build.router('left', left, '10.1.0');
  join(one.router, 'left', '5.5.0.11');
  const two = build.router('right', right, '10.2.0');
  join(two.router, 'right', '5.5.0.12');
  if (build.problem !== undefined) {
    remove();
    return build.problem;
  }
  return { meeting, left: one.home, right: two.home, meetingAddress: meetingHost, remove };
}
