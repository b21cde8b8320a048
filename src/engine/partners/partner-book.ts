/** The partners of this computer, from their agreements: who they are, where they are found, when they were last heard of. */
import { type Instant, minuteMs } from '../../base/units.ts';
import { isInForce, takesShards } from '../../core/partners/lifecycle-phase.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import { type AgreementRow, StorageFull, type Stores } from '../../ports/stores.ts';
import type { PeerAddress, PeerStanding } from '../../ports/transport.ts';

/** Enough for a computer that changes networks. */
const movesPerMinute = 4;

export class PartnerBook {
  readonly #stores: Stores;
  readonly #reachable = new Map<PeerId, boolean>();
  /** When partners moved of late, while that minute lasts. */
  readonly #moves = new Map<PeerId, { readonly since: Instant; readonly count: number }>();

  constructor(stores: Stores) {
    this.#stores = stores;
  }

  /** Agreements in force, paused ones among them. */
  all(): readonly AgreementRow[] {
    return this.#stores.agreements.all().filter(({ phase }) => isInForce(phase));
  }

  /** Those that new shards may go to. */
  open(): readonly AgreementRow[] {
    return this.all().filter((row) => takesShards(row.phase) && !row.paused);
  }

  get(peer: PeerId): AgreementRow | undefined {
    const row = this.#stores.agreements.ofPartner(peer);
    if (row === undefined || isInForce(row.phase)) return row;
    // A newer proposal that nobody signed takes nothing from the agreement before it.
    return this.all().find(({ partner }) => partner === peer);
  }

  /** Whether it reneged on this computer the last time that the two were partners, and no person forgave it. */
  renegedHere(peer: PeerId): boolean {
    // Strangers are asked about most: for them one look suffices.
    if (this.#stores.agreements.ofPartner(peer) === undefined) return false;
    return (
      this.#stores.agreements
        .all()
        .findLast(({ partner, phase }) => partner === peer && phase !== 'proposed')?.phase ===
      'reneged'
    );
  }

  addressOf(peer: PeerId): PeerAddress {
    return { peer, addresses: this.#stores.agreements.ofPartner(peer)?.addresses ?? [] };
  }

  standingOf(peer: PeerId): PeerStanding {
    return this.get(peer) === undefined ? 'stranger' : 'partner';
  }

  /** Strangers are not remembered: there is no end to them. */
  heard(peer: PeerId, now: Instant): void {
    const row = this.get(peer);
    if (row === undefined) return;
    this.#reachable.set(peer, true);
    // Once a minute is enough for people, and spares the disk.
    if (row.lastSeenAt !== undefined && Math.abs(now - row.lastSeenAt) <= minuteMs) return;
    this.#note({ ...row, lastSeenAt: now });
  }

  missed(peer: PeerId): void {
    if (this.get(peer) !== undefined) this.#reachable.set(peer, false);
  }

  /** Whether the last attempt reached the partner; undefined before the first one. */
  reachable(peer: PeerId): boolean | undefined {
    return this.#reachable.get(peer);
  }

  /**
   * The partner told where it can be found now; nothing told changes nothing. One that moves with every request is not followed each time, for every note
   * is a write to the disk.
   */
  moved(peer: PeerId, addresses: readonly string[], now: Instant): void {
    const row = this.#stores.agreements.ofPartner(peer);
    if (row === undefined || addresses.length === 0) return;
    if (addresses.join() === row.addresses.join()) return;
    const before = this.#moves.get(peer);
    const moves =
      before === undefined || Math.abs(now - before.since) > minuteMs
        ? { since: now, count: 1 }
        : { since: before.since, count: before.count + 1 };
    if (moves.count > movesPerMinute) return;
    this.#moves.set(peer, moves);
    this.#note({ ...row, addresses });
  }

  /** What was asked or answered is worth more than the note about it: without room there is none. */
  #note(row: AgreementRow): void {
    try {
      this.#stores.agreements.put(row);
    } catch (reason) {
      if (!(reason instanceof StorageFull)) throw reason;
    }
  }
}
