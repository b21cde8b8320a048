/** Names of users and groups, from the files that every POSIX system has; what a directory service knows besides stays a number. */
import { readFileSync } from 'node:fs';

export interface LocalOwners {
  readonly users: ReadonlyMap<number, string>;
  readonly groups: ReadonlyMap<number, string>;
}

export function readLocalOwners(folder = '/etc'): LocalOwners {
  return { users: readTable(`${folder}/passwd`), groups: readTable(`${folder}/group`) };
}

/** The numbers by name; of a name that stands twice the first counts, as for the system. */
export function numbersByName(names: ReadonlyMap<number, string>): ReadonlyMap<string, number> {
  return new Map([...names].reverse().map(([number, name]) => [name, number]));
}

/** Lines of `name:password:number:…`. A number that stands twice has its first name. */
function readTable(path: string): Map<number, string> {
  const names = new Map<number, string>();
  for (const line of readLines(path)) {
    const [name, , number] = line.split(':');
    if (name === undefined || name === '' || number === undefined || !/^\d+$/.test(number))
      continue;
    const id = Number(number);
    if (!names.has(id)) names.set(id, name);
  }
  return names;
}

/** No lines where there is no such file, as on systems with other tables. */
function readLines(path: string): readonly string[] {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch {
    return [];
  }
}
