/** Manifests that we keep for others: judged, stored, thinned out, and receipted (C28). */
import type { Bytes } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { readPublicManifest } from '../../core/manifest/manifest.ts';
import { judgeManifest, manifestsToKeep } from '../../core/manifest/ordering.ts';
import { signReceipt } from '../../core/manifest/receipt.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import type { Refusal } from '../../core/wire/refusal.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { AgreementRow, ManifestRow, Stores } from '../../ports/stores.ts';
import { agreementOf } from '../partners/partner-space.ts';

export interface ManifestKeeperParts {
  readonly identitySeed: Bytes;
  readonly stores: Stores;
  readonly clock: Clock;
  readonly log: EventLog;
}

export class ManifestKeeper {
  readonly #parts: ManifestKeeperParts;

  constructor(parts: ManifestKeeperParts) {
    this.#parts = parts;
  }

  /** Keeps a manifest of a partner, who sent it; gives the signed receipt. */
  put(agreement: AgreementRow, document: Bytes): Outcome<Bytes, Refusal> {
    const { stores, clock, log } = this.#parts;
    const owner = agreement.partner;
    const read = readPublicManifest(document, owner);
    if (!read.ok) return failed({ code: 'manifest.malformed', detail: read.error.code });
    const { header, hash } = read.value;
    const { incarnation, sequence, previousHash } = header;
    const judged = judgeManifest(stores.manifests.ofOwner(owner), {
      incarnation,
      sequence,
      hash,
      ...(previousHash === undefined ? {} : { previousHash }),
    });
    if (judged.verdict === 'stale')
      return failed({
        code: 'manifest.stale',
        detail: `the newest here is ${judged.newest.incarnation}.${judged.newest.sequence}`,
      });
    if (judged.verdict === 'fork') {
      log.write('warn', 'manifest.fork', { owner, incarnation, sequence });
      return failed({
        code: 'manifest.fork',
        detail: `another manifest is ${incarnation}.${sequence}, or came before it`,
      });
    }
    const row = { owner, incarnation, sequence, hash, document, receivedAt: clock.now() };
    if (judged.verdict === 'accept') this.#keep(agreement, row);
    return succeeded(this.#receipt(row));
  }

  /** The newest manifest of an owner, whoever it is: only its key opens it. */
  get(owner: PeerId): Outcome<Bytes, Refusal> {
    const newest = this.#parts.stores.manifests.newest(owner);
    return newest === undefined
      ? failed({ code: 'manifest.unknown', detail: 'no manifest of this owner is here' })
      : succeeded(newest.document);
  }

  #keep(agreement: AgreementRow, row: ManifestRow): void {
    const { stores, clock } = this.#parts;
    const { deleteLockMs } = agreementOf(agreement).terms;
    stores.transact(() => {
      stores.manifests.put(row);
      const history = stores.manifests.ofOwner(row.owner);
      const kept = new Set(manifestsToKeep(history, clock.now(), deleteLockMs));
      for (const old of history) if (!kept.has(old)) stores.manifests.remove(row.owner, old.hash);
    });
  }

  #receipt({ owner, incarnation, sequence, hash }: ManifestRow): Bytes {
    const { clock, identitySeed } = this.#parts;
    return signReceipt(
      { owner, incarnation, sequence, manifestHash: hash, time: clock.now() },
      identitySeed,
    );
  }
}
