/** What `status` and `partners` tell, computed from the catalogue. */
import { bearableLosses, chooseCode } from '../core/placement/code-choice.ts';
import type { PeerId } from '../core/vocabulary/ids.ts';
import type { ManifestRow, Stores } from '../ports/stores.ts';
import type { PartnerView, StatusReport } from './computer.ts';
import type { PartnerBook } from './partner-book.ts';
import type { PartnerPace } from './partner-pace.ts';
import { spaceAccount } from './partner-space.ts';
import { type PackProtection, packProtections, protectionProgress } from './protection.ts';

export function partnerViews(
  stores: Stores,
  book: PartnerBook,
  pace: PartnerPace,
): readonly PartnerView[] {
  return book.all().map((agreement) => ({
    agreement,
    reachable: book.reachable(agreement.partner),
    ...spaceAccount(stores, agreement),
    wrongBlocks: pace.wrongBlocks(agreement.partner),
  }));
}

export function statusReport(facts: {
  readonly self: PeerId;
  readonly name: string;
  readonly listening: readonly string[];
  readonly stores: Stores;
  readonly partners: readonly PartnerView[];
  readonly spooledBytes: number;
  readonly manifest: ManifestRow | undefined;
}): StatusReport {
  const { stores, manifest } = facts;
  const snapshots = stores.snapshots.all();
  const open = facts.partners.filter(({ agreement }) => agreement.phase === 'standing');
  return {
    self: facts.self,
    name: facts.name,
    listening: facts.listening,
    partners: facts.partners,
    code: chooseCode(open.length),
    protection: protectionProgress(stores),
    snapshots: snapshots.length,
    latest: snapshots.at(-1),
    spooledBytes: facts.spooledBytes,
    manifest:
      manifest === undefined
        ? undefined
        : {
            incarnation: manifest.incarnation,
            sequence: manifest.sequence,
            receipts: stores.manifests.receipts(manifest.hash).length,
          },
    bearableLosses: leastBearable(packProtections(stores)),
  };
}

/** What the weakest pack bears; undefined when there is nothing, or something that is nowhere but here. */
function leastBearable(packs: readonly PackProtection[]): number | undefined {
  let least: number | undefined;
  for (const { row, held } of packs) {
    if (row.code === undefined || held < row.code.dataShards) return undefined;
    const bears = bearableLosses(held, row.code);
    if (least === undefined || bears < least) least = bears;
  }
  return least;
}
