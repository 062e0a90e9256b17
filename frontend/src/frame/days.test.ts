import { describe, expect, it } from 'vitest'
import { byDay, few } from './days'

describe('days', () => {
  it('stand once each, in the order in which they come', () => {
    expect(byDay(['a1', 'a2', 'b1', 'a3'], s => s[0]!)).toEqual([
      { day: 'a', list: ['a1', 'a2'] },
      { day: 'b', list: ['b1'] },
      { day: 'a', list: ['a3'] },
    ])
    expect(byDay([], () => '')).toEqual([])
  })

  it.each([
    [0, '0'],
    [99, '99'],
    [100, '99+'],
  ])('tell %d as %s', (n, text) => {
    expect(few(n)).toBe(text)
  })
})
