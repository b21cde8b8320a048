/** What a recovery kit says besides the words: who can be asked, where, and which manifest is the least to expect (C29). */
import type { Instant } from '../../base/units.ts';
import type { KitContents } from '../../core/recovery/kit.ts';
import type { AgreementRow, ManifestRow } from '../../ports/stores.ts';

export function kitContents(of: {
  readonly name: string;
  readonly partners: readonly AgreementRow[];
  readonly manifest: ManifestRow | undefined;
  readonly now: Instant;
}): KitContents {
  const { name, partners, manifest, now } = of;
  return {
    name,
    partners: partners.map(({ partner, partnerName, addresses }) => ({
      peer: partner,
      ...(partnerName === '' ? {} : { name: partnerName }),
      addresses,
    })),
    ...(manifest === undefined
      ? {}
      : { floor: { incarnation: manifest.incarnation, sequence: manifest.sequence } }),
    createdAt: now,
  };
}
