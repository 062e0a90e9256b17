import { spread } from '../shared/time/day'
import { dayStart, dayText, parseTime, wall } from '../shared/time/zone'

/**
 * One end of the time window as a person reads and types it. The last day is meant as included: the end's text is of the
 * day before the instant at which the window closes, and a typed day closes it one day later.
 */
export type End = 'from' | 'to'

/** The text of an instant: a day, with the time where it is not midnight. */
export function dayShown(at: number, end: End, zone: string): string {
  if (dayStart(at, zone) === at) return dayText(end === 'to' ? dayStart(at, zone, -1) : at, zone)
  const { hour, minute } = wall(at, zone)
  return `${dayText(at, zone)} ${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`
}

/**
 * The instant that a text means; null where it cannot be read. The year comes first, in whatever way people part it from
 * month and day: 2026-04-01, 2026/4/1, 2026.4.1, 2026年4月1日, 20260401.
 */
export function dayTyped(text: string, end: End, zone: string): number | null {
  const tidy = spread(text.trim()).replace(
    /^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?/,
    (_, y, m, d) => `${y}-${m.padStart(2, '0')}-${d.padStart(2, '0')}`,
  )
  const at = parseTime(tidy, zone)
  if (at === null) return null
  const bare = !/[ T:]/.test(tidy)
  return end === 'to' && bare ? dayStart(at, zone, 1) : at
}
