/** Computers that are told one address and nothing of each other, as homes and processes of their own on loopback, and what must hold of what they sign. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { present } from '../../src/base/assert.ts';
import {
  type Agreement,
  bytesLentBy,
  decodeSignedAgreement,
  partnerOf,
  verifyAgreement,
} from '../../src/core/agreements/agreement.ts';
import { idOf, type PeerId } from '../../src/core/vocabulary/ids.ts';
import type { AgreementAnswer } from '../../src/daemon/partnership-answers.ts';
import { done, endAll, eventually, freePort, type Home, up } from './circle.ts';
import type { Daemon } from './command-line.ts';

/** What a person declares about where a computer stands. */
export interface Place {
  readonly household: string;
  readonly country: string;
  readonly latitude: number;
  readonly longitude: number;
}

export interface Dweller extends Home {
  readonly place: Place;
  /** It is told that it runs an older kernel, where this machine can do that. */
  readonly isOld: boolean;
  readonly peer: PeerId;
  readonly daemon: Daemon;
}

const lentBytes = 2_400_000_000;

/** Months become seconds; C stays longer than G. */
const periods = {
  searchIntervalSeconds: 2,
  probeIntervalSeconds: 4,
  receiptPeriodSeconds: 3_600,
  auditIntervalSeconds: 600,
  spareAfterSeconds: 20,
  graceSeconds: 19,
  commitmentSeconds: 20,
};

const oldKernel: readonly string[] = ['setarch', '--uname-2.6'];
const [changes, ...arguments_] = oldKernel;
export const knowsOldKernels: boolean =
  spawnSync(present(changes, 'a command'), [...arguments_, 'true']).status === 0;

export class Neighbourhood {
  readonly #folder: string;
  readonly #dwellers: Dweller[] = [];
  readonly #daemons: Daemon[] = [];
  /** The address that all are told. */
  readonly #first: string;

  private constructor(folder: string, first: string) {
    this.#folder = folder;
    this.#first = first;
  }

  /** One computer for each place, all of them up; each knows the address of the first one, and nobody else. */
  static async begin(folder: string, places: readonly Place[]): Promise<Neighbourhood> {
    const addresses: string[] = [];
    for (const _ of places) addresses.push(await freeAddress());
    const all = new Neighbourhood(folder, present(addresses[0], 'somebody dwells there'));
    try {
      const moves = places.map((place, number) =>
        all.#move(place, { number, address: present(addresses[number], 'one each') }),
      );
      all.#dwellers.push(...(await Promise.all(moves)));
    } catch (problem) {
      await all.end();
      throw problem;
    }
    return all;
  }

  /** In the order of their places. */
  get dwellers(): readonly Dweller[] {
    return this.#dwellers;
  }

  /** One more, with further settings of `partners`. */
  async joined(place: Place, partners: Readonly<Record<string, unknown>>): Promise<Dweller> {
    const number = this.#dwellers.length;
    const newcomer = await this.#move(place, { number, address: await freeAddress(), partners });
    this.#dwellers.push(newcomer);
    return newcomer;
  }

