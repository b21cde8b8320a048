/** Configuration: what it says, and changing one value of it. A running daemon takes changes up when it is started again. */
import { z } from 'zod';
import {
  configNames,
  configValue,
  readConfig,
  withConfigValue,
  writeConfig,
} from '../../adapters/disk/config-file.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { configFailure } from '../configuration-failure.ts';
import { type Operation, operation } from '../operation.ts';
import type { OperationFailure } from '../operation-failure.ts';
import { partnershipOf } from '../partnership-config.ts';

const nameMaximumLength = 200;
const valueMaximumLength = 1_000_000;

export interface ConfigGetInput {
  /** Undefined: all of them. */
  readonly name?: string | undefined;
}

export type ConfigValues = Readonly<Record<string, unknown>>;

export const getConfiguration: Operation<ConfigGetInput, never, never, ConfigValues> = operation({
  input: z.strictObject({ name: z.string().min(1).max(nameMaximumLength).optional() }),
  reach: 'local',
  secret: false,
  run: async ({ running }, { name }): Promise<Outcome<ConfigValues, OperationFailure>> => {
    const config = readConfig(running.paths.configFile);
    if (!config.ok) return failed(configFailure(config.error));
    const values: Record<string, unknown> = {};
    for (const each of name === undefined ? configNames() : [name]) {
      const value = configValue(config.value, each);
      if (!value.ok) return failed(configFailure(value.error));
      values[each] = value.value;
    }
    return succeeded(values);
  },
});

export interface ConfigSetInput {
  readonly name: string;
  /** JSON; what is not counts as plain text. */
  readonly value: string;
}

export const setConfiguration: Operation<ConfigSetInput, never, never, ConfigValues> = operation({
  input: z.strictObject({
    name: z.string().min(1).max(nameMaximumLength),
    value: z.string().max(valueMaximumLength),
  }),
  reach: 'local',
  secret: false,
  run: async ({ running }, { name, value }): Promise<Outcome<ConfigValues, OperationFailure>> => {
    const { configFile } = running.paths;
    const before = readConfig(configFile);
    if (!before.ok) return failed(configFailure(before.error));
    const after = withConfigValue(before.value, name, value);
    if (!after.ok) return failed(configFailure(after.error));
    const together = partnershipOf(after.value);
    if (!together.ok) return failed(configFailure(together.error));
    const written = writeConfig(configFile, after.value);
    if (!written.ok) return failed(configFailure(written.error));
    const stored = configValue(after.value, name);
    return stored.ok ? succeeded({ [name]: stored.value }) : failed(configFailure(stored.error));
  },
});
