/** Values of options that need reading: sizes, rates, days, addresses, lists. */
import { InvalidArgumentError } from '@commander-js/extra-typings';
import { dayMs } from '../base/units.ts';
import { parseRate, parseSize } from './quantities.ts';

const daysMaximum = 366;

export function sizeValue(text: string): number {
  const bytes = parseSize(text);
  if (bytes === undefined) throw new InvalidArgumentError('A size such as 50GB or 20GiB.');
  return bytes;
}

export function rateValue(text: string): number {
  const rate = parseRate(text);
  if (rate === undefined) throw new InvalidArgumentError('A rate such as 5MB/s.');
  return rate;
}

/** Milliseconds of a number of days, fractions allowed. */
export function daysValue(text: string): number {
  const days = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(days > 0 && days <= daysMaximum))
    throw new InvalidArgumentError(`A number of days, at most ${daysMaximum}.`);
  return Math.round(days * dayMs);
}

/** A whole number from 1 on. */
export function countValue(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('A whole number, 1 or more.');
  return Number(text);
}

/** For an option that may be given several times. */
export function gathered(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** `HOST:PORT` or `PORT`; an IPv6 address stands in brackets. */
export function hostPortValue(text: string): HostPort {
  const match = /^(?:(\[[0-9a-f:]+\]|[a-z0-9.-]+):)?(\d{1,5})$/i.exec(text);
  const port = Number(match?.[2] ?? Number.NaN);
  if (!(port <= 65_535)) throw new InvalidArgumentError('HOST:PORT, such as 127.0.0.1:4748.');
  return { host: (match?.[1] ?? '127.0.0.1').replace(/^\[|\]$/g, ''), port };
}

const loopbackHosts = /^(localhost|127(\.\d{1,3}){3}|::1)$/i;

export function isLoopback(host: string): boolean {
  return loopbackHosts.test(host);
}

/** `/ip4/…/tcp/PORT`, `/ip6/…`, `/dns/…`, with `/p2p/PEERID` behind it where the peer is known. */
export function addressValue(text: string): string {
  if (!/^\/(ip4|ip6|dns|dns4|dns6)\/[^/\s]+\/tcp\/\d{1,5}(\/p2p\/[0-9a-f]{64})?$/.test(text))
    throw new InvalidArgumentError('An address such as /ip4/192.0.2.7/tcp/4747.');
  return text;
}
