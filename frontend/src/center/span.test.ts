import { describe, expect, it } from 'vitest'
import { dayText } from '../shared/time/zone'
import { around, between, bucketFor, edges, nearestEdge, presetDay, share, ticks } from './span'

const zone = 'Asia/Shanghai'
const at = (text: string) => Date.parse(`${text}T00:00:00+08:00`) / 1000
const span = (from: string, to: string) => ({ from: at(from), to: at(to) })

describe('buckets', () => {
  it.each([
    [span('2026-11-01', '2026-11-02'), 'hour'],
    [span('2026-11-01', '2026-11-08'), 'hour'],
    [span('2026-10-01', '2026-11-01'), 'day'],
    [span('2024-11-01', '2026-11-01'), 'week'],
    [span('2016-11-01', '2026-11-01'), 'month'],
  ] as const)('suit the span %j: %s', (s, want) => {
    expect(bucketFor(s)).toBe(want)
  })

  it('never draw more bars than can be told apart', () => {
    const width = { hour: 3600, day: 86_400, week: 604_800, month: 2_600_000 }
    for (let days = 1; days < 6000; days += 7) {
      const s = { from: 0, to: days * 86_400 }
      expect((days * 86_400) / width[bucketFor(s)]).toBeLessThanOrEqual(210)
    }
  })
})

describe('the brush', () => {
  const starts = [100, 200, 300, 400]
  const e = edges(starts, 450)

  it('stands on edges', () => {
    expect(e).toEqual([100, 200, 300, 400, 450])
    expect(nearestEdge(e, 260)).toBe(2)
    expect(nearestEdge(e, -5)).toBe(0)
    expect(nearestEdge(e, 9999)).toBe(4)
  })

  it('takes at least one bucket, drawn in either direction', () => {
    expect(between(e, 3, 1)).toEqual({ from: 200, to: 400 })
    expect(between(e, 2, 2)).toEqual({ from: 300, to: 400 })
    expect(between(e, 4, 4)).toEqual({ from: 400, to: 450 })
    expect(between(e, -3, 99)).toEqual({ from: 100, to: 450 })
  })

  it('keeps a bar without reports empty', () => {
    expect(edges([], 10)).toEqual([])
  })

  it('is placed by share of the width, cut at both ends', () => {
    expect(share({ from: 0, to: 200 }, 50)).toBe(0.25)
    expect(share({ from: 0, to: 200 }, -50)).toBe(0)
    expect(share({ from: 0, to: 200 }, 500)).toBe(1)
  })
})

describe('the span shown', () => {
  const all = span('2024-11-01', '2026-11-01')
  it('has as much time around the window as the window is long, within all there is', () => {
    expect(around(span('2026-08-01', '2026-08-11'), all)).toEqual(span('2026-07-22', '2026-08-21'))
    expect(around(span('2026-10-22', '2026-11-01'), all)).toEqual(span('2026-10-12', '2026-11-01'))
  })
  it('follows a window that lies after all there is', () => {
    expect(around(span('2026-12-01', '2026-12-03'), all)).toEqual(span('2026-11-29', '2026-12-03'))
  })
})

describe('presets', () => {
  it('count back from today while reports come in', () => {
    expect(dayText(presetDay(at('2026-11-24') + 3600, at('2026-11-23'), zone), zone)).toBe('2026-11-24')
    expect(dayText(presetDay(at('2026-11-24') + 3600, null, zone), zone)).toBe('2026-11-24')
  })
  it('count back from the last report where they ended long ago', () => {
    expect(dayText(presetDay(at('2026-11-24'), at('2016-12-31') + 7200, zone), zone)).toBe('2016-12-31')
  })
})

describe('ticks', () => {
  it.each([
    [span('2026-11-01', '2026-11-02')],
    [span('2026-11-01', '2026-11-08')],
    [span('2026-09-01', '2026-11-01')],
    [span('2024-11-03', '2026-11-01')],
    [span('2009-05-05', '2026-11-01')],
  ])('are few, within the span and at midnight or a full hour: %j', s => {
    const found = ticks(s, zone, 8)
    expect(found.length).toBeGreaterThan(1)
    expect(found.length).toBeLessThanOrEqual(9)
    for (const t of found) {
      expect(t.at > s.from && t.at < s.to).toBe(true)
      expect((t.at + 8 * 3600) % (t.unit === 'hour' ? 3600 : 86_400)).toBe(0)
    }
  })
  it('name the year where a year begins', () => {
    expect(
      ticks(span('2024-11-03', '2026-11-01'), zone, 8)
        .filter(t => t.unit === 'year')
        .map(t => dayText(t.at, zone)),
    ).toEqual(['2025-01-01', '2026-01-01'])
  })
})
