/**
 * What a computer has of others and what it gives them: byte-hours that its partners would give back to it, against those that it keeps for them.
 *
 * Nothing is taken from anybody's account: every partner is asked for a block, as a restore would, and what it does not give does not count. A partner that only lends
 * would make everybody gain, so only partners count that back up as well. An honest peer pays C once and then has as much as it gives; a cheat gains when it has more.
 */
import { hourMs, mebi, secondMs } from '../../base/units.ts';
import type { ShardName } from '../../core/vocabulary/ids.ts';
import { blockBytes } from '../../core/vocabulary/limits.ts';
import { rangeText } from '../../core/wire/block-range.ts';
import { decodeRefusal } from '../../core/wire/refusal.ts';
import { pathOf } from '../../core/wire/resources.ts';
import { BodyBroken, type PeerReply } from '../../ports/transport.ts';
import type { SimPeer } from '../sim-peer.ts';
import { VirtualClock } from '../virtual-clock.ts';
import { bytesOfBody } from './conduct.ts';
import type { Town } from './town.ts';

const sampleMs: number = 10 * secondMs;
const refusalMaximumBytes = 4_096;
/** More than towns ever have at one partner. */
const mostShards = 10_000;

export class GainMeter {
  readonly #town: Town;
  readonly #of: SimPeer;
  readonly #partners: readonly SimPeer[];
  /** Byte-hours. */
  #usable = 0;
  #stored = 0;
  #kept = 0;
  #failure: string | undefined;

  /** Counts from now on what is between `of` and these. */
  constructor(town: Town, of: SimPeer, partners: readonly SimPeer[]) {
    this.#town = town;
    this.#of = of;
    this.#partners = partners;
    void this.#counted();
  }

  /** Byte-hours that its partners would have given back. */
  get usable(): number {
    return this.#usable;
  }

  /** Of what lay there for it, how much was usable: files of two computers differ in size, so byte-hours alone tell nothing. */
  get usableShare(): number {
    return this.#stored === 0 ? 0 : this.#usable / this.#stored;
  }

  /** Byte-hours that it kept for them. */
  get kept(): number {
    return this.#kept;
  }

  /** Why it counts no more. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Byte-hours of free backup. */
  get gain(): number {
    return this.#usable - this.#kept;
  }

  /** For the line of the run, in MiB hours. */
  toString(): string {
    const told = (value: number): string => (value / mebi).toFixed(3);
    return `${told(this.#usable)} usable - ${told(this.#kept)} kept = ${told(this.gain)} MiB h`;
  }

  async #counted(): Promise<void> {
    try {
      await this.#run();
    } catch (reason) {
      this.#failure = String(reason);
    }
  }

  async #run(): Promise<void> {
    const clock = new VirtualClock(this.#town.world.timeline);
    const hours = sampleMs / hourMs;
    for (;;) {
      await clock.sleep(sampleMs);
      const given = await Promise.all(this.#partners.map((partner) => this.#givenBy(partner)));
      this.#usable += hours * given.reduce((sum, bytes) => sum + bytes, 0);
      this.#stored += hours * this.#storedNow();
      this.#kept += hours * this.#keptNow();
    }
  }

  #storedNow(): number {
    return this.#partners.reduce(
      (sum, { home }) => sum + bytesAt(home, blobsAt(home, this.#of)),
      0,
    );
  }

  #keptNow(): number {
    const { home } = this.#of;
    return this.#partners.reduce((sum, partner) => sum + bytesAt(home, blobsAt(home, partner)), 0);
  }

  /** Bytes that the partner has of it and would give: it is asked for one block. */
  async #givenBy(partner: SimPeer): Promise<number> {
    const { keys } = this.#of;
    const blobs = blobsAt(partner.home, this.#of);
    const [blob] = blobs;
    if (blob === undefined) return 0;
    const name = blob.slice(blob.indexOf('/') + 1) as ShardName;
    const reply = await this.#town.link.network
      .transport(keys.peerId)
      .request(this.#town.link.address(partner.keys.peerId), {
        method: 'GET',
        path: pathOf({ resource: 'shard', name }),
        fields: { range: rangeText({ first: 0, count: 1 }) },
      });
    const isGiven = reply.ok && (await isHonoured(reply.value));
    return isGiven ? bytesAt(partner.home, blobs) : 0;
  }
}

/** Given, or put off for nothing but the quota of the day. What breaks off, since one of both goes, is not given. */
async function isHonoured({ status, body }: PeerReply): Promise<boolean> {
  const bytes = await wholeBody(body);
  if (bytes === undefined) return false;
  if (status === 200) return bytes.length === blockBytes;
  const refusal = decodeRefusal(bytes.subarray(0, refusalMaximumBytes));
  return refusal.ok && refusal.value.code === 'request.quota';
}

async function wholeBody(body: PeerReply['body']): Promise<Uint8Array | undefined> {
  try {
    return await bytesOfBody(body);
  } catch (reason) {
    if (reason instanceof BodyBroken) return undefined;
    throw reason;
  }
}

/** Bytes that lie there for somebody, without what was deleted and lies in the trash: that is given to nobody. */
function bytesAt({ held }: SimPeer['home'], names: readonly string[]): number {
  return names.reduce((sum, name) => sum + (held.whole(name)?.length ?? 0), 0);
}

function blobsAt({ stores }: SimPeer['home'], { keys }: SimPeer): readonly string[] {
  const rows = stores.held.page(keys.peerId, undefined, mostShards);
  return rows.map(({ name }) => `${keys.peerId}/${name}`);
}
