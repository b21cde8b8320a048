/**
 * One backup whose every pack is also coded 4+4 and sealed for eight partners, into a counter: all that a backup costs this computer but for the network.
 * A process of its own, because it is measured as one.
 *
 *     node scripts/bench/coded-capture.ts HOME TREE
 */

import { openBlobFolder } from '../../src/adapters/disk/blob-folder.ts';
import { createWorkerCoder } from '../../src/adapters/workers/worker-coder.ts';
import { present } from '../../src/base/assert.ts';
import type { Code } from '../../src/core/vocabulary/code.ts';
import { idOf, type PackId, type PeerId } from '../../src/core/vocabulary/ids.ts';
import { suiteAesGcm } from '../../src/core/vocabulary/suite.ts';
import { openComputer } from '../../src/daemon/composition.ts';
import { runOperation } from '../../src/daemon/operation-run.ts';
import { sha256 } from '../../src/primitives/hash.ts';

const code: Code = { id: 'reed-solomon', dataShards: 4, parityShards: 4 };
const partners: readonly PeerId[] = Array.from({ length: 8 }, (_, index) =>
  idOf<PeerId>(sha256(Uint8Array.of(index))),
);
const inFlight = 2;

async function capture(home: string, tree: string): Promise<void> {
  const nobody = { passphrase: async () => undefined as never };
  const opened = await openComputer({ home, ...nobody, daemon: false, uploadLimit: undefined });
  if (!opened.ok) throw new Error(opened.error.code);
  try {
    const input = { roots: [tree], tags: [], excludePatterns: [], dryRun: false, wait: 'captured' };
    const listener = {
      signal: new AbortController().signal,
      progress: () => undefined,
      send: async () => undefined,
    };
    const done = await runOperation(opened.value, { name: 'backup', input }, listener);
    if (!done.ok) throw new Error(done.error.code);
  } finally {
    await opened.value.close();
  }
}

/** Codes every pack of the spool; gives packs and bytes of shards. */
async function codeAll(folder: string): Promise<{ packs: number; shardBytes: number }> {
  const spool = await openBlobFolder(folder);
  const log = { write: () => undefined };
  const sealKey = new Uint8Array(32).fill(5);
  const coder = createWorkerCoder({ sealKey, owner: present(partners[0], 'eight'), log });
  const wanted = partners.map((partner, index) => ({ partner, index }));
  const names = [...(await spool.list(''))];
  const counted = { packs: 0, shardBytes: 0 };
  const work = async (): Promise<void> => {
    for (let name = names.pop(); name !== undefined; name = names.pop()) {
      const read = await spool.read(name);
      if (!read.ok) throw new Error(read.error.code);
      const pack = { pack: name as PackId, suite: suiteAesGcm, bytes: read.value };
      const shards = await coder.code(pack, code, wanted);
      counted.packs += 1;
      for (const { bytes } of shards) counted.shardBytes += bytes.length;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, work));
  await coder.close();
  await spool.close();
  return counted;
}

const [home, tree] = process.argv.slice(2);
if (home === undefined || tree === undefined) throw new Error('HOME and TREE are needed');
await capture(home, tree);
console.log(JSON.stringify(await codeAll(`${home}/spool`)));
