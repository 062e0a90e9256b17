import { describe, expect, it } from 'vitest'
import { monthsOf, moved, openEnd, shifted, twoTimes, usualStep } from './window'

const zone = 'Asia/Shanghai'
const at = (text: string) => Date.parse(`${text}+08:00`) / 1000
const day = (text: string) => at(`${text}T00:00:00`)

describe('the end of an open window', () => {
  const all = { from: day('2026-01-01'), to: at('2026-06-03T10:00:00') + 1 }
  it('is that of today, also before today’s first report', () => {
    expect(openEnd(at('2026-06-03T12:00:00'), all, zone)).toBe(day('2026-06-04'))
    expect(openEnd(at('2026-06-04T00:00:00'), all, zone)).toBe(day('2026-06-05'))
    expect(openEnd(at('2026-06-04T23:59:00'), all, zone)).toBe(day('2026-06-05'))
  })
  it('is that of the last report’s day where reports ended long ago', () => {
    expect(openEnd(at('2026-11-27T12:00:00'), all, zone)).toBe(day('2026-06-04'))
    const midnight = { from: all.from, to: day('2026-06-04') }
    expect(openEnd(at('2026-11-27T12:00:00'), midnight, zone)).toBe(day('2026-06-04'))
  })
})

describe('a window that is moved', () => {
  it('goes by days, weeks and months of the calendar', () => {
    expect(moved(at('2026-03-05T07:30:00'), 'day', -5, zone)).toBe(at('2026-02-28T07:30:00'))
    expect(moved(day('2026-03-05'), 'week', 2, zone)).toBe(day('2026-03-19'))
    expect(moved(day('2026-11-01'), 'month', 3, zone)).toBe(day('2027-02-01'))
    expect(moved(day('2026-01-31'), 'month', 1, zone)).toBe(day('2026-02-28'))
  })
  it('keeps days whole where clocks are changed', () => {
    const autumn = (text: string) => Date.parse(text) / 1000
    expect(moved(autumn('2026-10-31T04:00:00Z'), 'day', 2, 'America/New_York')).toBe(autumn('2026-11-02T05:00:00Z'))
  })
  it('stands at both ends of all there is', () => {
    const all = { from: day('2026-01-01'), to: day('2026-06-01') }
    const may = { from: day('2026-05-01'), to: day('2026-06-01') }
    expect(shifted(may, 'month', 1, all, zone)).toBeNull()
    expect(shifted(may, 'month', -1, all, zone)).toEqual({ from: day('2026-04-01'), to: day('2026-05-01') })
    expect(shifted({ from: day('2026-01-01'), to: day('2026-01-08') }, 'week', -1, all, zone)).toBeNull()
  })
  it('has the step that suits its length', () => {
    const of = (days: number) => usualStep({ from: 0, to: days * 86_400 })
    expect([of(1), of(35), of(36), of(200), of(201)]).toEqual(['day', 'day', 'week', 'week', 'month'])
  })
  it('meets months, each of which is taken whole, the latest ones', () => {
    const found = monthsOf({ from: day('2025-10-20'), to: day('2026-02-01') }, 3, zone)
    expect(found).toEqual([
      { from: day('2025-11-01'), to: day('2025-12-01') },
      { from: day('2025-12-01'), to: day('2026-01-01') },
      { from: day('2026-01-01'), to: day('2026-02-01') },
    ])
  })
})

describe('two times to compare', () => {
  const days = (span: { from: number; to: number }) => (span.to - span.from) / 86_400
  const all = { from: at('2024-01-01T08:00:00'), to: at('2026-06-03T10:00:00') + 1 }
  it('are the window and as much time before it', () => {
    const may = { from: day('2026-05-01'), to: day('2026-06-01') }
    expect(twoTimes(may, all, zone)).toEqual({ window: may, before: day('2026-03-31') })
    const first = { from: day('2024-01-10'), to: day('2024-02-10') }
    expect(twoTimes(first, all, zone)).toEqual({ window: first, before: all.from })
  })
  it('are the last two years where all the time there is was chosen', () => {
    const { window, before } = twoTimes({ from: day('2024-01-01'), to: day('2026-06-04') }, all, zone)
    expect(window).toEqual({ from: day('2025-06-04'), to: day('2026-06-04') })
    expect(before).toBe(day('2024-06-04'))
  })
  it('are the halves where there is less', () => {
    const short = { from: at('2026-01-01T08:00:00'), to: all.to }
    const { window, before } = twoTimes({ from: day('2026-01-01'), to: day('2026-06-04') }, short, zone)
    expect(window).toEqual({ from: day('2026-03-19'), to: day('2026-06-04') })
    expect(days({ from: before, to: window.from })).toBe(days(window))
    expect(before).toBeLessThanOrEqual(short.from)
    expect(before).toBeGreaterThan(short.from - 86_400)
  })
})
