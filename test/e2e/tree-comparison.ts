/** Whether two folders are equal: bytes, and all metadata that covault keeps. Paths are raw bytes, as names need not be text. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type BigIntStats, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

type Listing = ReadonlyMap<string, string>;

/** One line of facts for everything below `folder`, by path in latin1. */
export function factsOf(folder: string): Listing {
  const facts = new Map<string, string>();
  const firstNames = new Map<string, string>();
  const visit = (path: Buffer, name: string): void => {
    for (const child of readdirSync(path, { encoding: 'buffer' }).sort(Buffer.compare)) {
      const childPath = Buffer.concat([path, Buffer.from('/'), child]);
      const childName = `${name}/${child.toString('latin1')}`;
      const stat = lstatSync(childPath, { bigint: true });
      const links = stat.isDirectory() ? '' : linkFact(stat, childName, firstNames);
      facts.set(childName, `${entryFact(childPath, stat)}${links}`);
      if (stat.isDirectory()) visit(childPath, childName);
    }
  };
  visit(Buffer.from(folder), '');
  return facts;
}

/** Which name came first among those of one file. */
function linkFact(stat: BigIntStats, name: string, firstNames: Map<string, string>): string {
  if (stat.nlink < 2n) return '';
  const key = `${stat.dev}:${stat.ino}`;
  const first = firstNames.get(key) ?? name;
  firstNames.set(key, first);
  return ` same as ${first}`;
}

export function entryFact(path: Buffer | string, stat: BigIntStats): string {
  const mode = Number(stat.mode).toString(8);
  const common = `${mode} ${stat.uid}:${stat.gid} ${stat.mtimeNs}`;
  if (stat.isSymbolicLink())
    return `${common} -> ${readlinkSync(path, { encoding: 'buffer' }).toString('latin1')}`;
  if (!stat.isFile()) return common;
  const hash = createHash('sha256').update(readFileSync(path)).digest('hex');
  return `${common} ${stat.size} ${hash}`;
}

/** Names a few differences, so that a failure can be read. */
export function assertSameFacts(actual: Listing, expected: Listing): void {
  const differences: string[] = [];
  for (const [name, fact] of expected)
    if (actual.get(name) !== fact)
      differences.push(`${JSON.stringify(name)}: ${actual.get(name) ?? 'missing'}, not ${fact}`);
  for (const name of actual.keys())
    if (!expected.has(name)) differences.push(`${JSON.stringify(name)}: not wanted`);
  assert.deepEqual(differences.slice(0, 10), [], `${differences.length} differences`);
}

export function assertSameTree(actual: string, expected: string): void {
  assertSameFacts(factsOf(actual), factsOf(expected));
}
