/**
 * The way to a peer: its addresses first, and beside them, after a head start or once they have failed, whatever other carrier there is.
 *
 * The first connection wins. Addresses have the head start because a connection to one costs no third party and a tenth of the work.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import type { PeerAddress, Silence } from '../../ports/transport.ts';
import type { Carrier } from './carrier.ts';
import { type DialOptions, dialPeer, type OpenConnection, openSession } from './dial.ts';
import { breakSession } from './stream-end.ts';

type Dialled = Outcome<OpenConnection, Silence>;

export interface ChoiceOptions extends DialOptions {
  readonly carrier: Carrier | undefined;
}

/** Exactly one session, or why there is none. */
export async function reachPeer(to: PeerAddress, options: ChoiceOptions): Promise<Dialled> {
  const { carrier, signal, limits } = options;
  if (carrier === undefined) return await dialPeer(to, options);
  carrier.hearOf(to.addresses);
  const ways = new AbortController();
  const either = AbortSignal.any([signal, ways.signal]);
  const direct = dialPeer(to, { ...options, signal: either });
  const first = await Promise.race([direct, headStart(limits.carrierStaggerMs)]);
  if (first?.ok === true || signal.aborted) return await direct;
  const timeout = AbortSignal.timeout(Math.max(options.timeoutMs, limits.carrierMs));
  const carried = dialCarrier(to.peer, carrier, {
    ...options,
    signal: AbortSignal.any([either, timeout]),
  });
  const chosen = await firstOpen(direct, carried);
  ways.abort();
  return chosen;
}

async function headStart(waitMs: number): Promise<undefined> {
  await sleep(waitMs, undefined, { ref: false });
}

async function dialCarrier(
  peer: PeerId,
  carrier: Carrier,
  { limits, signal }: DialOptions,
): Promise<Dialled> {
  const dialled = await carrier.dial(peer, signal);
  if (!dialled.ok) return dialled;
  const connection = dialled.value;
  const opened = await openSession(connection.duplex, {
    url: 'http://peer',
    limits,
    route: () => connection.route,
    signal,
  });
  if (!opened.ok) connection.duplex.destroy();
  return opened;
}

/** The loser is ended when it comes after all. Of two failures, that of the addresses tells more when somebody else answered there. */
async function firstOpen(direct: Promise<Dialled>, carried: Promise<Dialled>): Promise<Dialled> {
  let winner: OpenConnection | undefined;
  const settle = async (way: Promise<Dialled>): Promise<OpenConnection> => {
    const dialled = await way;
    if (!dialled.ok) throw new Error(dialled.error.detail);
    if (winner === undefined) winner = dialled.value;
    else breakSession(dialled.value, 'not needed');
    return winner;
  };
  try {
    return succeeded(await Promise.any([settle(direct), settle(carried)]));
  } catch {
    const [one, other] = await Promise.all([direct, carried]);
    if (one.ok || other.ok) return one.ok ? one : other;
    if (one.error.code === 'peer.wrong-identity') return one;
    const detail = `${one.error.detail}; ${other.error.detail}`;
    return failed({ code: 'peer.unreachable', detail });
  }
}
