import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bytes } from '../../base/bytes.ts';
import { failed } from '../../base/outcome.ts';
import { dayMs, hourMs, type Instant, instant, minuteMs } from '../../base/units.ts';
import { readEntry } from '../../core/agreements/acknowledgement.ts';
import type { AgreementId, ShardName } from '../../core/vocabulary/ids.ts';
import { blockBytes } from '../../core/vocabulary/limits.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import type { Clock } from '../../ports/clock.ts';
import { type HeldRow, StorageFull } from '../../ports/stores.ts';
import { MerkleBuilder } from '../../primitives/merkle.ts';
import { type AgreedPair, agreedPair } from '../../sim/agreed-pair.ts';
import { twinStores } from '../../sim/twin-stores.ts';
import { ShardIntake } from './shard-intake.ts';

const name = 'c3'.repeat(16) as ShardName;
const other = 'd4'.repeat(16) as ShardName;
const shard: Bytes = new Uint8Array(4 * blockBytes).map((_, index) => 1 + (index >> 16));
/** The delete-lock of the circle. */
const lockMs: number = 14 * dayMs;

function rootOf(bytes: Bytes): Bytes {
  const merkle = new MerkleBuilder();
  for (let at = 0; at < bytes.length; at += blockBytes)
    merkle.addBlock(bytes.subarray(at, at + blockBytes));
  return merkle.root();
}

async function* bodyOf(bytes: Bytes): AsyncGenerator<Uint8Array> {
  yield bytes;
}

class HandClock implements Clock {
  at = 1_700_000_000_000;

  now(): Instant {
    return instant(this.at);
  }

  async sleep(): Promise<void> {}
}

interface Desk extends AgreedPair {
  readonly hand: HandClock;
  intake: ShardIntake;
  readonly put: (bytes?: Bytes, which?: ShardName) => Promise<Bytes | string>;
  readonly remove: (which?: ShardName) => Bytes | string;
  /** The computer is at work for so long. */
  readonly work: (ms: number) => Promise<void>;
  readonly restart: () => void;
}

/** `disk`: what its holder has for one. */
function desk(disk: (attached: BlobStore) => BlobStore = (attached) => attached): Desk {
  const pair = agreedPair(10 * blockBytes);
  const hand = new HandClock();
  const intake = (): ShardIntake =>
    new ShardIntake({
      identitySeed: pair.holder.identitySeed,
      stores: pair.stores,
      held: disk(pair.disk.attach()),
      clock: hand,
      log: pair.log,
    });
  const made: Desk = {
    ...pair,
    hand,
    intake: intake(),
    put: async (bytes = shard, which = name) => {
      const blockCount = shard.length / blockBytes;
      const upload = { name: which, blockCount, firstBlock: 0, merkleRoot: rootOf(shard) };
      const taken = await made.intake.put(pair.agreement, upload, bodyOf(bytes));
      return taken.ok ? taken.value : taken.error.code;
    },
    remove: (which = name) => {
      const removed = made.intake.remove(pair.agreement, which);
      return removed.ok ? removed.value : removed.error.code;
    },
    work: async (ms) => {
      for (let done = 0; done < ms; done += hourMs) {
        hand.at += Math.min(hourMs, ms - done);
        while (await made.intake.trash.round());
      }
    },
    restart: () => {
      pair.disk.crash();
      made.intake = intake();
    },
  };
  return made;
}

function entryIn({ agreement, holder }: Desk, document: Bytes | string): readonly unknown[] {
  assert.ok(typeof document !== 'string', String(document));
  const read = readEntry({ agreement: agreement.agreement, holder: holder.peerId }, document);
  assert.ok(read.ok);
  const { action, sequence, blockCount } = read.value.acknowledgement;
  return [action, sequence, blockCount];
}

test('a deleted shard gets the next entry of the ledger, and stays out of sight, but on the disk and in the quota', async () => {
  const here = desk();
  await here.put();
  const document = here.remove();
  assert.deepEqual(entryIn(here, document), ['delete', 2, 4]);
  const { owner, stores, disk } = here;
  assert.deepEqual(stores.held.page(owner.peerId, undefined, 10), []);
  assert.equal(stores.held.blockCount(owner.peerId), 4);
  assert.deepEqual(disk.whole(`${owner.peerId}/${name}`), shard);
  assert.deepEqual(here.remove(), document, 'asked again it says the same');
  here.restart();
  assert.deepEqual(here.remove(), document, 'also in the next life');
});

/** The owner is no partner any more, and what it has here is not kept for it either. */
function ends(here: Desk, phase: 'reneged' | 'ended'): void {
  here.stores.agreements.put({ ...here.agreement, phase });
  here.intake.trash.addAll(here.owner.peerId);
}

test('what is not here cannot be deleted', () => {
  assert.equal(desk().remove(), 'shard.unknown');
});

