import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TwinDisk } from '../../sim/twin-disk.ts';
import { UnfinishedUploads } from './unfinished-uploads.ts';

const names = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `owner/${name}`);

interface Scene {
  readonly disk: TwinDisk;
  readonly uploads: UnfinishedUploads;
  /** Uploads under way, and files that are kept free of them. */
  readonly open: Set<string>;
  /** What happens while a file is being removed. */
  during: (blob: string) => void;
}

/** So many uploads broke off. */
async function scene(): Promise<Scene> {
  const disk = new TwinDisk({ random: { bytes: (count) => new Uint8Array(count) } });
  const held = disk.attach();
  const open = new Set<string>();
  const remove = held.remove.bind(held);
  Object.assign(held, {
    remove: async (blob: string) => {
      made.during(blob);
      return await remove(blob);
    },
  });
  const claim = (blob: string): (() => void) | undefined => {
    if (open.has(blob)) return undefined;
    open.add(blob);
    return () => open.delete(blob);
  };
  const uploads = new UnfinishedUploads(held, claim);
  const made: Scene = { disk, uploads, open, during: () => undefined };
  for (const name of names) {
    await held.grow(name, 0, new Uint8Array(10));
    await held.sync(name);
    await uploads.note(name);
  }
  return made;
}

test('of what broke off the oldest gives way, until little enough is left', async () => {
  const { disk, uploads } = await scene();
  await uploads.keepWithin('owner/', 1_000);
  assert.deepEqual(disk.growingNames(), names.slice(2));
  await uploads.keepWithin('other/', 0);
  assert.deepEqual(disk.growingNames(), names.slice(2));
  await uploads.keepWithin('owner/', 25);
  assert.deepEqual(disk.growingNames(), names.slice(4));
});

test('an upload that goes on while others are removed keeps what it has; none begins on what is being removed', async () => {
  const made = await scene();
  const [first = '', second = ''] = names;
  made.during = (blob) => {
    assert.ok(made.open.has(blob), 'it is kept free of uploads');
    if (blob === first) made.open.add(second);
  };
  await made.uploads.keepWithin('owner/', 1_000);
  assert.deepEqual(made.disk.growingNames(), names.slice(1));
  assert.deepEqual([...made.open], [second]);
});
