import { describe, expect, it } from 'vitest'
import { ownWords } from './types'
import {
  certificateState,
  clockText,
  daysOn,
  latestEnd,
  mondayOf,
  positionAge,
  readClock,
  shiftSpan,
  spanOf,
  toFill,
  weekDays,
  weekStart,
  within,
} from './week'

const zone = 'Asia/Shanghai'
const at = (text: string) => Date.parse(text) / 1000

describe('a week of a roster', () => {
  it('begins on Monday in the city, wherever the reader is', () => {
    // 23:30 on Sunday in UTC is Monday in the city.
    expect(weekStart(at('2026-11-22T16:30:00Z'), zone)).toBe(at('2026-11-22T16:00:00Z'))
    expect(weekStart(at('2026-11-22T15:30:00Z'), zone)).toBe(at('2026-11-15T16:00:00Z'))
    expect(weekStart(at('2026-11-22T15:30:00Z'), zone, 1)).toBe(at('2026-11-22T16:00:00Z'))
  })

  it('has seven days without a gap, one of 25 hours where clocks are set back', () => {
    const days = weekDays(weekStart(at('2026-10-28T12:00:00Z'), 'America/New_York'), 'America/New_York')
    expect(days).toHaveLength(7)
    for (let i = 1; i < 7; i++) expect(days[i]!.from).toBe(days[i - 1]!.to)
    expect(days.map(d => (d.to - d.from) / 3600)).toEqual([24, 24, 24, 24, 24, 24, 25])
  })

  it('is the one that the address names, else the present one', () => {
    const now = at('2026-11-26T04:00:00Z')
    expect(mondayOf('2026-12-03', now, zone)).toBe(at('2026-11-29T16:00:00Z'))
    for (const none of [undefined, '', '2026-02-30', 'soon', ['2026-12-03']])
      expect(mondayOf(none, now, zone)).toBe(at('2026-11-22T16:00:00Z'))
  })
})

describe('a shift', () => {
  it('goes on past midnight where it ends no later than it begins', () => {
    expect(shiftSpan('2026-11-26', '8:00', '20:00', zone)).toEqual(
      spanOf({ from: '2026-11-26T00:00:00Z', to: '2026-11-26T12:00:00Z' }),
    )
    expect(shiftSpan('2026-11-26', '20:00', '08:00', zone)).toEqual(
      spanOf({ from: '2026-11-26T12:00:00Z', to: '2026-11-27T00:00:00Z' }),
    )
    expect(shiftSpan('2026-11-30', '08:00', '08:00', zone, 1)).toEqual(
      spanOf({ from: '2026-12-01T00:00:00Z', to: '2026-12-02T00:00:00Z' }),
    )
    expect(shiftSpan('2026-11-30', '16:00', '24:00', zone)).toEqual(
      spanOf({ from: '2026-11-30T08:00:00Z', to: '2026-11-30T16:00:00Z' }),
    )
    expect(shiftSpan('2026-11-30', '8', '25:00', zone)).toBeNull()
    expect(shiftSpan('', '8', '9', zone)).toBeNull()
  })

  it('is told with its times, and how many midnights it passes', () => {
    const s = spanOf({ from: '2026-11-26T12:00:00Z', to: '2026-11-27T00:00:00Z' })
    expect([clockText(s.from, zone), clockText(s.to, zone), daysOn(s, zone)]).toEqual(['20:00', '08:00', 1])
    expect(daysOn(spanOf({ from: '2026-11-26T08:00:00Z', to: '2026-11-26T16:00:00Z' }), zone)).toBe(0)
  })

  it.each(['7:61', '24:01', '12345', 'eight', '-1', ''])('does not begin at %s', text => {
    expect(readClock(text)).toBeNull()
  })

  it.each(['0830', '8:30', '08：30', ' 8.30 '])('begins at half past eight: %s', text => {
    expect(readClock(text)).toEqual({ hour: 8, minute: 30 })
  })
})

describe('the longest shift', () => {
  it('is 24 hours, and from one time of day to the same of the next where that is longer', () => {
    expect(latestEnd(at('2026-11-26T00:00:00Z'), zone)).toBe(at('2026-11-27T00:00:00Z'))
    const ny = 'America/New_York'
    // Clocks go back on 1 November 2026, and forward on 14 March 2027.
    expect(latestEnd(at('2026-10-31T12:00:00Z'), ny)).toBe(at('2026-11-01T13:00:00Z'))
    expect(latestEnd(at('2027-03-13T13:00:00Z'), ny)).toBe(at('2027-03-14T13:00:00Z'))
    const whole = shiftSpan('2026-10-31', '08:00', '08:00', ny)!
    expect(toFill(whole, { from: 0, to: 1 }, ny)).toEqual(whole)
  })
})

describe('a hole', () => {
  const day = spanOf({ from: '2026-11-25T16:00:00Z', to: '2026-11-26T16:00:00Z' })
  it('is filled whole by one shift, where that is possible', () => {
    const night = spanOf({ from: '2026-11-26T12:00:00Z', to: '2026-11-27T00:00:00Z' })
    expect(toFill(night, day, zone)).toEqual(night)
  })
  it('is filled day by day else', () => {
    const long = spanOf({ from: '2026-11-26T01:00:00Z', to: '2026-11-29T00:00:00Z' })
    expect(toFill(long, day, zone)).toEqual({ from: long.from, to: day.to })
    expect(within(long, { from: day.from - 86_400, to: day.from })).toBeNull()
  })
})

describe('a certificate', () => {
  it('is good on its last day, and said to end soon for 60 days', () => {
    expect(certificateState('2026-11-25', '2026-11-26')).toBe('expired')
    expect(certificateState('2026-11-26', '2026-11-26')).toBe('soon')
    expect(certificateState('2027-01-25', '2026-11-26')).toBe('soon')
    expect(certificateState('2027-01-26', '2026-11-26')).toBe('good')
    expect(certificateState(undefined, '2026-11-26')).toBe('none')
  })
})

describe('a position that was told', () => {
  it.each([
    [0, 'fresh'],
    [300, 'fresh'],
    [301, 'old'],
    [1800, 'old'],
    [1801, 'stale'],
    [-20, 'fresh'], // the reader's clock is behind
  ] as const)('says less the older it is: %d s', (old, age) => {
    expect(positionAge(1_000_000 - old, 1_000_000)).toBe(age)
  })
})

describe('skills of one’s own', () => {
  it('are parted by the commas of either language, each once, nothing empty', () => {
    expect(ownWords(' 潜水，会说海宁话、 潜水;, diving ,')).toEqual(['潜水', '会说海宁话', 'diving'])
    expect(ownWords(' ，')).toEqual([])
  })
})
