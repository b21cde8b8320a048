/** Chance as the engine sees it. */
import type { Bytes } from '../base/bytes.ts';

export interface Random {
  bytes(count: number): Bytes;
}
