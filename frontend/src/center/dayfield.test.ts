import { describe, expect, it } from 'vitest'
import { dayShown, dayTyped } from './dayfield'

const china = 'Asia/Shanghai'
const washington = 'America/New_York'
const unix = (text: string) => Date.parse(text) / 1000

describe('an end of the time window', () => {
  it('is a day at midnight of the city, the last day included', () => {
    const midnight = unix('2026-03-31T16:00:00Z')
    expect(dayShown(midnight, 'from', china)).toBe('2026-04-01')
    expect(dayShown(midnight, 'to', china)).toBe('2026-03-31')
  })

  it('has a time where it is not midnight', () => {
    const morning = unix('2026-04-01T00:05:00Z')
    expect(dayShown(morning, 'from', china)).toBe('2026-04-01 08:05')
    expect(dayShown(morning, 'to', china)).toBe('2026-04-01 08:05')
  })

  it.each([
    ['2026-04-01', 'from', '2026-03-31T16:00:00Z'],
    ['2026-04-01', 'to', '2026-04-01T16:00:00Z'],
    ['2026-04-01 08:05', 'from', '2026-04-01T00:05:00Z'],
    ['2026-04-01 08:05', 'to', '2026-04-01T00:05:00Z'],
  ] as const)('is read from %s as %s', (text, end, want) => {
    expect(dayTyped(text, end, china)).toBe(unix(want))
  })

  it.each(['2026/4/1', '2026.4.1', '2026-4-1', '2026年4月1日', '20260401', ' 2026-04-01 '])('is read from %s', text => {
    expect(dayTyped(text, 'from', china)).toBe(unix('2026-03-31T16:00:00Z'))
  })

  it('is read with a time in any of these ways', () => {
    expect(dayTyped('2026/4/1 08:05', 'to', china)).toBe(unix('2026-04-01T00:05:00Z'))
  })

  it('closes a day of 23 hours when it ends', () => {
    // Clocks went forward on 13 March 2016.
    expect(dayTyped('2016-03-13', 'from', washington)).toBe(unix('2016-03-13T05:00:00Z'))
    expect(dayTyped('2016-03-13', 'to', washington)).toBe(unix('2016-03-14T04:00:00Z'))
  })

  it.each(['from', 'to'] as const)('shows as %s what was typed', end => {
    for (const text of ['2016-03-13', '2016-11-06', '2026-04-01 08:05']) {
      expect(dayShown(dayTyped(text, end, washington)!, end, washington)).toBe(text)
    }
  })

  it.each(['yesterday', '2026-13-01', '2026-02-30', '1/4/2026', '202604011', ''])('cannot be read from %s', text => {
    expect(dayTyped(text, 'from', china)).toBeNull()
  })
})
