import { describe, expect, it } from 'vitest'
import type { Report } from '../shared/api/types'
import { merged } from './reports'

const report = (num: number, minute: number, title = ''): Report => ({
  id: `00000000-0000-7000-8000-${String(num).padStart(12, '0')}`,
  num,
  title,
  source: 'web',
  captured_at: new Date(Date.UTC(2026, 10, 1, 0, minute)).toISOString(),
  received_at: new Date(Date.UTC(2026, 10, 1, 0, minute)).toISOString(),
  item: '04',
  beidou: null,
  placement: { method: 'inside', plan: 'p', rule: 'inside', near: [], candidates: [], ambiguous: false },
  generated: false,
})

const nums = (rows: Report[]) => rows.map(r => r.num)

describe('a list with reports that come in', () => {
  const rows = [report(9, 30), report(7, 20), report(5, 10)]

  it('puts each at its time, not at the top', () => {
    expect(nums(merged(rows, [report(10, 25), report(11, 40)], false))).toEqual([11, 9, 10, 7, 5])
  })

  it('replaces what is there', () => {
    const again = merged(rows, [report(7, 20, 'corrected')], true)
    expect(nums(again)).toEqual([9, 7, 5])
    expect(again[1]!.title).toBe('corrected')
  })

  it('leaves what belongs to a later page to that page', () => {
    expect(nums(merged(rows, [report(12, 5)], true))).toEqual([9, 7, 5])
    expect(nums(merged(rows, [report(12, 5)], false))).toEqual([9, 7, 5, 12])
  })

  it('orders equal times by number', () => {
    expect(nums(merged([], [report(1, 5), report(3, 5), report(2, 5)], false))).toEqual([3, 2, 1])
  })
})