test('the same shard sent again comes out of the trash, whatever the body, with an entry of its own', async () => {
  const here = desk();
  await here.put();
  here.remove();
  const again = await here.put(new Uint8Array(0));
  assert.deepEqual(entryIn(here, again), ['put', 3, 4]);
  assert.deepEqual(await here.put(), again);
  assert.equal(here.stores.held.page(here.owner.peerId, undefined, 10).length, 1);
  await here.work(2 * lockMs);
  assert.deepEqual(here.disk.whole(`${here.owner.peerId}/${name}`), shard);
  assert.deepEqual(entryIn(here, here.remove()), ['delete', 4, 4]);
});

test('the trash is emptied once its holder was at work for the whole lock, in many lives', async () => {
  const here = desk();
  await here.put();
  here.remove();
  for (let day = 0; day < 14; day += 1) {
    await here.work(dayMs - hourMs);
    here.hand.at += dayMs;
    here.restart();
    assert.equal(here.stores.held.blockCount(here.owner.peerId), 4, `day ${day}`);
  }
  await here.work(15 * hourMs);
  assert.equal(here.stores.held.blockCount(here.owner.peerId), 0);
  assert.equal(here.disk.usedBytes(), 0);
  assert.equal(here.remove(), 'shard.unknown');
});

test('a clock that jumps by years brings the end of the lock nearer by a day at most', async () => {
  const here = desk();
  await here.put();
  here.remove();
  for (let jump = 0; jump < 3; jump += 1) {
    here.hand.at += 1_000 * dayMs;
    await here.intake.trash.round();
    here.hand.at -= 3_000 * dayMs;
    await here.intake.trash.round();
  }
  await here.work(lockMs - 3 * dayMs - hourMs);
  assert.equal(here.stores.held.blockCount(here.owner.peerId), 4);
  await here.work(2 * hourMs);
  assert.equal(here.stores.held.blockCount(here.owner.peerId), 0);
});

test('a crash between row and file leaves no file behind, and takes none that came back', async () => {
  for (const comesBack of [false, true]) {
    const here = desk();
    await here.put();
    here.remove();
    await here.work(lockMs - hourMs);
    const store = here.disk.attach();
    const stuck = new ShardIntake({
      identitySeed: here.holder.identitySeed,
      stores: here.stores,
      held: { ...store, remove: () => Promise.reject(new Error('the power is cut')) },
      clock: here.hand,
      log: here.log,
    });
    here.hand.at += 2 * hourMs;
    await assert.rejects(stuck.trash.round(), /power/);
    assert.equal(here.stores.held.blockCount(here.owner.peerId), 0);
    assert.ok(here.disk.usedBytes() > 0);
    here.restart();
    if (comesBack) await here.put();
    await here.intake.trash.round();
    assert.equal(here.disk.whole(`${here.owner.peerId}/${name}`) !== undefined, comesBack);
    assert.equal(
      twinStores(here.stores.image()).held.blockCount(here.owner.peerId),
      comesBack ? 4 : 0,
    );
  }
});

/** Removes nothing until it is told what happens meanwhile. */
class SlowDisk {
  meanwhile: (() => Promise<void>) | undefined;

  over(disk: BlobStore): BlobStore {
    const remove = disk.remove.bind(disk);
    return Object.assign(disk, {
      remove: async (blob: string): ReturnType<BlobStore['remove']> => {
        if (this.meanwhile === undefined)
          return failed({ code: 'blob.input-output', detail: 'not now' });
        await this.meanwhile();
        return remove(blob);
      },
    });
  }
}

const returns = {
  'sent again': {
    trash: (here: Desk) => here.remove(other),
    bring: (here: Desk) => here.put(new Uint8Array(0), other),
  },
  'taken back with its owner': {
    trash: (here: Desk) => ends(here, 'reneged'),
    bring: async (here: Desk) => {
      here.stores.agreements.put(here.agreement);
      here.intake.trash.takeBack(here.agreement);
    },
  },
};

for (const [how, { trash, bring }] of Object.entries(returns))
  test(`a shard whose lock is over, and that is ${how} while the file of another is being removed, stays`, async () => {
    const disk = new SlowDisk();
    const here = desk((attached) => disk.over(attached));
    await here.put();
    await here.put(shard, other);
    here.remove();
    await here.work(2 * hourMs);
    trash(here);
    await here.work(lockMs - hourMs);
    assert.equal(here.stores.held.blockCount(here.owner.peerId), 4);
    let times = 0;
    disk.meanwhile = async () => {
      times += 1;
      if (times > 1) return;
      const answer = await bring(here);
      assert.ok(typeof answer !== 'string', String(answer));
    };
    await here.work(hourMs);
    await here.work(lockMs);
    assert.equal(here.stores.held.page(here.owner.peerId, undefined, 10).length, 1);
    assert.deepEqual(here.disk.wholeNames(), [`${here.owner.peerId}/${other}`]);
    assert.equal(times, 1);
  });

