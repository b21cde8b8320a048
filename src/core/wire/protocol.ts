/**
 * Versions of the protocol. A program speaks its own version N and the one before, N−1, so that a circle can be updated one computer at a time.
 *
 * A profile lists the versions that a computer speaks. Who asks takes the highest that both speak, and writes its messages in it.
 */

/** What this program speaks, rising. There is no version before 1. */
export const spokenProtocols: readonly number[] = [1];

/** The highest version that both speak, or undefined: then the two cannot be partners until one is updated. */
export function commonProtocol(
  ours: readonly number[],
  theirs: readonly number[],
): number | undefined {
  const shared = ours.filter((version) => theirs.includes(version));
  return shared.length === 0 ? undefined : Math.max(...shared);
}
