/**
 * Ending streams and sessions so that nothing unfinished looks finished.
 *
 * Node's own calls are easy to get wrong here: `stream.close(code)` first ends the writable side, so that a half-sent body goes out with
 * END_STREAM before its reset; `stream.destroy()` and `session.destroy()` without an error reset with `NO_ERROR`, which the other side may take for an
 * end. Destroying with an error does neither.
 */
import { constants, type Http2Stream } from 'node:http2';
import type { WatchedConnection } from './liveness.ts';

/** Resets the stream, whatever state its body is in. */
export function breakStream(stream: Http2Stream, detail: string): void {
  if (!stream.destroyed) stream.destroy(new Error(detail));
}

/** Ends session and connection at once; a socket that can no longer be written to would otherwise stay for ever. */
export function breakSession(
  { session, duplex }: WatchedConnection,
  detail: string,
  code: number = constants.NGHTTP2_CANCEL,
): void {
  if (!session.destroyed) session.destroy(new Error(detail), code);
  duplex.destroy();
}
