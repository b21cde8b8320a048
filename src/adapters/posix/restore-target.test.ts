import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { present } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import { bytesOfText, textOfBytes } from '../../core/scan/stat-columns.ts';
import type { EntryKind, TreeEntry } from '../../core/scan/tree-entry.ts';
import { deriveKeys } from '../../core/sealing/keys.ts';
import {
  buildBatch,
  type TargetSubject,
  type TargetSurroundings,
  testTarget,
} from '../../ports/restore-target.conformance.ts';
import type { RestoreTarget } from '../../ports/restore-target.ts';
import { fsPath } from './byte-path.ts';
import { roundedTimes } from './precise-times.ts';
import { createPosixTarget } from './restore-target.ts';

const keys = deriveKeys(new Uint8Array(32).fill(2));
const log = { write: () => undefined };

function own(buffer: Uint8Array): Bytes {
  return new Uint8Array(buffer);
}

function kindOf(stat: import('node:fs').BigIntStats): EntryKind {
  return stat.isFile() ? 'file' : stat.isDirectory() ? 'directory' : 'symlink';
}

function surroundings(base: string): TargetSurroundings {
  const at = (path: string) => fsPath(`${base}/${path}`);
  const list = (folder: string): string[] =>
    readdirSync(at(folder), { encoding: 'latin1' })
      .sort()
      .flatMap((name) => {
        const path = `${folder}/${name}`;
        return lstatSync(at(path)).isDirectory() ? [path, ...list(path)] : [path];
      });
  return {
    see: (path) => {
      const stat = lstatSync(at(path), { bigint: true, throwIfNoEntry: false });
      if (stat === undefined) return undefined;
      const kind = kindOf(stat);
      const bytes =
        kind === 'file'
          ? readFileSync(at(path))
          : kind === 'symlink'
            ? readlinkSync(at(path), { encoding: 'buffer' })
            : Buffer.alloc(0);
      const mode = Number(stat.mode) & 0o7777;
      return { kind, mode, mtimeNs: stat.mtimeNs, inode: stat.ino, bytes: own(bytes) };
    },
    makeFolder: (path) => {
      mkdirSync(at(path));
    },
    writeFile: (path, bytes) => {
      writeFileSync(at(path), bytes);
    },
    makeSymlink: (path, target) => {
      symlinkSync(Buffer.from(target), at(path));
    },
    list,
  };
}

async function open(): Promise<TargetSubject & { readonly base: string }> {
  const base = mkdtempSync(join(tmpdir(), 'covault-target-'));
  mkdirSync(join(base, 'outside'));
  writeFileSync(join(base, 'outside/precious'), 'precious');
  const folder = bytesOfText(join(base, 'target'));
  return {
    target: createPosixTarget({ folder, keys, log }),
    around: surroundings(base),
    keys,
    base,
    close: async () => {
      rmSync(base, { recursive: true });
    },
  };
}

testTarget('posix', open);

function entryOf(own: Partial<TreeEntry>): TreeEntry {
  return {
    name: bytesOfText('file'),
    kind: 'file',
    mode: 0o644,
    modifiedNs: 0n,
    sizeBytes: 0,
    content: [],
    uid: 0,
    gid: 0,
    ...own,
  };
}

function finishEmpty(
  target: RestoreTarget,
  own: Partial<TreeEntry>,
): ReturnType<RestoreTarget['finish']> {
  return target.finish([{ path: bytesOfText('file'), entry: entryOf(own) }]);
}

test('owners go by name where the name is known here, else by number', async (context) => {
  if (process.geteuid?.() !== 0) {
    context.skip('only the superuser gives files away');
    return;
  }
  const { target, base, close } = await open();
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((text) => text.split(':'))
    .find(([, , uid]) => uid !== undefined && uid !== '0' && uid !== '');
  const [userName, , uid] = present(line, 'a user besides the superuser');
  assert.ok(userName !== undefined);
  const named = { uid: 54_321, gid: 54_322, userName, groupName: 'no-such-group-here' };
  assert.deepEqual(await finishEmpty(target, { ...named, mode: 0o4755 }), []);
  const stat = lstatSync(join(base, 'target/file'));
  assert.deepEqual([stat.uid, stat.gid], [Number(uid), 54_322]);
  assert.equal(stat.mode & 0o7777, 0o4755, 'set-id bits survive the change of owner');
  await target.close();
  await close();
});

