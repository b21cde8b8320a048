/** Whom restored entries belong to here: by name where this computer knows the name, else by number. */
import { type LocalOwners, numbersByName } from './owner-names.ts';

export interface OwnerOfEntry {
  readonly uid: number;
  readonly gid: number;
  readonly userName: string | undefined;
  readonly groupName: string | undefined;
}

export interface OwnerHere {
  readonly uid: number;
  readonly gid: number;
  /** What this process makes does not belong to them by itself. */
  readonly differs: boolean;
}

export interface ProcessOwner {
  readonly uid: number;
  readonly gid: number;
}

export class OwnerMapping {
  readonly #users: ReadonlyMap<string, number>;
  readonly #groups: ReadonlyMap<string, number>;
  readonly #process: ProcessOwner;

  constructor(owners: LocalOwners, process: ProcessOwner) {
    this.#users = numbersByName(owners.users);
    this.#groups = numbersByName(owners.groups);
    this.#process = process;
  }

  of(entry: OwnerOfEntry): OwnerHere {
    const uid = numberOf(this.#users, entry.userName) ?? entry.uid;
    const gid = numberOf(this.#groups, entry.groupName) ?? entry.gid;
    // The superuser sets every owner: a folder may hand its group on to what is made in it.
    const differs =
      this.#process.uid === 0 || uid !== this.#process.uid || gid !== this.#process.gid;
    return { uid, gid, differs };
  }
}

function numberOf(
  numbers: ReadonlyMap<string, number>,
  name: string | undefined,
): number | undefined {
  return name === undefined ? undefined : numbers.get(name);
}
