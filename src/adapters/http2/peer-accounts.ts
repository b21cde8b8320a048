/**
 * What each peer is using of this computer, over all its connections.
 *
 * An account outlives its connections until its rate has recovered, or a peer would get a fresh burst by connecting again. Identities cost
 * nothing to make, so the number of accounts is bounded too.
 */
import { assert } from '../../base/assert.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import type { PeerStanding } from '../../ports/transport.ts';
import type { StandingLimits, TransportLimits } from './limits.ts';
import { type Release, ReplyBudget } from './reply-budget.ts';
import { TokenBucket } from './token-bucket.ts';

const accountMaximum = 4_096;

export interface PeerAccount {
  readonly peer: PeerId;
  standing: PeerStanding;
  bucket: TokenBucket;
  connectionCount: number;
  uploadCount: number;
  readonly replies: ReplyBudget;
}

/** The body of a reply that is to be sent. */
export interface ReplyNeed {
  /** That are in memory while it is sent. */
  readonly bytes: number;
  /** It is not made yet, so it can wait. */
  readonly isStreamed: boolean;
  /** Takes what is to be called when nobody waits for it any more. */
  readonly onLeave: (leave: () => void) => void;
}

/** `peer`: it leaves too much untaken. `strangers`: they do, all together. */
export type ReplyRoom =
  | { readonly type: 'given'; readonly release: Release }
  | { readonly type: 'none'; readonly usedBy: 'peer' | 'strangers' };

const unlimited: Release = () => undefined;

export class PeerAccounts {
  readonly #limits: TransportLimits;
  readonly #accounts = new Map<PeerId, PeerAccount>();
  #strangerConnectionCount = 0;
  readonly #strangerReplies: ReplyBudget;

  constructor(limits: TransportLimits) {
    this.#limits = limits;
    this.#strangerReplies = new ReplyBudget(limits.strangerReplyBytes);
  }

  limitsOf(account: PeerAccount): StandingLimits {
    return this.#limits[account.standing];
  }

  /** The account to which one more connection is now charged, or undefined when that is one too many. */
  connect(peer: PeerId, standing: PeerStanding): PeerAccount | undefined {
    const account = this.#accounts.get(peer) ?? this.#open(peer, standing);
    if (account === undefined) return undefined;
    this.update(account, standing);
    if (account.connectionCount >= this.limitsOf(account).connectionsPerPeer) return undefined;
    if (standing === 'stranger') {
      if (this.#strangerConnectionCount >= this.#limits.strangerConnections) return undefined;
      this.#strangerConnectionCount += 1;
    }
    account.connectionCount += 1;
    return account;
  }

  disconnect(account: PeerAccount): void {
    assert(account.connectionCount > 0, 'a connection ends once');
    account.connectionCount -= 1;
    if (account.standing === 'stranger') this.#strangerConnectionCount -= 1;
  }

  /** Room for a reply, now or when it is its turn. */
  async roomFor(account: PeerAccount, need: ReplyNeed): Promise<ReplyRoom> {
    const { bytes, isStreamed, onLeave } = need;
    if (bytes <= this.#limits.freeReplyBytes) return { type: 'given', release: unlimited };
    const own = isStreamed
      ? await account.replies.takeInTurn(bytes, onLeave)
      : account.replies.take(bytes);
    if (own === undefined) return { type: 'none', usedBy: 'peer' };
    if (account.standing !== 'stranger') return { type: 'given', release: own };
    const shared = this.#strangerReplies.take(bytes);
    if (shared === undefined) {
      own();
      return { type: 'none', usedBy: 'strangers' };
    }
    const release = (): void => {
      shared();
      own();
    };
    return { type: 'given', release };
  }

  /** Whether the standing changed; its rate starts anew then. */
  update(account: PeerAccount, standing: PeerStanding): boolean {
    if (account.standing === standing) return false;
    const change = standing === 'stranger' ? account.connectionCount : -account.connectionCount;
    this.#strangerConnectionCount += change;
    account.standing = standing;
    account.bucket = this.#bucket(standing);
    account.replies.limitTo(this.limitsOf(account).replyBytes);
    return true;
  }

  #open(peer: PeerId, standing: PeerStanding): PeerAccount | undefined {
    if (this.#accounts.size >= accountMaximum) this.#prune();
    if (this.#accounts.size >= accountMaximum) return undefined;
    const bucket = this.#bucket(standing);
    const replies = new ReplyBudget(this.#limits[standing].replyBytes);
    const account = { peer, standing, bucket, connectionCount: 0, uploadCount: 0, replies };
    this.#accounts.set(peer, account);
    return account;
  }

  #prune(): void {
    const nowMs = performance.now();
    for (const [peer, account] of this.#accounts) {
      if (account.connectionCount === 0 && account.bucket.isFull(nowMs))
        this.#accounts.delete(peer);
    }
  }

  #bucket(standing: PeerStanding): TokenBucket {
    const { requestBurst, requestsPerSecond } = this.#limits[standing];
    return new TokenBucket(requestBurst, requestsPerSecond, performance.now());
  }
}
