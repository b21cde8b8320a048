/** What a computer tells about itself while it works: structured, for logs, progress bars and tests. */

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface EventLog {
  /** `event` is a stable dotted name such as `shard.acknowledged`. Secrets never stand in `fields`. */
  write(
    level: LogLevel,
    event: string,
    fields?: Readonly<Record<string, string | number | boolean>>,
  ): void;
}
