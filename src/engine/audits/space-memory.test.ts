import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../base/assert.ts';
import { type Instant, instant } from '../../base/units.ts';
import type { ChosenBlock } from '../../core/audits/block-choice.ts';
import { idOf, type ShardName } from '../../core/vocabulary/ids.ts';
import type { AuditLane } from '../../ports/audit-store.ts';
import type { Stores } from '../../ports/stores.ts';
import { agreedPair } from '../../sim/agreed-pair.ts';
import { appendHolderEntry, holderHead } from '../holding/held-ledger.ts';
import { AuditSpace, storedEntries } from './audit-space.ts';

const begin: Instant = instant(1_700_000_000_000);
const clock = { now: () => begin, sleep: async () => undefined };

/** A partner's ledger, followed by two parts that work on the same stores; reads of all shards are counted. */
class Followed {
  readonly #pair = agreedPair(2 ** 30);
  readonly lane: AuditLane = { agreement: this.#pair.agreement.agreement, side: 'answerer' };
  reads = 0;
  readonly stores: Stores = this.#counting();
  readonly one: AuditSpace = new AuditSpace(this.stores, clock);
  readonly other: AuditSpace = new AuditSpace(this.stores, clock);

  get sequence(): number {
    return holderHead(this.stores, this.lane.agreement).sequence;
  }

  async sign(action: 'put' | 'delete', number: number): Promise<void> {
    const name = idOf<ShardName>(new Uint8Array(16).fill(number));
    const subject = { action, name, blockCount: 1, merkleRoot: new Uint8Array(32).fill(number) };
    const { identitySeed, peerId } = this.#pair.holder;
    appendHolderEntry({ identitySeed, stores: this.stores, clock }, this.lane.agreement, subject);
    const source = storedEntries(this.stores, this.lane.agreement, 'holder');
    const to = { head: holderHead(this.stores, this.lane.agreement), holder: peerId };
    assert.ok((await this.one.follow(this.lane, to, source)).ok);
  }

  root(space: AuditSpace): string {
    const { sequence, hash } = holderHead(this.stores, this.lane.agreement);
    return space.inventoryRoot(this.lane, { sequence, head: hash }).join();
  }

  #counting(): Stores {
    const { stores } = this.#pair;
    const shards: Stores['audits']['shards'] = (lane) => {
      this.reads += 1;
      return stores.audits.shards(lane);
    };
    return { ...stores, audits: { ...stores.audits, shards } };
  }
}

test('shards are read once for all messages of an audit, and their root once for a place of the ledger', async () => {
  const followed = new Followed();
  for (const number of [3, 1, 2]) await followed.sign('put', number);
  const { one, other, lane } = followed;
  const roots = [followed.root(one), followed.root(other), followed.root(one)];
  assert.equal(new Set(roots).size, 1);
  assert.equal(one.at(lane, 3).length, 3);
  assert.equal(other.at(lane, 3).length, 3);
  assert.equal(one.presentCount(lane), 3);
  assert.equal(followed.reads, 1);
});

test('what one part marks or follows, every part sees', async () => {
  const followed = new Followed();
  for (const number of [1, 2]) await followed.sign('put', number);
  const { one, other, lane } = followed;
  const shard = present(other.at(lane, 2)[0], 'a shard');
  one.visit(lane, [{ shard, number: 0 } satisfies ChosenBlock], 7);
  assert.equal(other.at(lane, 2)[0]?.visitedIn, 7);
  const before = followed.root(other);
  await followed.sign('delete', 2);
  assert.equal(other.at(lane, followed.sequence).length, 1);
  assert.equal(other.at(lane, 2).length, 2, 'an earlier place is as it was');
  assert.notEqual(followed.root(other), before);
  assert.equal(other.presentCount(lane), 1);
});
