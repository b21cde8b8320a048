/** Moments in answers: as JSON has them, and as a person reads them. */

export function timeText(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/** The day, where the hour says nothing. */
export function dayText(milliseconds: number): string {
  return timeText(milliseconds).slice(0, 10);
}
