import { dayStart, wall } from '../shared/time/zone'

/** Arithmetic of the time bar: which bucket suits a span, and how a brush moves over buckets. Times are unix seconds. */

export type Bucket = 'hour' | 'day' | 'week' | 'month'
export interface Span {
  from: number
  to: number
}

const day = 86_400

/** The finest bucket that leaves bars one can tell apart, about 200 at most. */
export function bucketFor(span: Span): Bucket {
  const days = (span.to - span.from) / day
  if (days <= 8) return 'hour'
  if (days <= 200) return 'day'
  if (days <= 1400) return 'week'
  return 'month'
}

/** What the bar shows when it shows the window: the window with as much time again on either side, within all there is. */
export function around(window: Span, all: Span): Span {
  const length = window.to - window.from
  const from = Math.max(all.from, window.from - length)
  const to = Math.min(Math.max(all.to, window.to), window.to + length)
  return to > from ? { from, to } : all
}

/** Edges of buckets from their starts: one more than starts, the last being the end of what is shown. */
export function edges(starts: readonly number[], end: number): number[] {
  if (starts.length === 0) return []
  return [...starts, Math.max(end, starts.at(-1)! + 1)]
}

/** The index of the edge nearest to a time. */
export function nearestEdge(at: readonly number[], time: number): number {
  let best = 0
  for (let i = 1; i < at.length; i++) {
    if (Math.abs(at[i]! - time) < Math.abs(at[best]! - time)) best = i
  }
  return best
}

/** The window between two edges in either order, at least one bucket wide. */
export function between(at: readonly number[], a: number, b: number): Span {
  const last = at.length - 1
  let low = Math.max(0, Math.min(a, b))
  let high = Math.min(last, Math.max(a, b))
  if (low === high) {
    if (high < last) high++
    else low--
  }
  return { from: at[low]!, to: at[high]! }
}

/** Share of the bar's width at which a time stands, from 0 to 1. */
export function share(span: Span, time: number): number {
  return Math.min(1, Math.max(0, (time - span.from) / (span.to - span.from)))
}

/** The day that presets count back from: today, or the last report's where the city's reports ended more than a week ago. */
export function presetDay(now: number, last: number | null, zone: string): number {
  return dayStart(last !== null && last < now - 7 * day ? last : now, zone)
}

export interface Tick {
  at: number
  /** How much of the date the tick stands for, and so how it is written. */
  unit: 'hour' | 'day' | 'month' | 'year'
}

/** At most about `most` ticks at round wall times: hours, days, months or years. */
export function ticks(span: Span, zone: string, most: number): Tick[] {
  const length = span.to - span.from
  const steps: { unit: Tick['unit']; every: number; seconds: number }[] = [
    { unit: 'hour', every: 3, seconds: 3 * 3600 },
    { unit: 'hour', every: 6, seconds: 6 * 3600 },
    { unit: 'hour', every: 12, seconds: 12 * 3600 },
    { unit: 'day', every: 1, seconds: day },
    { unit: 'day', every: 2, seconds: 2 * day },
    { unit: 'day', every: 7, seconds: 7 * day },
    { unit: 'day', every: 14, seconds: 14 * day },
    { unit: 'month', every: 1, seconds: 30.4 * day },
    { unit: 'month', every: 3, seconds: 91.3 * day },
    { unit: 'month', every: 6, seconds: 182.6 * day },
    { unit: 'year', every: 1, seconds: 365.25 * day },
    { unit: 'year', every: 5, seconds: 5 * 365.25 * day },
  ]
  const step = steps.find(s => length / s.seconds <= most) ?? steps.at(-1)!
  const found: Tick[] = []
  const add = (at: number, unit: Tick['unit']) => {
    if (at > span.from && at < span.to) found.push({ at, unit })
  }
  if (step.unit === 'hour' || step.unit === 'day') {
    for (let d = dayStart(span.from, zone), n = 0; d < span.to; n += 1, d = dayStart(d, zone, 1)) {
      if (step.unit === 'day') {
        if (n % step.every === 0) add(d, 'day')
        continue
      }
      for (let h = 0; h < 24; h += step.every) add(d + h * 3600, h === 0 ? 'day' : 'hour')
    }
    return found
  }
  for (let d = dayStart(span.from, zone); d < span.to; d = dayStart(d, zone, 1)) {
    const { year, month, day: date } = wall(d, zone)
    if (date !== 1) continue
    const round = step.unit === 'month' ? (month - 1) % step.every === 0 : month === 1 && year % step.every === 0
    if (round) add(d, month === 1 ? 'year' : 'month')
  }
  return found
}
