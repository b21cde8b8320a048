/** A router that was found, by whichever protocol it is spoken to, and what may be believed of its answers. */
import { BlockList, isIPv4 } from 'node:net';
import { isLocalAddress } from '../http2/address-scope.ts';

export type Protocol = 'tcp' | 'udp';

export interface PortWish {
  /** Of this computer. */
  readonly port: number;
  readonly externalPort: number;
  readonly protocol: Protocol;
}

/** Every call rejects when the router is silent, refuses, or answers what makes no sense. */
export interface Router {
  /** Its address outside, as it says. */
  externalHost(signal: AbortSignal): Promise<string>;
  /** Gives the port outside, which may be another than was wished for. Asked again it renews. */
  map(wish: PortWish, signal: AbortSignal): Promise<number>;
  unmap(mapped: PortWish, signal: AbortSignal): Promise<void>;
}

/** The port outside is somebody else's; another one may be free. */
export class PortTaken extends Error {}

/** How long a router keeps a mapping that is not renewed. */
export const leaseSeconds = 3_600;

/** This network (RFC 1122), what carriers share (RFC 6598), multicast and what is reserved (RFC 5771, RFC 1112). */
const nowhere: BlockList = new BlockList();
nowhere.addSubnet('0.0.0.0', 8, 'ipv4');
nowhere.addSubnet('100.64.0.0', 10, 'ipv4');
nowhere.addSubnet('224.0.0.0', 3, 'ipv4');

/** Whether others can reach it there: not when it lies, nor when it stands behind another router itself. */
export function isOutside(host: string): boolean {
  return isIPv4(host) && !isLocalAddress(host) && !nowhere.check(host, 'ipv4');
}

export function isPort(value: number): boolean {
  return Number.isInteger(value) && value > 0 && value < 65_536;
}
