import { describe, expect, it } from 'vitest'
import { ApiError } from '../shared/api/client'
import type { Investigator } from '../shared/api/types'
import {
  around,
  faultOf,
  going,
  inOrder,
  known,
  linesOf,
  nextTuesday,
  proposalStates,
  qText,
  trendOf,
  twoPeople,
  whyNone,
} from './investigations'

const officer = (post: number, person: string, unit: number, away = false): Investigator => ({
  post,
  person: { id: person, name: person },
  unit: { id: unit, kind: 'town_team', name: `unit ${unit}` },
  role: 'officer',
  away,
})

describe('the day that is proposed', () => {
  it.each([
    ['2026-11-27', '2026-12-01'], // a Friday
    ['2026-11-30', '2026-12-01'], // a Monday
    ['2026-12-01', '2026-12-08'], // a Tuesday is never its own next
    ['2026-12-02', '2026-12-08'],
    ['2026-12-29', '2027-01-05'],
  ])('after %s is the Tuesday %s', (today, day) => {
    expect(nextTuesday(today)).toBe(day)
  })
})

describe('who goes', () => {
  const a = officer(1, 'A', 10)
  const b = officer(2, 'B', 20)
  const c = officer(3, 'C', 10, true)
  const again = officer(4, 'A', 20)
  it('stands by the unit that goes, and last when on leave', () => {
    expect(inOrder([c, b, a], 10).map(o => o.post)).toEqual([1, 2, 3])
    expect(inOrder([c, a, b], 20).map(o => o.post)).toEqual([2, 1, 3])
  })
  it('is of those who can', () => {
    expect(going([1, 3, 99], [a, b, c]).map(o => o.post)).toEqual([1])
  })
  it('is two people, not two posts', () => {
    expect(twoPeople([a])).toBe(false)
    expect(twoPeople([a, again])).toBe(false)
    expect(twoPeople([a, b])).toBe(true)
  })
})

describe('what the service refuses', () => {
  const refused = (field: string | undefined, code: string) =>
    faultOf(new ApiError(422, { code, ...(field === undefined ? {} : { field }) }))
  it('stands beside its field', () => {
    expect(refused('order.unit', 'unit_closed')).toEqual({ field: 'unit', index: null, code: 'unit_closed' })
    expect(refused('reason', 'required')).toEqual({ field: 'reason', index: null, code: 'required' })
  })
  it('says which of a list', () => {
    expect(refused('order.officers[1]', 'not_certificated')).toEqual({
      field: 'officers',
      index: 1,
      code: 'not_certificated',
    })
    expect(refused('officers[0]', 'on_leave').index).toBe(0)
  })
  it('may be of no field', () => {
    expect(refused(undefined, 'decided_meanwhile').field).toBeNull()
    expect(faultOf(new ApiError(0, {}))).toEqual({ field: null, index: null, code: '' })
  })
})

describe('what was told before', () => {
  it('has a trend up to p = 0.05, as the service words it', () => {
    expect(trendOf({ verdict: 'tested', s: 33, p: 0.021 })).toBe('up')
    expect(trendOf({ verdict: 'tested', s: -33, p: 0.05 })).toBe('down')
    expect(trendOf({ verdict: 'tested', s: 33, p: 0.051 })).toBe('steady')
    expect(trendOf({ verdict: 'tested', s: 0, p: 0.01 })).toBe('steady')
    expect(trendOf({ verdict: 'constant', s: 0, p: 1 })).toBe('constant')
    expect(trendOf({ verdict: 'too_few', s: 0, p: 1 })).toBe('few')
  })
})

it('objects are written one a line, and stand once', () => {
  expect(linesOf(' 大润发 \n\n 老王烧烤\n大润发')).toEqual(['大润发', '老王烧烤'])
  expect(linesOf(' \n ')).toEqual([])
})

it('a share of mistakes that is next to nothing is not written as none', () => {
  expect(qText(0.000128)).toBe('< 0.001')
  expect(qText(0.0004999)).toBe('< 0.001')
  expect(qText(0.0005)).not.toBe('0.000')
  expect(qText(0.0429)).toBe('0.043')
})

it('boxes lie in the one around them', () => {
  expect(
    around([
      [120.1, 30.2, 120.3, 30.4],
      [120.0, 30.3, 120.2, 30.5],
    ]),
  ).toEqual([120.0, 30.2, 120.3, 30.5])
  expect(around([])).toBeNull()
})

it('words of a later service are left out', () => {
  expect(known(['done', 'burnt', 'open'], proposalStates)).toEqual(['open', 'done'])
  expect(whyNone('overtaken')).toBe('overtaken')
  expect(whyNone('eclipse')).toBeNull()
  expect(whyNone(undefined)).toBeNull()
})
