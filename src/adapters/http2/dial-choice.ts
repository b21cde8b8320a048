/**
 * The way to a peer: its addresses first, and beside them, after a head start or once they have failed, whatever other carrier there is.
 *
 * The first connection wins. Addresses have the head start because a connection to one costs no third party and a tenth of the work.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { firstSuccess } from '../../base/first-success.ts';
import { failed, type Outcome } from '../../base/outcome.ts';
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
  const chosen = await firstSuccess([direct, carried], (late) => breakSession(late, 'not needed'));
  ways.abort();
  return chosen.ok ? chosen : failed(telling(chosen.error));
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

/** Somebody else answering at an address tells more than that nobody was reached. */
function telling(reasons: readonly Silence[]): Silence {
  const other = reasons.find(({ code }) => code === 'peer.wrong-identity');
  const detail = reasons.map((reason) => reason.detail).join('; ');
  return other ?? { code: 'peer.unreachable', detail };
}
