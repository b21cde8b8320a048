/** Several tasks, none of which is left behind. */

/** What all of them gave, once none is under way any more; then throws the reason of the first that failed. */
export async function settled<T>(tasks: readonly Promise<T>[]): Promise<readonly T[]> {
  await Promise.allSettled(tasks);
  return await Promise.all(tasks);
}