test('holes stay holes on the disk', async () => {
  const subject = await open();
  const size = 8 * 1_048_576;
  const bytes = new Uint8Array(size);
  bytes[5_000_000] = 1;
  const { target } = subject;
  const batch = buildBatch([{ path: 'file', bytes, sparse: true }], keys);
  assert.deepEqual(await target.write(batch), []);
  await finishEmpty(target, { sizeBytes: size });
  const stat = lstatSync(join(subject.base, 'target/file'));
  assert.equal(stat.size, size);
  assert.ok(stat.blocks * 512 < size / 10);
  await target.close();
  await subject.close();
});

/** A file system of a megabyte, or undefined where this process may not mount one. */
function mountSmall(folder: string): { readonly unmount: () => void } | undefined {
  mkdirSync(folder);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  return {
    unmount: () => {
      execFileSync('umount', [folder]);
    },
  };
}

test('a full disk is told, and what stood there stays', async (context) => {
  const { target: other, base, close } = await open();
  await other.close();
  const mounted = mountSmall(join(base, 'small'));
  if (mounted === undefined) {
    context.skip('mounting a small file system is not allowed here');
    await close();
    return;
  }
  writeFileSync(join(base, 'small/file'), 'old');
  const target = createPosixTarget({ folder: bytesOfText(join(base, 'small')), keys, log });
  const bytes = new Uint8Array(2 * 1_048_576).fill(1);
  const problems = await target.write(buildBatch([{ path: 'file', bytes }], keys));
  assert.deepEqual(
    problems.map(({ problem }) => problem),
    ['no-space'],
  );
  await target.close();
  assert.equal(readFileSync(join(base, 'small/file'), 'utf8'), 'old');
  assert.deepEqual(readdirSync(join(base, 'small')), ['file']);
  mounted.unmount();
  await close();
});

test('what a broken restore left behind is removed after a day', async () => {
  const { target, base, close } = await open();
  const old = '.covault-partial-0011';
  const young = '.covault-partial-2233';
  mkdirSync(join(base, 'target/folder'));
  for (const folder of ['target', 'target/folder'])
    for (const name of [old, young]) writeFileSync(join(base, folder, name), 'left');
  const longAgo = Date.now() / 1_000 - 100_000;
  utimesSync(join(base, 'target', old), longAgo, longAgo);
  utimesSync(join(base, 'target/folder', old), longAgo, longAgo);
  await target.close();
  const second = createPosixTarget({ folder: bytesOfText(join(base, 'target')), keys, log });
  assert.deepEqual(await second.makeFolders([bytesOfText('folder')]), []);
  assert.deepEqual(readdirSync(join(base, 'target')), [young, 'folder']);
  assert.deepEqual(readdirSync(join(base, 'target/folder')), [young]);
  await second.close();
  await close();
});

test('the target itself may be a link', async () => {
  const { target, base, close } = await open();
  await target.close();
  symlinkSync('target', join(base, 'way'));
  const folder = bytesOfText(join(base, 'way'));
  const second = createPosixTarget({ folder, keys, log });
  assert.deepEqual(await finishEmpty(second, {}), []);
  assert.deepEqual((await second.names(bytesOfText(''))).map(textOfBytes), ['file']);
  await second.close();
  await close();
});

test('a home of covault is neither named for removal nor removed, nor anything around it', async () => {
  const { base, target, close } = await open();
  const home = join(base, 'target/share/covault');
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'covault-home'), '');
  writeFileSync(join(base, 'target/share/other'), '');
  const names = await target.names(bytesOfText('share'));
  assert.deepEqual(names.map(textOfBytes), ['other']);
  for (const path of ['share/covault', 'share']) {
    const problems = await target.remove(bytesOfText(path));
    const told = problems.map(({ problem, detail }) => [problem, detail]);
    assert.deepEqual(told, [['not-written', 'a home of covault is there']]);
  }
  assert.deepEqual(readdirSync(home), ['covault-home']);
  assert.deepEqual(await target.remove(bytesOfText('share/other')), []);
  assert.deepEqual(readdirSync(join(base, 'target/share')), ['covault']);
  await target.close();
  await close();
});

test('without the C library times are set as exactly as Node.js can, and that is told', async () => {
  const { base, target, close } = await open();
  await target.close();
  const path = join(base, 'outside/precious');
  const told = roundedTimes.setLink(Buffer.from(path), 1_700_000_000_123_456_789n);
  assert.match(told ?? '', /rounded/);
  const missed = lstatSync(path, { bigint: true }).mtimeNs - 1_700_000_000_123_456_789n;
  assert.ok(missed > -1_000_000n && missed < 1_000_000n);
  assert.equal(roundedTimes.setLink(Buffer.from(path), 1_700_000_000_000_000_000n), undefined);
  await close();
});
