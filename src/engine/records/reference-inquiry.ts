/** Asking others how a peer behaved with them (C27): a bounded number at once, each within its time. */
import { linkedAbort } from '../../base/linked-abort.ts';
import type { Outcome } from '../../base/outcome.ts';
import { secondMs } from '../../base/units.ts';
import {
  judgeReferences,
  type ReferenceAnswer,
  type ReferenceVerdict,
} from '../../core/records/reference-check.ts';
import { verifyStatement } from '../../core/records/statement.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import type { Reference } from '../../core/wire/reference.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import type { PeerAddress } from '../../ports/transport.ts';
import type { PartnerClient, PeerFailure } from '../partners/partner-client.ts';

export interface ReferenceInquiryParts {
  readonly self: PeerId;
  readonly clock: Clock;
  readonly random: Random;
  readonly client: Pick<PartnerClient, 'message'>;
}

export interface InquiryOptions {
  /** Peers that the candidate did not name, our own partners for one. */
  readonly witnesses?: readonly PeerAddress[];
  readonly signal: AbortSignal;
}

/** References asked, of those that a candidate names, and witnesses besides. */
const referencesAsked = 8;
const witnessesAsked = 4;
/** One that takes longer says nothing. */
const answerMs: number = 20 * secondMs;

export class ReferenceInquiry {
  readonly #parts: ReferenceInquiryParts;

  constructor(parts: ReferenceInquiryParts) {
    this.#parts = parts;
  }

  /** Which references are asked is left to chance, so that a candidate cannot put its friends first. */
  async check(
    candidate: PeerId,
    references: readonly Reference[],
    { witnesses = [], signal }: InquiryOptions,
  ): Promise<ReferenceVerdict> {
    const claims = this.#drawn(this.#others(candidate, references), referencesAsked);
    const named = new Set(references.map(({ peer }) => peer));
    const further = this.#others(candidate, witnesses).filter(({ peer }) => !named.has(peer));
    const asked = [...claims, ...this.#drawn(further, witnessesAsked)];
    const answers = await Promise.all(asked.map((peer) => this.#ask(peer, candidate, signal)));
    return judgeReferences({ candidate, claims, answers });
  }

  /** Each peer once, the candidate and ourselves left out. */
  #others<T extends PeerAddress>(candidate: PeerId, peers: readonly T[]): readonly T[] {
    const distinct = new Map(peers.map((each) => [each.peer, each]));
    distinct.delete(candidate);
    distinct.delete(this.#parts.self);
    return [...distinct.values()];
  }

  #drawn<T>(from: readonly T[], count: number): readonly T[] {
    const rest = [...from];
    const drawn: T[] = [];
    while (drawn.length < count && rest.length > 0) {
      const [low = 0, high = 0] = this.#parts.random.bytes(2);
      drawn.push(...rest.splice((low * 256 + high) % rest.length, 1));
    }
    return drawn;
  }

  async #ask(
    { peer, addresses }: PeerAddress,
    about: PeerId,
    signal: AbortSignal,
  ): Promise<ReferenceAnswer> {
    const { clock, client } = this.#parts;
    const limited = linkedAbort(signal);
    const ended = new AbortController();
    void clock.sleep(answerMs, ended.signal).then(() => limited.abort());
    try {
      const resource = { resource: 'record', about } as const;
      const answer = await client.message(
        { peer, addresses },
        { method: 'GET', resource },
        limited.signal,
      );
      if (!answer.ok) return { type: isDenial(answer) ? 'denied' : 'silent', peer };
      const statement = verifyStatement(answer.value, { by: peer, about, now: clock.now() });
      return statement.ok
        ? { type: 'statement', peer, statement: statement.value }
        : { type: 'silent', peer };
    } finally {
      limited.release();
      ended.abort();
    }
  }
}

function isDenial(answer: Outcome<unknown, PeerFailure>): boolean {
  return (
    !answer.ok && answer.error.code === 'peer.refused' && answer.error.refusal === 'record.unknown'
  );
}
