import { same } from './same'
import type { CalendarDay, CalendarWeek, DiffRow, WorkingCalendar } from './types'

// A working calendar: hours by weekday, and days that differ. Dates are texts such as 2026-02-14.

export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
export type Weekday = (typeof weekdays)[number]

export const blankCalendar = (zone: string): WorkingCalendar => {
  const hours = ['08:30-12:00', '13:30-17:00']
  const week: CalendarWeek = { mon: hours, tue: hours, wed: hours, thu: hours, fri: hours }
  return { zone, week, day_minutes: 420, years: [], days: [] }
}

const pad = (n: number) => String(n).padStart(2, '0')
export const dateOf = (year: number, month: number, day: number) => `${year}-${pad(month)}-${pad(day)}`
/** Monday is 0. */
export const weekdayOf = (date: string): number => (new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % 7

/** A month as weeks from Monday; null where another month has the day. */
export function monthOf(year: number, month: number): (string | null)[][] {
  const days = new Date(Date.UTC(year, month, 0)).getUTCDate()
  const cells: (string | null)[] = Array.from({ length: weekdayOf(dateOf(year, month, 1)) }, () => null)
  for (let d = 1; d <= days; d++) cells.push(dateOf(year, month, d))
  while (cells.length % 7 > 0) cells.push(null)
  return Array.from({ length: cells.length / 7 }, (_, w) => cells.slice(w * 7, w * 7 + 7))
}

export type DayLook = 'off' | 'work' | 'holiday' | 'workday' | 'hours'

export function lookOf(c: WorkingCalendar, date: string, days: ReadonlyMap<string, CalendarDay>): DayLook {
  const d = days.get(date)
  if (d) return d.kind
  return (c.week[weekdays[weekdayOf(date)]!] ?? []).length > 0 ? 'work' : 'off'
}

/** Hours as they are typed: "08:30-12:00 13:30-17:00"; null where they are none, overlap or are out of order. */
export function parseHours(text: string): string[] | null {
  const out: string[] = []
  let last = 0
  for (const part of text
    .replaceAll('–', '-')
    .split(/[\s,，、]+/)
    .filter(Boolean)) {
    const m = /^(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})$/.exec(part)
    if (!m) return null
    const [a, b, c, d] = m.slice(1).map(Number) as [number, number, number, number]
    const [from, to] = [a * 60 + b, c * 60 + d]
    if (b > 59 || d > 59 || from < last || from >= to || to > 1440) return null
    last = to
    out.push(`${pad(a)}:${pad(b)}-${pad(c)}:${pad(d)}`)
  }
  return out
}
export const minutesOf = (hours: readonly string[]): number =>
  hours.reduce((sum, h) => {
    const [a, b, c, d] = h.split(/[:-]/).map(Number) as [number, number, number, number]
    return sum + (c * 60 + d) - (a * 60 + b)
  }, 0)

const sorted = (days: readonly CalendarDay[]) => [...days].sort((a, b) => a.date.localeCompare(b.date))

/** Sets a day, or with null lets its weekday decide again. */
export function putDay(c: WorkingCalendar, date: string, day: CalendarDay | null): WorkingCalendar {
  const rest = (c.days ?? []).filter(d => d.date !== date)
  return { ...c, days: sorted(day ? [...rest, day] : rest) }
}

/** The years with one more at either end; a calendar's years have no gap. */
export function withYear(c: WorkingCalendar, year: number): WorkingCalendar {
  const years = [...(c.years ?? [])]
  if (years.includes(year)) return c
  const [first, last] = [years[0] ?? year, years.at(-1) ?? year]
  const out: number[] = []
  for (let y = Math.min(first, year); y <= Math.max(last, year); y++) out.push(y)
  return { ...c, years: out }
}
/** Without a year, as long as it is the first or the last; its days go with it. */
export function withoutYear(c: WorkingCalendar, year: number): WorkingCalendar {
  const years = c.years ?? []
  if (years[0] !== year && years.at(-1) !== year) return c
  return {
    ...c,
    years: years.filter(y => y !== year),
    days: (c.days ?? []).filter(d => !d.date.startsWith(`${year}-`)),
  }
}

/** Takes the days of some years in the place of those there are; other years stay. Years in between are listed too. */
export function takeDays(c: WorkingCalendar, years: readonly number[], days: readonly CalendarDay[]): WorkingCalendar {
  const kept = (c.days ?? []).filter(d => !years.includes(Number(d.date.slice(0, 4))))
  const next = years.reduce(withYear, c)
  return { ...next, days: sorted([...kept, ...days]) }
}

export interface CalendarNamer {
  weekday(d: Weekday): string
  kind(k: CalendarDay['kind']): string
  name(d: CalendarDay): string
  zone: string
  dayMinutes: string
  years: string
  off: string
}

export function diffCalendars(a: WorkingCalendar, b: WorkingCalendar, n: CalendarNamer): DiffRow[] {
  const rows: DiffRow[] = []
  const add = (key: string, title: string, before: string, after: string) => {
    if (before !== after) rows.push({ key, change: 'changed', title, fields: [{ name: '', before, after }] })
  }
  add('zone', n.zone, a.zone, b.zone)
  for (const d of weekdays)
    add(d, n.weekday(d), (a.week[d] ?? []).join(' ') || n.off, (b.week[d] ?? []).join(' ') || n.off)
  add('minutes', n.dayMinutes, String(a.day_minutes), String(b.day_minutes))
  add('years', n.years, (a.years ?? []).join(' '), (b.years ?? []).join(' '))
  const [x, y] = [a, b].map(c => new Map((c.days ?? []).map(d => [d.date, d]))) as [
    Map<string, CalendarDay>,
    Map<string, CalendarDay>,
  ]
  const tell = (d: CalendarDay) => [n.kind(d.kind), n.name(d), (d.hours ?? []).join(' ')].filter(Boolean).join(' ')
  for (const date of [...new Set([...x.keys(), ...y.keys()])].sort()) {
    const [was, now] = [x.get(date), y.get(date)]
    if (was && now && same(was, now)) continue
    rows.push({
      key: date,
      change: !was ? 'new' : !now ? 'gone' : 'changed',
      title: date,
      fields: [{ name: '', before: was ? tell(was) : '', after: now ? tell(now) : '' }],
    })
  }
  return rows
}