test('what an owner whose agreement ended has here goes into the trash at once, without entries', async () => {
  const here = desk();
  await here.put();
  ends(here, 'ended');
  assert.deepEqual(here.stores.held.page(here.owner.peerId, undefined, 10), []);
  assert.equal(here.stores.ledger.head(here.agreement.agreement, 'holder')?.sequence, 1);
  await here.work(lockMs + minuteMs);
  assert.equal(here.disk.usedBytes(), 0);
});

test('when a former owner is forgiven, what it did not delete itself comes out of the trash', async () => {
  const here = desk();
  const { owner, stores, agreement } = here;
  await here.put();
  ends(here, 'reneged');
  stores.agreements.put(agreement);
  here.intake.trash.takeBack(agreement);
  assert.equal(stores.held.page(owner.peerId, undefined, 10).length, 1);
  here.remove();
  here.intake.trash.takeBack(agreement);
  assert.deepEqual(stores.held.page(owner.peerId, undefined, 10), []);
  await here.work(lockMs + minuteMs);
  assert.equal(here.disk.usedBytes(), 0);
});

/** What is held, and what lies in the trash. */
function namesIn({ stores, owner }: Desk): readonly [string[], string[]] {
  const names = (rows: readonly HeldRow[]): string[] => rows.map((row) => row.name).sort();
  const { held } = stores;
  return [names(held.page(owner.peerId, undefined, 10)), names(held.trashed(owner.peerId))];
}

test('forgiven just before a crash, an owner gets back in the next life what it did not delete itself, however late that is', async () => {
  for (const lateMs of [0, 2 * lockMs]) {
    const here = desk();
    await here.put();
    await here.put(shard, other);
    here.remove();
    ends(here, 'reneged');
    await here.work(lockMs - hourMs);
    here.stores.agreements.put(here.agreement);
    here.restart();
    here.hand.at += lateMs;
    assert.deepEqual(namesIn(here), [[], [name, other]]);
    await here.intake.trash.round();
    assert.deepEqual(namesIn(here), [[other], lateMs === 0 ? [name] : []]);
    await here.work(2 * lockMs);
    assert.deepEqual(namesIn(here), [[other], []]);
    assert.deepEqual(here.disk.wholeNames(), [`${here.owner.peerId}/${other}`]);
  }
});

test('an owner that is forgiven while the disk is full gets back what is its own as soon as there is room', async () => {
  const here = desk();
  await here.put();
  ends(here, 'reneged');
  await here.work(lockMs - hourMs);
  here.stores.agreements.put(here.agreement);
  const transact = here.stores.transact.bind(here.stores);
  Object.assign(here.stores, {
    transact: () => {
      throw new StorageFull('full');
    },
  });
  here.intake.trash.takeBack(here.agreement);
  assert.deepEqual(namesIn(here), [[], [name]]);
  here.hand.at += hourMs;
  await assert.rejects(here.intake.trash.round(), StorageFull);
  assert.equal(here.stores.held.blockCount(here.owner.peerId), 4);
  Object.assign(here.stores, { transact });
  await here.intake.trash.round();
  assert.deepEqual(namesIn(here), [[name], []]);
});

test('what an earlier agreement left behind takes nothing from a later one with the same owner', async () => {
  const here = desk();
  const { stores, agreement } = here;
  await here.put();
  ends(here, 'ended');
  const later = instant(agreement.since + 1);
  stores.agreements.put({ ...agreement, agreement: 'ab'.repeat(32) as AgreementId, since: later });
  here.restart();
  await here.intake.trash.round();
  assert.deepEqual(namesIn(here), [[], [name]]);
  await here.work(lockMs + minuteMs);
  assert.equal(here.disk.usedBytes(), 0);
});

test('a proposal that is not signed yet does not shorten the lock, nor lets go of what an audit asks for', async () => {
  const here = desk();
  const { stores, agreement, owner } = here;
  await here.put();
  here.remove();
  const challenge = new Uint8Array(32).fill(7);
  const lane = { agreement: agreement.agreement, side: 'answerer' } as const;
  const document = new Uint8Array(1);
  const [since, outcome] = [instant(here.hand.at), undefined];
  stores.audits.put({ ...lane, challenge, phase: 'opened', since, outcome, document });
  const proposed = 'ab'.repeat(32) as AgreementId;
  const later = instant(agreement.since + 1);
  stores.agreements.put({ ...agreement, agreement: proposed, phase: 'proposed', since: later });
  assert.equal(stores.agreements.ofPartner(owner.peerId)?.phase, 'proposed');
  await here.work(2 * lockMs);
  assert.equal(stores.held.blockCount(owner.peerId), 4);
});
