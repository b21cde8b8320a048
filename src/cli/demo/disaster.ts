/**
 * The disaster of the demo: the owner's home is destroyed, partners die, and one that lives has a block that is not what it was.
 *
 * The block is chosen by what only the owner's catalogue knows, so that a restore cannot help reading it: a data shard of the largest pack.
 */
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { heldFile, type ShardPlace, shardPlaces } from '../../daemon/shard-places.ts';
import type { Circle, Partner } from './circle.ts';
import { DemoFailed } from './covault-processes.ts';

export interface Disaster {
  readonly code: string;
  /** Losses that the code bears. */
  readonly bearable: number;
  readonly dataShards: number;
  readonly killed: readonly Partner[];
  readonly corrupted: {
    readonly partner: Partner;
    readonly shard: string;
    readonly block: number;
    readonly blocks: number;
  };
}

const flippedBytes = 64;
const flippedAt = 1_000;

export async function strike({ owner, partners }: Circle): Promise<Disaster> {
  await owner.kill();
  const places = await shardPlaces(owner.home, async () => ({ ok: true, value: undefined }));
  if (!places.ok) throw new DemoFailed(`the catalogue: ${places.error.code}`);
  const place = largestDataShard(places.value);
  const corrupted = partners.find(({ daemon }) => daemon.peer === place.partner);
  if (corrupted === undefined) throw new DemoFailed('a shard lies at a stranger');
  rmSync(owner.home, { recursive: true });
  const { dataShards, parityShards } = place.code;
  const others = partners.filter((partner) => partner !== corrupted);
  const killed = others.slice(0, parityShards - 1);
  await Promise.all(killed.map(({ daemon }) => daemon.kill()));
  const block = Math.floor(place.blockCount / 3);
  flipBytes(heldFile(corrupted.daemon.home, place), {
    at: block * (place.bytes / place.blockCount) + flippedAt,
    count: flippedBytes,
  });
  return {
    code: `${dataShards}+${parityShards}`,
    bearable: parityShards,
    dataShards,
    killed,
    corrupted: { partner: corrupted, shard: place.name, block, blocks: place.blockCount },
  };
}

/** The first data shard of the pack of files that is largest: each of its blocks but the last ones holds bytes of files. */
function largestDataShard(places: readonly ShardPlace[]): ShardPlace {
  const [largest] = places
    .filter(({ packKind, index }) => packKind === 'data' && index === 0)
    .toSorted((left, right) => right.packBytes - left.packBytes);
  if (largest === undefined) throw new DemoFailed('no shard of files lies at a partner');
  return largest;
}

function flipBytes(
  path: string,
  { at, count }: { readonly at: number; readonly count: number },
): void {
  const bytes = Buffer.alloc(count);
  const file = openSync(path, 'r+');
  try {
    if (readSync(file, bytes, 0, count, at) !== count) throw new DemoFailed('a shard is short');
    writeSync(
      file,
      bytes.map((byte) => byte ^ 0xff),
      0,
      count,
      at,
    );
  } finally {
    closeSync(file);
  }
}
