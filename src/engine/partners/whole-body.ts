/** Bodies of requests and replies that are small enough to be taken whole. */
import { type Bytes, concatBytes } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { BodyBroken, type Silence } from '../../ports/transport.ts';
import type { Misanswered } from './partner-client.ts';

/** A whole body of at most `limitBytes`. */
export async function wholeBody(
  body: AsyncIterable<Uint8Array>,
  limitBytes: number,
): Promise<Outcome<Bytes, Silence | Misanswered>> {
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const part of body) {
      length += part.length;
      if (length > limitBytes) return nonsense(`more than ${limitBytes} bytes`);
      parts.push(part);
    }
  } catch (reason) {
    if (reason instanceof BodyBroken)
      return failed({ code: 'peer.broken-off', detail: reason.message });
    throw reason;
  }
  return succeeded(concatBytes(parts));
}

export function nonsense(detail: string): Outcome<never, Misanswered> {
  return failed({ code: 'peer.nonsense', detail });
}
