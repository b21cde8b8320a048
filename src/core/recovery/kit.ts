/**
 * The recovery kit (C29): what a person keeps elsewhere to come back after total loss.
 *
 * The 24 words alone are the key. The partners' ids and addresses say where to ask; the floor says which manifest is too old to be believed.
 * It is JSON, so that a person can open it in anything, and whoever holds it can read every backup: it belongs in a safe place.
 */
import { z } from 'zod';
import type { Bytes } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { type Instant, instant } from '../../base/units.ts';
import type { ManifestPlace } from '../manifest/ordering.ts';
import { deriveKeys } from '../sealing/keys.ts';
import { type PeerId, parsePeerId } from '../vocabulary/ids.ts';
import {
  addressesMaximum,
  type Contact,
  nameMaximumLength,
  validAddress,
  validName,
} from '../wire/contact.ts';
import { seedOf, type WordsFailure, wordCount, wordsOf } from './words.ts';

export interface RecoveryKit {
  /** 24; the key to everything. */
  readonly words: readonly string[];
  readonly owner: PeerId;
  /** What the computer called itself. */
  readonly name: string;
  readonly partners: readonly Contact[];
  /** No manifest before this one is believed. Absent in a kit made before the first backup. */
  readonly floor?: ManifestPlace;
  readonly createdAt: Instant;
}

export interface OpenedKit {
  readonly kit: RecoveryKit;
  readonly rootSeed: Bytes;
}

export type KitFailure =
  | WordsFailure
  | { readonly code: 'kit.malformed'; readonly detail: string }
  | { readonly code: 'kit.unknown-version' }
  /** The words make another peer than the kit names: two kits were mixed up. */
  | { readonly code: 'kit.wrong-owner' };

const format = 'covault recovery kit';
const version = 1;
const textMaximumLength = 1_048_576;
const partnersMaximum = 256;

const peer = z.string().transform((text, context): PeerId => {
  const id = parsePeerId(text);
  if (id !== undefined) return id;
  context.addIssue({ code: 'custom', message: 'not a peer id' });
  return z.NEVER;
});
const name = z.string().max(nameMaximumLength).refine(validName);
const address = z.string().refine(validAddress);
const count = z.number().int().nonnegative();

const schema = z.strictObject({
  format: z.literal(format),
  version: z.literal(version),
  words: z.array(z.string().max(32)).length(wordCount),
  owner: peer,
  name,
  partners: z
    .array(
      z.strictObject({
        peer,
        name: name.optional(),
        addresses: z.array(address).max(addressesMaximum),
      }),
    )
    .max(partnersMaximum),
  floor: z.strictObject({ incarnation: count, sequence: count }).optional(),
  createdAt: z.iso.datetime(),
});

const versionOnly = z.looseObject({ format: z.literal(format), version: z.number() });

export interface KitContents {
  readonly name: string;
  readonly partners: readonly Contact[];
  readonly floor?: ManifestPlace;
  readonly createdAt: Instant;
}

/** The kit of the owner whose root seed this is. */
export function kitOf(rootSeed: Uint8Array, contents: KitContents): RecoveryKit {
  return { ...contents, words: wordsOf(rootSeed), owner: deriveKeys(rootSeed).peerId };
}

/** The kit as a JSON text for people and programs. */
export function kitJson(kit: RecoveryKit): string {
  const { floor } = kit;
  const value = {
    format,
    version,
    words: kit.words,
    owner: kit.owner,
    name: kit.name,
    partners: kit.partners.map(({ peer: id, name: called, addresses }) => ({
      peer: id,
      ...(called === undefined ? {} : { name: called }),
      addresses,
    })),
    ...(floor === undefined
      ? {}
      : { floor: { incarnation: floor.incarnation, sequence: floor.sequence } }),
    createdAt: new Date(kit.createdAt).toISOString(),
  };
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** The kit in a JSON text, with the root seed of its words, which must be that of the owner it names. */
export function parseKit(text: string): Outcome<OpenedKit, KitFailure> {
  if (text.length > textMaximumLength)
    return failed({ code: 'kit.malformed', detail: 'longer than any kit' });
  const value = parsedJson(text);
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const other = versionOnly.safeParse(value);
    if (other.success && other.data.version !== version)
      return failed({ code: 'kit.unknown-version' });
    return failed({ code: 'kit.malformed', detail: firstProblem(parsed.error) });
  }
  const seed = seedOf(parsed.data.words.join(' '));
  if (!seed.ok) return seed;
  if (deriveKeys(seed.value).peerId !== parsed.data.owner)
    return failed({ code: 'kit.wrong-owner' });
  return succeeded({ kit: kitFrom(parsed.data, seed.value), rootSeed: seed.value });
}

function kitFrom(data: z.infer<typeof schema>, rootSeed: Bytes): RecoveryKit {
  const partners = data.partners.map(({ peer: id, name: called, addresses }) => ({
    peer: id,
    ...(called === undefined ? {} : { name: called }),
    addresses,
  }));
  return kitOf(rootSeed, {
    name: data.name,
    partners,
    ...(data.floor === undefined ? {} : { floor: data.floor }),
    createdAt: instant(Date.parse(data.createdAt)),
  });
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function firstProblem(error: z.ZodError): string {
  const [issue] = error.issues;
  return issue === undefined ? '' : `${issue.path.join('.')}: ${issue.message}`;
}
