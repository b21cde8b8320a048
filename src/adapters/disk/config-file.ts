/**
 * `config.json` of a home: what a person sets, each with its unit in its name, its bounds and its default.
 *
 * Reading is strict. A key that does not exist is an error that names the nearest one: a misspelt limit must not be silently no limit.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { mebi } from '../../base/units.ts';
import type { LogLevel } from '../../ports/event-log.ts';
import { replaceFile, systemCode } from './durable-file.ts';
import {
  type PartnersConfig,
  type PlaceConfig,
  partnersSchema,
  placeSchema,
} from './partner-config.ts';

const gibi: number = 1024 * mebi;

const byteCount = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const multiaddrs = z
  .array(
    z
      .string()
      .max(512)
      .regex(/^\/[a-z0-9]+(\/[^/\s]+)+$/, 'an address such as /ip4/0.0.0.0/tcp/4747'),
  )
  .max(32);
const texts = z.array(z.string().min(1).max(4096)).max(10_000);

/** Every number has its unit in its name; null stands for "no limit". */
export type Config = {
  /** How partners see this computer. */
  readonly name: string;
  readonly network: {
    /** Multiaddrs to listen on. */
    readonly listen: readonly string[];
    /** Find and be found on the local network. */
    readonly multicast: boolean;
    /** Multiaddrs told to others besides those found out. */
    readonly announce: readonly string[];
    /** The DHT for finding peers and getting through NATs: none, one of the peers that one knows, or the public HyperDHT. */
    readonly dht: 'off' | 'private' | 'public';
    /** Multiaddrs of peers through which the private DHT is joined, besides those of partners. */
    readonly bootstrap: readonly string[];
    /** Ask the router for a port (UPnP, NAT-PMP). */
    readonly portMapping: boolean;
    readonly relay: {
      /** Pass on, for partners, what they cannot send each other directly. */
      readonly offer: boolean;
      /** For each partner. */
      readonly budgetBytesPerDay: number;
    };
  };
  readonly lend: { readonly spaceBytes: number };
  readonly partners: PartnersConfig;
  readonly place: PlaceConfig;
  readonly spool: { readonly capBytes: number };
  readonly cache: { readonly capBytes: number };
  readonly upload: { readonly limitBytesPerSecond: number | null };
  readonly backup: {
    /** Absolute paths. */
    readonly sources: readonly string[];
    /** Patterns in gitignore syntax. */
    readonly excludePatterns: readonly string[];
    /** Names of files that hold such patterns for their folder. */
    readonly excludeFileNames: readonly string[];
    readonly oneFileSystem: boolean;
    /** Larger files are left out. */
    readonly maximumFileBytes: number | null;
    /** zstd level. */
    readonly compressionLevel: number;
  };
  readonly log: { readonly level: LogLevel };
};

const configSchema: z.ZodType<Config> = z.strictObject({
  name: z.string().max(64).default(''),
  network: z
    .strictObject({
      listen: multiaddrs.default(['/ip4/0.0.0.0/tcp/4747', '/ip6/::/tcp/4747']),
      multicast: z.boolean().default(false),
      announce: multiaddrs.default([]),
      dht: z.enum(['off', 'private', 'public']).default('private'),
      bootstrap: multiaddrs.default([]),
      portMapping: z.boolean().default(false),
      relay: z
        .strictObject({
          offer: z.boolean().default(true),
          budgetBytesPerDay: byteCount.default(gibi),
        })
        .prefault({}),
    })
    .prefault({}),
  lend: z.strictObject({ spaceBytes: byteCount.default(0) }).prefault({}),
  partners: partnersSchema.prefault({}),
  place: placeSchema.prefault({}),
  spool: z.strictObject({ capBytes: byteCount.min(64 * mebi).default(4 * gibi) }).prefault({}),
  cache: z.strictObject({ capBytes: byteCount.default(2 * gibi) }).prefault({}),
  upload: z
    .strictObject({ limitBytesPerSecond: byteCount.min(1024).nullable().default(null) })
    .prefault({}),
  backup: z
    .strictObject({
      sources: z.array(z.string().startsWith('/').max(4096)).max(1000).default([]),
      excludePatterns: texts.default([]),
      excludeFileNames: texts.default([]),
      oneFileSystem: z.boolean().default(false),
      maximumFileBytes: byteCount.min(1).nullable().default(null),
      compressionLevel: z.int().min(1).max(19).default(1),
    })
    .prefault({}),
  log: z
    .strictObject({ level: z.enum(['debug', 'info', 'warn', 'error']).default('info') })
    .prefault({}),
});