  async #move(place: Place, { number, address, partners }: Move): Promise<Dweller> {
    const name = `number ${number}`;
    const home: Home = { name, path: join(this.#folder, `${number}`), address };
    await done(home, ['init', '--no-passphrase', '--name', name]);
    const config = {
      name,
      network: { listen: [address], bootstrap: [this.#first] },
      lend: { spaceBytes: lentBytes },
      partners: { ...periods, preset: 'circle', ...partners },
      place,
    };
    writeFileSync(join(home.path, 'config.json'), JSON.stringify(config));
    const isOld = knowsOldKernels && number % 2 === 1;
    const daemon = await up(home, isOld ? { under: oldKernel } : {});
    this.#daemons.push(daemon);
    const peer = idOf<PeerId>(Buffer.from(String(daemon.started['peer']), 'hex'));
    return { ...home, place, isOld, peer, daemon };
  }

  async end(): Promise<void> {
    await endAll(this.#daemons);
  }

  withId(peer: PeerId): Dweller {
    return present(
      this.dwellers.find((dweller) => dweller.peer === peer),
      'the partner is one of us',
    );
  }

  partnersOf({ peer, path }: Dweller): readonly Dweller[] {
    return signedIn(path).map(({ agreement }) => this.withId(partnerOf(agreement, peer)));
  }

  /** When all partners of one serve what they hold for it (C30), in ms since 1970. */
  async commitmentEnd(dweller: Dweller): Promise<number> {
    const shown = await shownBy(dweller);
    return Math.max(
      ...[...shown.values()].map((one) => Date.parse(one.commitmentEndsAt ?? one.since)),
    );
  }

  /** Every agreement is signed by both, kept by both in the same words, and shown; nobody lends more than it has. */
  async checkAgreements(showing: readonly Dweller[]): Promise<void> {
    const accounts = await eventually('all that is signed is kept by both', () => this.#accounts());
    for (const { dweller, signed } of accounts) {
      const { peer, name } = dweller;
      const lent = signed.reduce((sum, { agreement }) => sum + bytesLentBy(agreement, peer), 0);
      assert(lent <= lentBytes, `${name} lends ${lent}`);
      for (const { terms } of signed.map(({ agreement }) => agreement)) {
        assert.equal(terms.firstLendsBytes, terms.secondLendsBytes);
        assert(terms.commitmentMs > terms.graceMs);
      }
      const partners = new Set(signed.map(({ agreement }) => partnerOf(agreement, peer)));
      assert.equal(partners.size, signed.length, 'one agreement with each');
    }
    const shown = await Promise.all(showing.map(shownBy));
    for (const [number, { peer, name }] of showing.entries()) {
      const signed = accounts.find(({ dweller }) => dweller.peer === peer)?.signed ?? [];
      for (const { id, agreement } of signed)
        assert.equal(shown[number]?.get(id)?.partner, partnerOf(agreement, peer), name);
    }
  }

  /** What each has signed; undefined while something is half signed. */
  #accounts(): readonly Account[] | undefined {
    const accounts = this.dwellers.map((dweller) => ({ dweller, signed: signedIn(dweller.path) }));
    const documents = new Map(
      accounts.map(({ dweller, signed }) => [
        dweller.peer,
        new Set(signed.map(({ document }) => document)),
      ]),
    );
    const isKept = accounts.every(({ dweller, signed }) =>
      signed.every(({ agreement, document }) =>
        documents.get(partnerOf(agreement, dweller.peer))?.has(document),
      ),
    );
    return isKept ? accounts : undefined;
  }
}

interface Move {
  readonly number: number;
  readonly address: string;
  readonly partners?: Readonly<Record<string, unknown>>;
}

async function freeAddress(): Promise<string> {
  return `/ip4/127.0.0.1/tcp/${await freePort()}`;
}

interface Account {
  readonly dweller: Dweller;
  readonly signed: readonly Signed[];
}

/** What `agreements` lists, by id. */
async function shownBy(dweller: Dweller): Promise<ReadonlyMap<string, AgreementAnswer>> {
  const { agreements } = await done(dweller, ['agreements']);
  return new Map((agreements as readonly AgreementAnswer[]).map((one) => [one.id, one]));
}

interface Signed {
  readonly id: string;
  readonly document: string;
  readonly agreement: Agreement;
}

/** All agreements in force in a catalogue, with both signatures checked. */
function signedIn(path: string): readonly Signed[] {
  return rowsIn(path, "SELECT agreement, document FROM agreement WHERE phase <> 'proposed'").map(
    ({ agreement: id, document }) => {
      const signed = decodeSignedAgreement(document as Uint8Array);
      assert(signed.ok, 'it can be read');
      const agreement = verifyAgreement(signed.value);
      assert(agreement.ok, 'both have signed');
      return { id: hexOf(id), document: hexOf(document), agreement: agreement.value };
    },
  );
}

/** For every stripe of an owner, who holds its shards. */
export function holdersIn(path: string): readonly (readonly PeerId[])[] {
  const rows = rowsIn(path, "SELECT number, partner FROM shard WHERE phase = 'held'");
  return [...Map.groupBy(rows, ({ number }) => number).values()].map((shards) =>
    shards.map(({ partner }) => idOf<PeerId>(partner as Uint8Array)),
  );
}

function rowsIn(path: string, query: string): readonly Readonly<Record<string, unknown>>[] {
  const database = new DatabaseSync(join(path, 'catalog.db'), { readOnly: true });
  try {
    return database.prepare(query).all();
  } finally {
    database.close();
  }
}

function hexOf(bytes: unknown): string {
  return Buffer.from(bytes as Uint8Array).toString('hex');
}
