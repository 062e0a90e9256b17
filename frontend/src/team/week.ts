import { dayStart, dayText, instant, unix, wall } from '../shared/time/zone'

/** A stretch of time in unix seconds: from ≤ t < to. */
export interface Span {
  from: number
  to: number
}

/** The span of what the service tells in its own times. */
export function spanOf(s: { from: string; to: string }): Span {
  return { from: unix(s.from), to: unix(s.to) }
}

export const meets = (a: Span, b: Span): boolean => a.from < b.to && b.from < a.to

/** The first instant of the week, which begins on Monday, that holds an instant; weeks later, or earlier where negative. */
export function weekStart(unix: number, zone: string, weeks = 0): number {
  const w = wall(unix, zone)
  const monday = (new Date(Date.UTC(w.year, w.month - 1, w.day)).getUTCDay() + 6) % 7
  return dayStart(unix, zone, 7 * weeks - monday)
}

/** The seven days of a week, each from midnight to midnight in the city, be it 23 hours long or 25. */
export function weekDays(monday: number, zone: string): Span[] {
  return Array.from({ length: 7 }, (_, i) => ({ from: dayStart(monday, zone, i), to: dayStart(monday, zone, i + 1) }))
}

/** What of a span lies in a day; null: nothing. */
export function within(s: Span, day: Span): Span | null {
  return meets(s, day) ? { from: Math.max(s.from, day.from), to: Math.min(s.to, day.to) } : null
}

/** The time of day of an instant, as 08:00. */
export function clockText(unix: number, zone: string): string {
  const w = wall(unix, zone)
  return `${String(w.hour).padStart(2, '0')}:${String(w.minute).padStart(2, '0')}`
}

/** How many midnights lie between the day of the beginning and the end; an end at midnight still is the day before. */
export function daysOn(s: Span, zone: string): number {
  let n = 0
  while (n < 400 && dayStart(s.from, zone, n + 1) < s.to) n++
  return n
}

/** A time of day as people type it: 8:00, 08:00, 8：00, 0800, 8; null where it is none. 24:00 is the end of the day. */
export function readClock(text: string): { hour: number; minute: number } | null {
  const m = /^(\d{1,2})(?:[:：.]?(\d{2}))?$/.exec(text.trim())
  if (!m) return null
  const [hour, minute] = [Number(m[1]), Number(m[2] ?? 0)]
  return hour < 24 ? (minute < 60 ? { hour, minute } : null) : hour === 24 && minute === 0 ? { hour, minute } : null
}

/**
 * The span from one time of day to another of a day; an end that is not after the beginning is on the next day. null: the
 * day or a time is none.
 */
export function shiftSpan(day: string, from: string, to: string, zone: string, later = 0): Span | null {
  const d = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day)
  const [a, b] = [readClock(from), readClock(to)]
  if (!d || !a || !b) return null
  const at = (clock: { hour: number; minute: number }, days: number) => {
    const on = new Date(Date.UTC(Number(d[1]), Number(d[2]) - 1, Number(d[3]) + days, clock.hour))
    return instant(
      {
        year: on.getUTCFullYear(),
        month: on.getUTCMonth() + 1,
        day: on.getUTCDate(),
        hour: on.getUTCHours(),
        minute: clock.minute,
      },
      zone,
    )
  }
  const next = b.hour * 60 + b.minute <= a.hour * 60 + a.minute ? 1 : 0
  return { from: at(a, later), to: at(b, later + next) }
}

/** When a shift ends at the latest: after 24 hours, or at the same time of the next day, which is later when clocks are set back. */
export function latestEnd(from: number, zone: string): number {
  const w = wall(from, zone)
  return Math.max(from + 86_400, instant({ ...w, day: w.day + 1 }, zone) + (from % 60))
}

/** What is proposed for a hole: all of it where one shift can fill it, else what of it lies in the day. */
export function toFill(hole: Span, day: Span, zone: string): Span {
  return hole.to <= latestEnd(hole.from, zone) ? hole : (within(hole, day) ?? day)
}

/** How a certificate stands on a day: it has run out, does so within 60 days, or neither. */
export function certificateState(until: string | undefined, today: string): 'none' | 'expired' | 'soon' | 'good' {
  if (!until) return 'none'
  if (until < today) return 'expired'
  return Date.parse(until) - Date.parse(today) <= 60 * 86_400_000 ? 'soon' : 'good'
}

/** The Monday that an address names, or that of now. */
export function mondayOf(query: unknown, now: number, zone: string): number {
  const m = typeof query === 'string' ? /^(\d{4})-(\d{2})-(\d{2})$/.exec(query) : null
  if (!m) return weekStart(now, zone)
  const at = instant({ year: Number(m[1]), month: Number(m[2]), day: Number(m[3]), hour: 12, minute: 0 }, zone)
  return dayText(at, zone) === query ? weekStart(at, zone) : weekStart(now, zone)
}

/** How much a position that was told says of where somebody is now: within 5 minutes, within half an hour, or beyond. */
export function positionAge(at: number, now: number): 'fresh' | 'old' | 'stale' {
  const old = now - at
  return old <= 300 ? 'fresh' : old <= 1800 ? 'old' : 'stale'
}