export type ConfigFailure =
  | {
      readonly code: 'config.unknown-key';
      readonly name: string;
      /** The known name that looks most like it. */
      readonly nearest: string;
    }
  | { readonly code: 'config.bad-value'; readonly name: string; readonly detail: string }
  | { readonly code: 'config.unreadable' | 'config.input-output'; readonly detail: string };

type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
interface JsonObject {
  readonly [key: string]: JsonValue;
}

export function defaultConfig(): Config {
  return configSchema.parse({});
}

/** All dotted names, sorted. */
export function configNames(): readonly string[] {
  return [...flattened(defaultConfig(), '').keys()].sort();
}

/** The configuration in the file at `path`; all defaults when there is no such file. */
export function readConfig(path: string): Outcome<Config, ConfigFailure> {
  try {
    return checkedConfig(JSON.parse(readFileSync(path, 'utf8')));
  } catch (problem) {
    if (!(problem instanceof Error)) throw problem;
    if (systemCode(problem) === 'ENOENT') return succeeded(defaultConfig());
    if (problem instanceof SyntaxError)
      return failed({ code: 'config.unreadable', detail: `${path}: ${problem.message}` });
    if (systemCode(problem) === undefined) throw problem;
    return failed({ code: 'config.input-output', detail: problem.message });
  }
}

export function writeConfig(path: string, config: Config): Outcome<void, ConfigFailure> {
  const written = replaceFile(path, `${JSON.stringify(config, undefined, 2)}\n`);
  if (written.ok) return written;
  return failed({ code: 'config.input-output', detail: written.error.detail });
}

/** The value of a dotted name such as `lend.spaceBytes`. */
export function configValue(config: Config, name: string): Outcome<JsonValue, ConfigFailure> {
  const value = flattened(config, '').get(name);
  return value === undefined ? failed(unknownKey(name)) : succeeded(value);
}

/** The configuration with one value changed. `text` is JSON; what is not counts as plain text. */
export function withConfigValue(
  config: Config,
  name: string,
  text: string,
): Outcome<Config, ConfigFailure> {
  const values = flattened(config, '');
  const before = values.get(name);
  if (before === undefined) return failed(unknownKey(name));
  const parsed = parsedText(text);
  const asText = checkedConfig(nested(values.set(name, text)));
  // A name may be a number, but what is no text at all may be set as `auto` or as true.
  if (typeof before === 'string' && (asText.ok || typeof parsed === 'string')) return asText;
  return checkedConfig(nested(values.set(name, parsed)));
}

/** Checks a value that came from outside. */
export function checkedConfig(value: unknown): Outcome<Config, ConfigFailure> {
  const parsed = configSchema.safeParse(value);
  if (parsed.success) return succeeded(parsed.data);
  const issue = parsed.error.issues[0];
  const place = issue?.path.map(String) ?? [];
  if (issue?.code === 'unrecognized_keys')
    return failed(unknownKey([...place, ...issue.keys.slice(0, 1)].join('.')));
  const detail = issue?.message ?? 'not a configuration';
  return failed({ code: 'config.bad-value', name: place.join('.'), detail });
}

function parsedText(text: string): JsonValue {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function flattened(value: JsonObject, prefix: string): Map<string, JsonValue> {
  const values = new Map<string, JsonValue>();
  for (const [key, inner] of Object.entries(value)) {
    const name = `${prefix}${key}`;
    if (!isJsonObject(inner)) values.set(name, inner);
    else for (const [path, leaf] of flattened(inner, `${name}.`)) values.set(path, leaf);
  }
  return values;
}

function isJsonObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function nested(values: ReadonlyMap<string, JsonValue>): JsonObject {
  const result: Record<string, JsonValue> = {};
  const groups = new Map<string, Map<string, JsonValue>>();
  for (const [name, value] of values) {
    const [group = '', ...rest] = name.split('.');
    if (rest.length === 0) result[group] = value;
    else groups.set(group, (groups.get(group) ?? new Map()).set(rest.join('.'), value));
  }
  for (const [group, members] of groups) result[group] = nested(members);
  return result;
}

function unknownKey(name: string): ConfigFailure {
  const ranked = configNames().map((known) => ({ known, steps: editDistance(name, known) }));
  ranked.sort((left, right) => left.steps - right.steps);
  return { code: 'config.unknown-key', name, nearest: ranked[0]?.known ?? '' };
}

/** Insertions, deletions and replacements that make one text of the other (Levenshtein 1966). */
function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (const [leftIndex, letter] of [...left.slice(0, 200)].entries()) {
    const next = [leftIndex + 1];
    for (const [index, other] of [...right].entries()) {
      const replaced = (row[index] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[index + 1] ?? 0) + 1, (next[index] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}
