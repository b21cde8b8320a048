import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkFullDisk, patternBytes, testBlobs } from '../../ports/blob-store.conformance.ts';
import { openBlobFolder } from './blob-folder.ts';

function newFolder(): string {
  return mkdtempSync(join(tmpdir(), 'covault-blobs-'));
}

testBlobs('blob folder', async () => {
  const path = newFolder();
  const opened = [await openBlobFolder(path)];
  return {
    blobs: opened[0] ?? (await openBlobFolder(path)),
    reopen: async () => {
      const again = await openBlobFolder(path);
      opened.push(again);
      return again;
    },
    close: async () => {
      for (const folder of opened) await folder.close();
      rmSync(path, { recursive: true });
    },
  };
});

test('opening sweeps away what a crash left unfinished and nothing else', async (context) => {
  const path = newFolder();
  context.after(() => rmSync(path, { recursive: true }));
  mkdirSync(join(path, 'owner'));
  for (const name of ['whole', 'owner/blob+new7', 'owner/shard+part', 'new'])
    writeFileSync(join(path, name), 'content');
  const folder = await openBlobFolder(path);
  assert.deepEqual(readdirSync(path).sort(), ['new', 'owner', 'whole']);
  assert.deepEqual(readdirSync(join(path, 'owner')), ['shard+part']);
  assert.equal(await folder.grown('owner/shard'), 7);
  await folder.close();
});

test('only the user may read blobs', async (context) => {
  const path = newFolder();
  context.after(() => rmSync(path, { recursive: true }));
  const folder = await openBlobFolder(join(path, 'held'));
  await folder.write('owner/shard', patternBytes(10, 1));
  assert.equal(statSync(join(path, 'held')).mode & 0o777, 0o700);
  assert.equal(statSync(join(path, 'held/owner')).mode & 0o777, 0o700);
  assert.equal(statSync(join(path, 'held/owner/shard')).mode & 0o777, 0o600);
  await folder.close();
});

test('what is no folder is an input-output failure', async (context) => {
  const path = newFolder();
  context.after(() => rmSync(path, { recursive: true }));
  const folder = await openBlobFolder(path);
  await folder.write('file', patternBytes(10, 1));
  const outcome = await folder.write('file/below', patternBytes(10, 1));
  assert(!outcome.ok);
  assert.equal(outcome.error.code, 'blob.input-output');
  await folder.close();
});

test('a full disk is told as no-space, and nothing is left of what did not fit', async (context) => {
  const path = newFolder();
  const mounted = mountSmallDisk(path);
  if (mounted !== undefined) {
    rmSync(path, { recursive: true });
    context.skip(`no small disk can be mounted here (${mounted}); the twin covers it`);
    return;
  }
  const folder = await openBlobFolder(path);
  try {
    await checkFullDisk(folder, 1_048_576);
  } finally {
    await folder.close();
    execFileSync('umount', [path]);
    rmSync(path, { recursive: true });
  }
});

/** Undefined when a disk of 1 MiB is mounted at `path`, else why not. */
function mountSmallDisk(path: string): string | undefined {
  try {
    const options = ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', path];
    execFileSync('mount', options, { stdio: 'pipe' });
    return undefined;
  } catch (problem) {
    return problem instanceof Error ? (problem.message.split('\n')[0] ?? '') : 'unknown';
  }
}
