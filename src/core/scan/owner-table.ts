/** The distinct owners of one directory's entries, in order of first use: most directories have one. */
import { assert } from '../../base/assert.ts';
import { BadColumn, type ColumnReader, type ColumnWriter } from './columns.ts';
import { identityMaximum, type Ownership } from './tree-entry.ts';

/** Of a user's or a group's name, in UTF-8. */
export const ownerNameMaximumBytes = 255;

const fieldCount = 4;

export class OwnerTable {
  readonly #indexes = new Map<string, number>();
  readonly #owners: Ownership[] = [];
  #last: Ownership | undefined;
  #lastIndex = 0;

  indexOf(owner: Ownership): number {
    if (this.#last !== undefined && sameOwner(this.#last, owner)) return this.#lastIndex;
    const key = ownerKey(owner);
    let index = this.#indexes.get(key);
    if (index === undefined) {
      index = this.#owners.length;
      this.#indexes.set(key, index);
      this.#owners.push(owner);
    }
    this.#last = owner;
    this.#lastIndex = index;
    return index;
  }

  write(writer: ColumnWriter): void {
    writer.array(this.#owners.length);
    for (const owner of this.#owners) {
      assert(owner.uid >= 0 && owner.uid <= identityMaximum, 'a uid has 32 bits');
      assert(owner.gid >= 0 && owner.gid <= identityMaximum, 'a gid has 32 bits');
      writer.array(fieldCount);
      writer.unsigned(owner.uid);
      writer.unsigned(owner.gid);
      writer.text(owner.userName);
      writer.text(owner.groupName);
    }
  }
}

export function readOwners(reader: ColumnReader): Ownership[] {
  const count = reader.array();
  const owners: Ownership[] = [];
  const seen = new Set<string>();
  for (let index = 0; index < count; index += 1) {
    const owner = readOwner(reader);
    const key = ownerKey(owner);
    if (seen.has(key)) throw new BadColumn('an owner that stands twice');
    seen.add(key);
    owners.push(owner);
  }
  return owners;
}

function readOwner(reader: ColumnReader): Ownership {
  if (reader.array() !== fieldCount) throw new BadColumn('an owner has four fields');
  const uid = reader.unsigned();
  const gid = reader.unsigned();
  const userName = reader.text(ownerNameMaximumBytes);
  const groupName = reader.text(ownerNameMaximumBytes);
  return {
    uid,
    gid,
    ...(userName === undefined ? {} : { userName }),
    ...(groupName === undefined ? {} : { groupName }),
  };
}

function sameOwner(left: Ownership, right: Ownership): boolean {
  return (
    left.uid === right.uid &&
    left.gid === right.gid &&
    left.userName === right.userName &&
    left.groupName === right.groupName
  );
}

function ownerKey(owner: Ownership): string {
  return JSON.stringify([owner.uid, owner.gid, owner.userName ?? null, owner.groupName ?? null]);
}
