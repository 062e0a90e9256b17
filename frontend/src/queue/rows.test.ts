import { describe, expect, it } from 'vitest'
import type { CaseRow } from '../shared/api/types'
import { brought, light, mayBe, nextRow, order, spanOf, toUnit } from './rows'

const row = (num: number, more: Partial<CaseRow> = {}): CaseRow => ({
  ref: String(num),
  num,
  part: 0,
  task: false,
  item: '01',
  state: 'reported',
  version: 0,
  unit: { id: 1, kind: 'town_team', name: 'u' },
  opened_at: `2026-01-01T00:00:${String(num).padStart(2, '0')}Z`,
  ...more,
})
const byDue = order({ sort: 'due', order: 'asc' })

describe('rows of the queue', () => {
  it('come by their due, what has none last, equals by number; or the other way round', () => {
    const rows = [
      row(1),
      row(3, { due_at: '2026-01-02T00:00:00Z' }),
      row(2, { due_at: '2026-01-02T00:00:00Z' }),
      row(4),
    ]
    expect(rows.toSorted(byDue).map(r => r.num)).toEqual([2, 3, 1, 4])
    expect(rows.toSorted(order({ sort: 'due', order: 'desc' })).map(r => r.num)).toEqual([4, 1, 3, 2])
    expect(rows.toSorted(order({ sort: 'opened', order: 'asc' })).map(r => r.num)).toEqual([1, 2, 3, 4])
  })

  it('stay the very same where nothing changed', () => {
    const rows = [row(1), row(2)]
    const got = brought(rows, new Set([1]), [row(1)], byDue, false)
    expect(got.rows).toBe(rows)
    expect([got.come, got.gone, got.changed]).toEqual([[], [], []])
  })

  it('are not put back to what they were', () => {
    const rows = [row(1, { version: 3 })]
    expect(brought(rows, new Set([1]), [row(1, { version: 2 })], byDue, false).rows).toBe(rows)
  })

  it('come, go and change, and leave to the next page what belongs there', () => {
    const rows = [row(1), row(3), row(5)]
    const next = [row(2), row(3, { version: 1 }), row(9)]
    const got = brought(rows, new Set([1, 2, 3, 9]), next, byDue, true)
    expect(got.rows.map(r => `${r.num}v${r.version}`)).toEqual(['2v0', '3v1', '5v0'])
    expect(got.rows[2]).toBe(rows[2])
    expect(got.gone.map(r => r.num)).toEqual([1])
    expect(got.come.map(r => r.num)).toEqual([2])
    expect(got.changed.map(r => r.num)).toEqual([3])
    expect(brought(rows, new Set([9]), [row(9)], byDue, false).rows.map(r => r.num)).toEqual([1, 3, 5, 9])
  })

  it.each([
    ['on', 5, 2, -1, 1, 3],
    ['not beyond the end', 5, 4, -1, 1, 4],
    ['not beyond the beginning', 5, 0, 3, -1, 0],
    ['to the first', 5, -1, -1, 1, 0],
    ['to the last', 5, -1, -1, -1, 4],
    ['back to where one stood', 5, -1, 2, 1, 2],
    ['to the end of what is left', 2, -1, 4, -1, 1],
  ])('are walked through: %s', (_, rows, at, stood, step, to) => {
    expect(nextRow(rows, at, stood, step)).toBe(to)
  })

  it('have a clock that is in time at its due, and late after it', () => {
    const clock = { amber_at: '2026-01-01T01:00:00Z', due_at: '2026-01-01T02:00:00Z' }
    const at = (time: string) => light(clock, Date.parse(time) / 1000)
    expect(at('2026-01-01T00:59:59Z')).toBe('green')
    expect(at('2026-01-01T01:00:00Z')).toBe('amber')
    expect(at('2026-01-01T02:00:00Z')).toBe('amber')
    expect(at('2026-01-01T02:00:01Z')).toBe('red')
    expect(light({}, 0)).toBe('none')
  })

  it.each([
    [864_000, { unit: 'd', a: 10, b: 0 }],
    [90_000, { unit: 'dh', a: 1, b: 1 }],
    [-3_725, { unit: 'hm', a: 1, b: 2 }],
    [3_599, { unit: 'm', a: 59, b: 0 }],
    [-5.5, { unit: 's', a: 5, b: 0 }],
  ])('tell %d s in words', (s, told) => {
    expect(spanOf(s)).toEqual(told)
  })

  it('go to their unit from where they stand, and only forward', () => {
    expect(toUnit('reported')).toEqual(['accept', 'file', 'dispatch'])
    expect(toUnit('returned')).toEqual(['dispatch'])
    expect(toUnit('received')).toEqual([])
    expect(mayBe('accept', 'accepted')).toBe(false)
    expect(mayBe('merge', 'dispatched')).toBe(true)
    expect(mayBe('reject', 'filed')).toBe(false)
  })
})
