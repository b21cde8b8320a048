/** The recovery kit (C29): the words, the partners, their addresses. */
import { z } from 'zod';
import { succeeded } from '../../base/outcome.ts';
import { kitJson } from '../../core/recovery/kit.ts';
import { type Operation, operation } from '../operation.ts';

export interface KitAnswer {
  readonly words: readonly string[];
  readonly owner: string;
  readonly name: string;
  readonly partners: readonly {
    readonly peer: string;
    readonly name?: string;
    readonly addresses: readonly string[];
  }[];
  /** The whole kit as the JSON text of its file. */
  readonly file: string;
}

export const kit: Operation<Record<string, never>, never, never, KitAnswer> = operation({
  input: z.strictObject({}),
  reach: 'local',
  secret: true,
  run: async ({ running }) => {
    const made = running.kit();
    const { words, owner, name, partners } = made;
    return succeeded({ words, owner, name, partners, file: kitJson(made) });
  },
});
