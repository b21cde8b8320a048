/**
 * Shards that stayed here through a new life, or through the end of an agreement, are signed for again (docs/protocol.md#ledger).
 *
 * Audits draw from what the present ledger says. A ledger that begins anew says nothing of what lay here before, so nobody could be asked for it until its owner sent it again.
 * When an owner audits, whatever is here and not in the present ledger is therefore acknowledged there, with the same root; what is not on the disk in its full
 * length is not, for the self-scrub to find out about.
 */
import { acknowledgedName } from '../../core/agreements/acknowledgement.ts';
import type { AgreementId, ShardName } from '../../core/vocabulary/ids.ts';
import { blockBytes } from '../../core/vocabulary/limits.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { AgreementRow, HeldRow } from '../../ports/stores.ts';
import {
  appendHolderEntry,
  holderHead,
  type LedgerHand,
  presentEntry,
} from '../holding/held-ledger.ts';
import { blobName } from '../holding/shard-intake.ts';

interface KeptShardsParts extends LedgerHand {
  readonly held: BlobStore;
  readonly log: EventLog;
}

/** Looked at and signed for in one step, so that the event loop is not held up for long. */
const sliceShards = 100;

export class KeptShards {
  readonly #parts: KeptShardsParts;
  /** The life in which those of an agreement were looked through; what comes later is signed for when it comes. */
  readonly #done = new Map<AgreementId, number>();

  constructor(parts: KeptShardsParts) {
    this.#parts = parts;
  }

  async acknowledge(agreement: AgreementRow): Promise<void> {
    const { stores, clock, log } = this.#parts;
    const { epoch } = holderHead(stores, agreement.agreement);
    if (this.#done.get(agreement.agreement) === epoch) return;
    let count = 0;
    let last: ShardName | undefined;
    for (;;) {
      const page = stores.held.page(agreement.partner, last, sliceShards);
      last = page.at(-1)?.name;
      if (last === undefined) break;
      count += await this.#sign(agreement, page);
      await clock.sleep(0);
    }
    this.#done.set(agreement.agreement, epoch);
    if (count > 0)
      log.write('info', 'held.signed-again', { owner: agreement.partner, shards: count });
  }

  async #sign(agreement: AgreementRow, page: readonly HeldRow[]): Promise<number> {
    const { stores, held } = this.#parts;
    const there: HeldRow[] = [];
    for (const row of page.filter((one) => !this.#isSigned(agreement, one)))
      if ((await held.size(blobName(agreement, row.name))) === row.blockCount * blockBytes)
        there.push(row);
    if (there.length === 0) return 0;
    return stores.transact(() => {
      // What its owner deleted or sent again meanwhile is signed for already.
      const left = there
        .map(({ owner, name }) => stores.held.get(owner, name))
        .filter((row) => row !== undefined)
        .filter((row) => row.trashedAt === undefined && !this.#isSigned(agreement, row));
      for (const row of left) {
        const { name, blockCount, merkleRoot } = row;
        const subject = { action: 'put', name, blockCount, merkleRoot } as const;
        const { epoch, sequence } = appendHolderEntry(this.#parts, agreement.agreement, subject);
        stores.held.put({ ...row, epoch, sequence });
      }
      return left.length;
    });
  }

  #isSigned({ agreement }: AgreementRow, row: HeldRow): boolean {
    const entry = presentEntry(this.#parts.stores, agreement, row);
    return entry !== undefined && acknowledgedName(entry.document) === row.name;
  }
}
