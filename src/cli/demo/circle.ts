/** The computers of the demo: an owner and eight partners, each with a home and a process of its own, introduced to each other by invitations. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Answer,
  type CovaultProcesses,
  type Daemon,
  DemoFailed,
} from './covault-processes.ts';

const partnerNames = ['ada', 'ben', 'cleo', 'dan', 'eve', 'finn', 'gwen', 'hugo'] as const;

export interface Partner {
  readonly name: string;
  readonly daemon: Daemon;
}

export interface Circle {
  readonly owner: Daemon;
  readonly words: readonly string[];
  readonly partners: readonly Partner[];
}

/** What a partner has on its disk for the owner. */
export interface Holding {
  readonly shards: number;
  readonly bytes: number;
}

export async function formCircle(
  processes: CovaultProcesses,
  { folder, lendBytes }: { readonly folder: string; readonly lendBytes: number },
): Promise<Circle> {
  const initialise = async (name: string): Promise<Answer> => {
    const lent = name === 'owner' ? lendBytes * partnerNames.length : lendBytes;
    const argv = ['init', '--no-passphrase', '--name', name, '--lend', String(lent)];
    return (await processes.run({ home: join(folder, name), argv })).answer;
  };
  const [made] = await Promise.all(['owner', ...partnerNames].map(initialise));
  const [owner, ...daemons] = await Promise.all(
    ['owner', ...partnerNames].map((name) => processes.up(join(folder, name))),
  );
  const words = made?.['words'];
  if (owner === undefined || !Array.isArray(words))
    throw new DemoFailed('`covault init` gave no words');
  const partners = daemons.map((daemon, index) => ({ name: partnerNames[index] ?? '', daemon }));
  await Promise.all(
    partners.map(({ daemon }) => introduce(processes, { owner, daemon, lendBytes })),
  );
  return { owner, words, partners };
}

async function introduce(
  processes: CovaultProcesses,
  parties: { readonly owner: Daemon; readonly daemon: Daemon; readonly lendBytes: number },
): Promise<void> {
  const { owner, daemon, lendBytes } = parties;
  const inviting = ['invite', '--lend', String(lendBytes)];
  const invited = await processes.run({ home: owner.home, argv: inviting });
  const argv = ['join', String(invited.answer['code'])];
  const joined = await processes.run({ home: daemon.home, argv });
  if (joined.answer['id'] !== owner.peer) throw new DemoFailed('an invitation led elsewhere');
}

/** Where the partners are, as the owner's recovery kit tells it. */
export async function addressesInKit(
  processes: CovaultProcesses,
  home: string,
): Promise<readonly string[]> {
  const { answer } = await processes.run({ home, argv: ['kit', 'show'] });
  const partners = answer['partners'] as readonly {
    readonly peer: string;
    readonly addresses: readonly string[];
  }[];
  return partners.flatMap(({ peer, addresses }) =>
    addresses.map((address) => `${address}/p2p/${peer}`),
  );
}

/** Counts the files that a partner keeps for the owner. */
export function holdingOf({ daemon }: Partner, owner: string): Holding {
  const folder = join(daemon.home, 'held', owner);
  const sizes = readdirSync(folder).map((name) => statSync(join(folder, name)).size);
  return { shards: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}
