/** Where a thread's first file lies: beside this one, with the same ending, for sources run unbuilt. */
export function workerEntry(name: 'pipeline-worker' | 'coder-worker' | 'target-worker'): URL {
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new URL(`./${name}.${ending}`, import.meta.url);
}
