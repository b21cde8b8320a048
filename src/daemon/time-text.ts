/** Moments as they stand in JSON answers. */

export function timeText(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
