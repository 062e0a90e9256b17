import type { Report } from '../shared/api/types'

export type Case = NonNullable<Report['case']>
export type CaseClock = Case['clocks'][number]

/** How a clock stands: in time, turned, overdue or kept waiting; and of one that has stopped, whether that was in time. */
export type Signal = 'ok' | 'amber' | 'red' | 'paused' | 'inTime' | 'late'

const unix = (at: string) => Date.parse(at) / 1000

/** How a clock stands at a moment in unix seconds. The moment of the due itself is still in time, as the service has it. */
export function signal(clock: CaseClock, now: number): Signal {
  const due = clock.due_at === undefined ? undefined : unix(clock.due_at)
  if (clock.phase === 'stopped') return clock.late ? 'late' : 'inTime'
  if (due !== undefined && now > due) return 'red'
  if (clock.phase === 'paused') return 'paused'
  return clock.amber_at !== undefined && now >= unix(clock.amber_at) ? 'amber' : 'ok'
}

/** The clocks to show: those that run or wait, the first to be due first; of a case that has ended, how its limits were kept. */
export function clocksShown(c: Case): CaseClock[] {
  const running = c.clocks.filter(k => k.phase !== 'stopped')
  const list = running.length > 0 ? running : c.clocks.filter(k => k.kind === 'disposal')
  const when = (k: CaseClock) => (k.due_at === undefined ? Number.POSITIVE_INFINITY : unix(k.due_at))
  return list.toSorted((a, b) => when(a) - when(b))
}

/** The words in the reader's language, or in the other one where nobody has translated them. */
export function inWords(words: { zh: string; en: string }, language: string): string {
  return (language === 'zh' ? words.zh : words.en) || words.zh || words.en
}

/** What a unit is called in the reader's language; one that was made just now has a number alone. */
export function unitName(unit: Case['unit'], language: string): string {
  return inWords({ zh: unit.name, en: unit.name_en ?? '' }, language) || String(unit.id)
}
