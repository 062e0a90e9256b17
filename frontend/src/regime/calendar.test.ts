import { describe, expect, it } from 'vitest'
import {
  blankCalendar,
  diffCalendars,
  lookOf,
  minutesOf,
  monthOf,
  parseHours,
  putDay,
  takeDays,
  weekdayOf,
  withoutYear,
  withYear,
} from './calendar'
import type { CalendarDay } from './types'

const namer = {
  weekday: String,
  kind: String,
  name: (d: CalendarDay) => d.zh ?? '',
  zone: 'zone',
  dayMinutes: 'day',
  years: 'years',
  off: 'off',
}
const day = (date: string, kind: CalendarDay['kind'], zh = ''): CalendarDay => ({ date, kind, zh })

describe('a working calendar', () => {
  it('lays months out from Monday', () => {
    const feb = monthOf(2026, 2)
    expect(feb[0]!.indexOf('2026-02-01')).toBe(6)
    expect(feb.flat().filter(Boolean)).toHaveLength(28)
    expect(monthOf(2024, 2).flat().filter(Boolean)).toHaveLength(29)
    expect(weekdayOf('2026-11-26')).toBe(3)
  })

  it('reads hours', () => {
    expect(parseHours('8:30-12:00, 13:30–17:00')).toEqual(['08:30-12:00', '13:30-17:00'])
    expect(parseHours('')).toEqual([])
    for (const bad of ['8-12', '12:00-8:00', '08:00-12:00 11:00-13:00', '23:00-25:00', '08:61-09:00'])
      expect(parseHours(bad)).toBeNull()
    expect(minutesOf(['08:30-12:00', '13:30-17:00'])).toBe(420)
  })

  it('tells how a day is worked', () => {
    const c = putDay(withYear(blankCalendar('Asia/Shanghai'), 2026), '2026-02-14', day('2026-02-14', 'workday'))
    const days = new Map((c.days ?? []).map(d => [d.date, d]))
    expect(['2026-02-13', '2026-02-14', '2026-02-15'].map(d => lookOf(c, d, days))).toEqual(['work', 'workday', 'off'])
    expect(putDay(c, '2026-02-14', null).days).toEqual([])
  })

  it('has years without a gap', () => {
    const c = withYear(withYear(blankCalendar('Asia/Shanghai'), 2024), 2026)
    expect(c.years).toEqual([2024, 2025, 2026])
    expect(withoutYear(c, 2025)).toEqual(c)
    const full = putDay(
      putDay(c, '2026-01-01', day('2026-01-01', 'holiday')),
      '2025-01-01',
      day('2025-01-01', 'holiday'),
    )
    expect(withoutYear(full, 2026).days!.map(d => d.date)).toEqual(['2025-01-01'])
    const taken = takeDays(full, [2026, 2027], [day('2027-01-01', 'holiday')])
    expect(taken.years).toEqual([2024, 2025, 2026, 2027])
    expect(taken.days!.map(d => d.date)).toEqual(['2025-01-01', '2027-01-01'])
  })

  it('differs by day and weekday', () => {
    const a = takeDays(
      blankCalendar('Asia/Shanghai'),
      [2026],
      [day('2026-01-01', 'holiday', '元旦'), day('2026-01-02', 'holiday', '元旦')],
    )
    expect(diffCalendars(a, structuredClone(a), namer)).toEqual([])
    const b = {
      ...putDay(putDay(a, '2026-01-01', null), '2026-01-02', day('2026-01-02', 'workday', '元旦')),
      week: { ...a.week, sat: ['09:00-12:00'] },
    }
    expect(diffCalendars(a, b, namer).map(r => [r.key, r.change])).toEqual([
      ['sat', 'changed'],
      ['2026-01-01', 'gone'],
      ['2026-01-02', 'changed'],
    ])
  })
})
