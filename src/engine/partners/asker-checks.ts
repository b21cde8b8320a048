/**
 * Before a stranger's offer is answered, those that it names are asked how it behaved with them (C27), as it is done for those that are sought out. A bounded
 * number of such inquiries is under way at once: whoever comes while they are is told to come again.
 */
import type { CheckedRecord } from '../../core/partners/criteria.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import type { Reference } from '../../core/wire/reference.ts';
import type { CandidateBook } from './candidate-book.ts';
import type { CandidateJudging } from './candidate-judging.ts';

export interface AskerChecksParts {
  readonly candidates: CandidateBook;
  readonly judging: CandidateJudging;
  readonly checkReferences: (
    peer: PeerId,
    references: readonly Reference[],
    signal: AbortSignal,
  ) => Promise<CheckedRecord>;
}

const checkedAtOnce = 4;

export class AskerChecks {
  readonly #parts: AskerChecksParts;
  readonly #underway = new Map<PeerId, Promise<void>>();
  /** An inquiry has its own limit of time. */
  readonly #unlimited = new AbortController();

  constructor(parts: AskerChecksParts) {
    this.#parts = parts;
  }

  /** Finds out what can be found out; false when too many inquiries are under way. */
  async check(peer: PeerId): Promise<boolean> {
    const { candidates, judging } = this.#parts;
    const references = candidates.profileOf(peer)?.references ?? [];
    if (references.length === 0 || judging.isChecked(peer)) return true;
    let inquiry = this.#underway.get(peer);
    if (inquiry === undefined) {
      if (this.#underway.size >= checkedAtOnce) return false;
      inquiry = this.#inquire(peer, references).finally(() => this.#underway.delete(peer));
      this.#underway.set(peer, inquiry);
    }
    await inquiry;
    return true;
  }

  async #inquire(peer: PeerId, references: readonly Reference[]): Promise<void> {
    const { judging, checkReferences } = this.#parts;
    judging.checked(peer, await checkReferences(peer, references, this.#unlimited.signal));
  }
}
