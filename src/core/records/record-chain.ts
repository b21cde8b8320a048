/** The receipts of one agreement as a chain (C27): none can be left out, changed or put in a second time without both parties' signatures. */
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import type { AgreementId } from '../vocabulary/ids.ts';
import { neverFalls } from './conduct.ts';
import {
  type RecordFailure,
  receiptHash,
  recordStart,
  type TrackReceipt,
  verifyReceipt,
} from './track-receipt.ts';

/** The end of a chain. */
export interface RecordHead {
  readonly receipt: TrackReceipt;
  /** See `receiptHash`. */
  readonly hash: Bytes;
}

export type ChainFailure =
  | RecordFailure
  | {
      readonly code:
        | 'record.wrong-agreement'
        | 'record.out-of-order'
        | 'record.fork'
        | 'record.falling';
    };

/** Whether `next` can follow: the first of its agreement, or the one right after the head, with the same parties and totals that did not fall. */
export function followsHead(
  next: TrackReceipt,
  head: RecordHead | undefined,
): Outcome<TrackReceipt, ChainFailure> {
  if (head === undefined) return isFirst(next);
  const { receipt, hash } = head;
  if (next.agreement !== receipt.agreement || next.proposer !== receipt.proposer)
    return failed({ code: 'record.wrong-agreement' });
  if (next.countersigner !== receipt.countersigner)
    return failed({ code: 'record.wrong-agreement' });
  if (next.sequence !== receipt.sequence + 1 || next.from !== receipt.until)
    return failed({ code: 'record.out-of-order' });
  if (!equalBytes(next.previousHash, hash)) return failed({ code: 'record.fork' });
  const rises =
    neverFalls(receipt.conductOfProposer, next.conductOfProposer) &&
    neverFalls(receipt.conductOfCountersigner, next.conductOfCountersigner);
  return rises ? succeeded(next) : failed({ code: 'record.falling' });
}

/** The head of a chain that is whole from its first receipt on; undefined for an empty one. */
export function verifyChain(
  agreement: AgreementId,
  documents: readonly Uint8Array[],
): Outcome<RecordHead | undefined, ChainFailure> {
  let head: RecordHead | undefined;
  for (const document of documents) {
    const receipt = verifyReceipt(document);
    if (!receipt.ok) return receipt;
    if (receipt.value.agreement !== agreement) return failed({ code: 'record.wrong-agreement' });
    const following = followsHead(receipt.value, head);
    if (!following.ok) return following;
    head = { receipt: receipt.value, hash: receiptHash(document) };
  }
  return succeeded(head);
}

function isFirst(receipt: TrackReceipt): Outcome<TrackReceipt, ChainFailure> {
  if (receipt.sequence !== 1) return failed({ code: 'record.out-of-order' });
  if (!equalBytes(receipt.previousHash, recordStart(receipt.agreement)))
    return failed({ code: 'record.fork' });
  return succeeded(receipt);
}
