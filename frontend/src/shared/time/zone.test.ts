import { describe, expect, it } from 'vitest'
import { apiTime, dayStart, dayText, instant, iso, parseTime, unix, wall } from './zone'

const at = unix
const shanghai = 'Asia/Shanghai'
const washington = 'America/New_York'

describe('wall time', () => {
  it('is the clock of the city', () => {
    expect(wall(at('2026-10-31T16:30:00Z'), shanghai)).toEqual({ year: 2026, month: 11, day: 1, hour: 0, minute: 30 })
  })

  it('round-trips through the changes of summer time', () => {
    for (let u = at('2026-03-07T00:00:00Z'); u < at('2026-03-10T00:00:00Z'); u += 1800) {
      expect(instant(wall(u, washington), washington)).toBe(u)
    }
  })

  it('takes the first of an hour that happens twice and passes over one that never does', () => {
    expect(instant({ year: 2026, month: 11, day: 1, hour: 1, minute: 30 }, washington)).toBe(
      at('2026-11-01T01:30:00-04:00'),
    )
    expect(instant({ year: 2026, month: 3, day: 8, hour: 2, minute: 30 }, washington)).toBe(
      at('2026-03-08T03:30:00-04:00'),
    )
  })

  it('counts days, not 24 hours', () => {
    const noon = at('2026-03-08T12:00:00-04:00')
    expect(dayStart(noon, washington)).toBe(at('2026-03-08T00:00:00-05:00'))
    expect(dayStart(noon, washington, 1)).toBe(at('2026-03-09T00:00:00-04:00'))
    expect(dayStart(noon, washington, -7)).toBe(at('2026-03-01T00:00:00-05:00'))
  })
})

describe('times of the API', () => {
  it('are dates at midnight and RFC 3339 otherwise', () => {
    expect(apiTime(at('2026-11-01T00:00:00+08:00'), shanghai)).toBe('2026-11-01')
    expect(apiTime(at('2026-11-01T09:00:00+08:00'), shanghai)).toBe('2026-11-01T01:00:00Z')
  })

  it('read back what they write', () => {
    for (const iso of ['2026-11-01T00:00:00+08:00', '2026-02-28T23:59:59+08:00', '1999-12-31T16:00:00Z']) {
      expect(parseTime(apiTime(at(iso), shanghai), shanghai)).toBe(at(iso))
    }
  })

  it('are told to the second', () => {
    expect(iso(at('2026-11-26T06:00:00+08:00') + 0.9)).toBe('2026-11-25T22:00:00Z')
  })

  it('refuse what is no date', () => {
    for (const text of [
      '',
      '2026-02-30',
      '2026-13-01',
      '24.11.2026',
      '2026-11-01 25:00',
      '2026-11-01T10:00:00',
      'now',
    ]) {
      expect(parseTime(text, shanghai)).toBeNull()
    }
  })

  it('take wall times with minutes, as people type them', () => {
    expect(parseTime('2026-11-1 9:05', shanghai)).toBe(at('2026-11-01T09:05:00+08:00'))
    expect(dayText(at('2026-10-31T16:00:00Z'), shanghai)).toBe('2026-11-01')
  })
})
