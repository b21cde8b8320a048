/** What a daemon tells of its partners: who is new, and with whom other terms were signed. */
import type { PartnerAnswer } from './answers.ts';

export interface PartnerNews {
  readonly joined: readonly PartnerAnswer[];
  readonly changed: readonly { readonly now: PartnerAnswer; readonly before: PartnerAnswer }[];
}

export class PartnerLookout {
  /** As they were last told of, by agreement. */
  readonly #told = new Map<string, PartnerAnswer>();

  constructor(partners: readonly PartnerAnswer[]) {
    for (const partner of partners) this.#told.set(partner.agreement, partner);
  }

  /** What is new since the last time. */
  look(partners: readonly PartnerAnswer[]): PartnerNews {
    const joined: PartnerAnswer[] = [];
    const changed: { readonly now: PartnerAnswer; readonly before: PartnerAnswer }[] = [];
    for (const now of partners) {
      const before = this.#told.get(now.agreement);
      this.#told.set(now.agreement, now);
      if (before === undefined) joined.push(now);
      else if (before.weLendBytes !== now.weLendBytes || before.lendsUsBytes !== now.lendsUsBytes)
        changed.push({ now, before });
    }
    return { joined, changed };
  }
}
