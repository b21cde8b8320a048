/** How HTTP/2 begins (RFC 9113 §3.4), for carriers on which other things are spoken too. */

const beginning = Buffer.from('PRI * HTTP/2.0');

/** `first`: at least the first message of the side that opened the connection. */
export function isHttp2Preface(first: Uint8Array): boolean {
  return beginning.equals(first.subarray(0, beginning.length));
}
