import { presetDay, type Span } from '../center/span'
import { dayStart, instant, wall } from '../shared/time/zone'

/** Windows of time that a slider moves by days, weeks or months of the city's calendar. Times are unix seconds. */

export const stepNames = ['day', 'week', 'month'] as const
export type Step = (typeof stepNames)[number]

/** The step that the service takes for a window where none is asked for. */
export function usualStep(span: Span): Step {
  const days = (span.to - span.from) / 86_400
  if (days <= 35) return 'day'
  return days <= 200 ? 'week' : 'month'
}

/** The end of an open window: of today, so that what comes today lies in it, or of the last day where reports ended long ago. */
export function openEnd(now: number, all: Span, zone: string): number {
  return dayStart(presetDay(now, all.to - 1, zone), zone, 1)
}

/** A moment so many steps later: the same time of day, and of the month, as far as that has such a day. */
export function moved(at: number, step: Step, by: number, zone: string): number {
  const w = wall(at, zone)
  if (step === 'month') {
    const months = w.year * 12 + w.month - 1 + by
    const [year, month] = [Math.floor(months / 12), (months % 12) + 1]
    const last = new Date(Date.UTC(year, month, 0)).getUTCDate()
    return instant({ ...w, year, month, day: Math.min(w.day, last) }, zone)
  }
  const time = at - dayStart(at, zone)
  return dayStart(at, zone, by * (step === 'week' ? 7 : 1)) + time
}

/**
 * The window so many steps later, as long as it is. Beyond the end of all there is, or before its beginning, it does not go; null:
 * it stands there.
 */
export function shifted(span: Span, step: Step, by: number, all: Span, zone: string): Span | null {
  const next = { from: moved(span.from, step, by, zone), to: moved(span.to, step, by, zone) }
  if (by > 0 && span.to >= all.to) return null
  if (by < 0 && span.from <= all.from) return null
  return next
}

/**
 * The window and the first day of another one, as long, before it. Where nothing is before the window, it and the time before are the
 * last two years, or the halves of what there is where that is less.
 */
export function twoTimes(window: Span, all: Span, zone: string): { window: Span; before: number } {
  if (window.from > dayStart(all.from, zone)) {
    const before = window.from - (window.to - window.from)
    return { window, before: Math.max(before, all.from) }
  }
  const half = dayStart(Math.ceil((all.from + window.to) / 2), zone)
  const from = Math.max(moved(window.to, 'month', -12, zone), half)
  return { window: { from, to: window.to }, before: from - (window.to - from) }
}

/** The months that a window meets, each as the whole of it, the latest so many. */
export function monthsOf(span: Span, most: number, zone: string): Span[] {
  const found: Span[] = []
  const first = wall(span.from, zone)
  let from = instant({ year: first.year, month: first.month, day: 1, hour: 0, minute: 0 }, zone)
  while (from < span.to) {
    const to = moved(from, 'month', 1, zone)
    found.push({ from, to })
    from = to
  }
  return found.slice(-most)
}
